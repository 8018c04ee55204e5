"""What the tutorial starts from: the reader's own recordings, or else the sample that travels with the notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ... import resources
from ...cache import cache_dir, content_hash
from ...evidence.digest import USER_IMPORTS
from ...evidence.importers.reading import Options
from ...evidence.importers.run import import_file

SAMPLE = "sample-trace.txt"
_SAYS = Options(kernel="6.6", machine="sample")


def recording(evidence: Sequence[str] = ()) -> list[str]:
    """Folders of ``evidence`` with imported files; where there are none, a folder with the sample imported.

    The sample is as `mmiocost import notebooks/sample-trace.txt --to DIR --kernel 6.6 --machine sample` makes it. Its
    layout is that of ftrace, its values are made up, so it is looked at and never fitted.
    """
    own = [folder for folder in evidence if (Path(folder) / USER_IMPORTS).is_dir()]
    if own:
        return own
    file = resources.notebooks_dir() / SAMPLE
    folder = cache_dir() / f"sample-{content_hash(file.read_bytes())[:16]}"
    import_file(str(file), folder, _SAYS)
    return [str(folder)]
