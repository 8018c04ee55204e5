"""What travels inside a wheel beside the code: evidence, notebooks and the documents of the model.

An editable install reads them from the checkout, so only a standard wheel gets them.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShipEvidence(BuildHookInterface):  # type: ignore[type-arg]
    """Add the folders that ``mmiocost.resources`` looks for."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to include; a missing one fails the build."""
        if version == "standard":
            for path in ("data", "notebooks", "model/mechanism.md", "model/statistics.md"):
                build_data["force_include"][path] = f"mmiocost/_shipped/{path}"
