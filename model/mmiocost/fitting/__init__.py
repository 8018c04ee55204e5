"""Equations fitted to evidence: rows, weights, the joint fit with its draws, intervals, validation.

Comes in: ``evidence`` and the lowered equations. Goes out: a :class:`~.fit.Fit`, whose draws carry every
prediction. ``model/statistics.md`` states the model and gives its reasons.
"""
