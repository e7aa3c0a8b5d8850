"""The two files together: what the ``.aux`` file names must be in the MPS file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from bilevel_lang.mps_files.aux_reading import AuxFile, Item
from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.instance import BilevelInstance, Follower, MpsInstance


def pair(mps: MpsInstance, aux: AuxFile, complaints: Complaints, *, mps_name: str = "") -> BilevelInstance:
    """Find the columns and rows of ``aux`` in ``mps``; ``complaints`` are those of the ``.aux`` file.

    ``mps_name`` is the file that was read. Raises ResolutionError (E25) with everything that does not fit.
    """
    if aux.by_index and mps.free_rows:
        said = "rows are given by index, and the MPS file has further N rows, which some programs count and some do not"
        complaints.error(said, 1, help="name the rows, in the dialect with @VARSBEGIN and @CONSTSBEGIN", code="E25")
    columns = _places(aux.columns, [c.name for c in mps.columns], "column", complaints)
    rows = _places(aux.rows, [r.name for r in mps.rows], "row", complaints)
    if not aux.columns:
        complaints.error("no column is the follower's", 1, help="a problem without follower is an ordinary MPS file", code="E25")
    if aux.mps and mps_name and PurePath(aux.mps).name != PurePath(mps_name).name:
        said = f"this file says it belongs to `{aux.mps}`, and was given with `{PurePath(mps_name).name}`"
        complaints.doubt(said, aux.mps_line, help="correct the line after @MPS if they do belong together")
    complaints.raise_errors()
    return BilevelInstance(mps, Follower(columns, aux.costs, rows, aux.sense))


def _places(items: Iterable[Item], names: list[str], what: str, complaints: Complaints) -> tuple[int, ...]:
    known = {name: place for place, name in enumerate(names)}
    found = []
    for item in items:
        if item.index is not None and item.index < len(names):
            found.append(item.index)
        elif item.index is not None:
            last = f"the last one is {len(names) - 1}; indices count from 0" if names else f"the MPS file has no {what}s"
            said = f"index {item.text} is beyond the {len(names)} {what}s of the MPS file"
            complaints.error(
                said, item.line, item.text, last + ("" if what == "column" else ", without the objective"), code="E25"
            )
        elif item.text in known:
            found.append(known[item.text])
        else:
            complaints.error(
                f"the MPS file has no {what} `{item.text}`", item.line, item.text, complaints.near(item.text, names), code="E25"
            )
    return tuple(found)
