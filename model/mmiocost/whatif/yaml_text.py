"""The YAML of a scenario: plain mappings, lists and texts, read so that nothing means what it does not look like.

A key that stands twice is an error, where PyYAML takes the last. Merge keys are refused, since a few lines of them
unfold into billions of entries. A number that is not written in plain decimals (``010``, ``1:30``, ``1_000``, ``.inf``)
and a date stay the text that they are, so that the checks of values see what was written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

#: What reading may raise; PyYAML looks up and converts what a tag such as !!timestamp names without a check.
YAML_ERRORS = (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError)
_DECIMAL = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?")
_MERGE = "tag:yaml.org,2002:merge"


def parse(text: str) -> Any:
    """The one document in a text. Raises one of YAML_ERRORS."""
    loader = _loader()(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


@cache
def _loader() -> Any:
    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: Any) -> None:
            seen = set()
            for key, _ in node.value:
                if key.tag == _MERGE:
                    raise _refused(key, "merge keys (<<) are not taken: write the fields out")
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen:
                        raise _refused(key, f"the key {key.value[:60]!r} stands twice")
                    seen.add(key.value)

        def written(self, node: Any) -> Any:
            return self.construct_scalar(node)

        def number(self, node: Any) -> Any:
            written = self.construct_scalar(node)
            if not _DECIMAL.fullmatch(written):
                return written
            return int(written) if written.lstrip("+-").isdigit() else float(written)

    for kind in ("int", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.number)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.written)
    return Loader


def _refused(node: Any, problem: str) -> Exception:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
