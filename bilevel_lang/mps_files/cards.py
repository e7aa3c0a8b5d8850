"""An MPS text cut into cards: section headers, and data lines as fields, in free and in fixed format.

Free format: fields are parted by blanks. Fixed format (the original one, IBM MPSX): fields have their columns, 2-3, 5-12, 15-22,
25-36, 40-47 and 50-61, so that names may hold blanks. In both a header begins in the first column and a data line does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

HEADERS = ("NAME", "OBJSENSE", "ROWS", "COLUMNS", "RHS", "RANGES", "BOUNDS", "ENDATA")
SENSES = {"MIN": 1, "MINIMIZE": 1, "MINIMISE": 1, "MAX": -1, "MAXIMIZE": -1, "MAXIMISE": -1}

_FIXED = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_GAPS = ((0, 1), (3, 4), (12, 14), (22, 24), (36, 39), (47, 49))


@dataclass(frozen=True, slots=True)
class Card:
    """One line: ``header`` is the section that it opens, else None; ``fields`` as its section has them.

    ROWS: kind, name. COLUMNS: column, then (row, number) once or twice, or the three words of a marker. RHS and RANGES: set
    ("" where the line has none), then (row, number) once or twice. BOUNDS: kind, set, column, perhaps a number. ``misfit`` tells
    why the line cannot be cut.
    """

    line: int
    header: str | None
    fields: list[str]
    misfit: str = ""


Cutter = Callable[[str, str], tuple[list[str], str]]


def cards(lines: list[str], cut: Cutter) -> Iterator[Card]:
    """The cards of a file, without blank lines and comments (``*`` in the first column)."""
    section = ""
    for line, text in enumerate(lines, start=1):
        if not text.strip() or text.startswith("*"):
            continue
        words = text.split()
        is_sense = section == "OBJSENSE" and words[0].upper() in SENSES
        if text[0].isspace() or is_sense:
            fields, misfit = (words, "") if section == "OBJSENSE" else cut(section, text)
            yield Card(line, None, fields, misfit)
        else:
            section = words[0]
            yield Card(line, section, [text[len("NAME") :].strip()] if section == "NAME" else words[1:])


def free(section: str, text: str) -> tuple[list[str], str]:
    """Cut a data line at its blanks; the name of a set may be missing."""
    fields = text.split()
    if section in ("RHS", "RANGES") and len(fields) % 2 == 0:
        fields.insert(0, "")
    elif section == "BOUNDS" and _set_is_missing(fields):
        fields.insert(1, "")
    return fields, ""


def _set_is_missing(fields: list[str]) -> bool:
    # `UP x 5` against `FR bnd x`: the kinds that need a number have four fields with a set, the others three.
    needed = 3 if fields[0] in ("FR", "MI", "PL", "BV") else 4
    return len(fields) == needed - 1


def fixed(section: str, text: str) -> tuple[list[str], str]:
    """Cut a data line at the columns of the fixed format."""
    text = text.expandtabs().rstrip()
    if len(text) > _FIXED[-1][1] or any(text[start:end].strip() for start, end in _GAPS):
        return text.split(), "text between the fields of the fixed format, or behind column 61"
    kind, *rest = (text[start:end].strip() for start, end in _FIXED)
    if "'MARKER'" in rest:
        return [field for field in rest if field], ""
    filled = rest[:5] if rest[3] or rest[4] else rest[:3]
    if section == "ROWS":
        fields = [kind, rest[0], *(field for field in rest[1:] if field)]
    elif section == "BOUNDS":
        fields = [kind, *rest[:2], *(field for field in rest[2:] if field)]
    else:
        fields = [*([kind] if kind else []), *filled]
    return fields, ""
