"""Model selection: rival forms of the physics, each scored on observations that its fit has not seen.

Comes in: rows of the evidence. Goes out: for each form its parameters, its residuals, its errors and log predictive
densities with rows, slot counts and sources left out, and which difference is larger than its own error.
``lookups`` and ``ladder`` hold forms of the slot search and are cheap; ``joint`` refits the joint fit and is kept.
"""
