"""An instance as the text of its two files.

The MPS text is free format, laid out in the columns of the fixed one where names and numbers are short enough. Numbers are
written so that reading gives the same floats, except one side of the ranges that :func:`rounded_ranges` names. ``OBJSENSE`` is
there for a leader that maximises only: MibS does not read the section.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bilevel_lang.errors import UsageError
from bilevel_lang.mps_files.instance import BilevelInstance, Column, MpsInstance, Row

DIALECTS = ("named", "index")


def mps_text(instance: MpsInstance) -> str:
    """The MPS file. Raises UsageError for names that are empty, hold blanks, or come twice."""
    _check_names([c.name for c in instance.columns], "column")
    _check_names([r.name for r in instance.rows], "row")
    objective = _objective_name(instance)
    lines = [f"NAME          {instance.name}".rstrip()]
    if instance.sense < 0:
        lines += ["OBJSENSE", "    MAX"]
    lines += ["ROWS", f" N  {objective}", *(f" {_kind(r)}  {r.name}" for r in instance.rows)]
    lines += ["COLUMNS", *_columns(instance, objective), "RHS"]
    if instance.constant:
        lines.append(_pair("RHS", objective, -instance.constant))
    sides = [(r, *_side_and_range(r)) for r in instance.rows]
    lines += [_pair("RHS", row.name, side) for row, side, _ in sides if side]
    ranges = [_pair("RNG", row.name, span) for row, _, span in sides if span is not None]
    lines += ["RANGES", *ranges] if ranges else []
    lines += ["BOUNDS", *(line for column in instance.columns for line in _bounds(column)), "ENDATA"]
    return "\n".join(lines) + "\n"


def aux_text(instance: BilevelInstance, dialect: str = "named", mps: str = "") -> str:
    """The ``.aux`` file in one of :data:`DIALECTS`; ``mps`` is the name of the MPS file, for the named dialect.

    The named dialect has no sense: a follower that maximises is written as one that minimises the negative. Raises UsageError.
    """
    if dialect not in DIALECTS:
        raise UsageError(f"no dialect `{dialect}` of .aux files", "use one of " + ", ".join(DIALECTS))
    follower = instance.follower
    if dialect == "index":
        lines = [f"N {len(follower.columns)}", f"M {len(follower.rows)}"]
        lines += [f"LC {j}" for j in follower.columns] + [f"LR {i}" for i in follower.rows]
        lines += [f"LO {_number(c)}" for c in follower.costs] + [f"OS {follower.sense}"]
        return "\n".join(lines) + "\n"
    names = [instance.mps.columns[j].name for j in follower.columns]
    lines = ["@NUMVARS", str(len(names)), "@NUMCONSTRS", str(len(follower.rows)), "@VARSBEGIN"]
    lines += [f"{name} {_number(follower.sense * cost)}" for name, cost in zip(names, follower.costs, strict=True)]
    lines += ["@VARSEND", "@CONSTSBEGIN", *(instance.mps.rows[i].name for i in follower.rows), "@CONSTSEND"]
    lines += ["@NAME", instance.mps.name] if instance.mps.name else []
    lines += ["@MPS", mps] if mps else []
    return "\n".join(lines) + "\n"


def _check_names(names: list[str], what: str) -> None:
    if len(set(names)) < len(names):
        raise UsageError(f"two {what}s have one name", f"give each {what} its own name")
    for name in names:
        if not name or name.split() != [name] or name == "'MARKER'" or not name.isprintable():
            raise UsageError(f"`{name}` cannot be the name of a {what} in an MPS file", "names there have no blanks")
        if name.startswith(("@", "*")):
            raise UsageError(f"`{name}` cannot be the name of a {what} in an .aux file", "names there begin with a letter")


def _objective_name(instance: MpsInstance) -> str:
    taken, name = {row.name for row in instance.rows}, "OBJ"
    while name in taken:
        name += "_"
    return name


def _number(value: float) -> str:
    """The shortest text that is read as the same float; whole numbers without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _pair(first: str, second: str, value: float) -> str:
    return f"    {first:<8}  {second:<8}  {_number(value)}"


def _kind(row: Row) -> str:
    if row.lower == row.upper:
        return "E"
    return "L" if math.isinf(row.lower) or (not math.isinf(row.upper) and _reaches_down(row) is not None) else "G"


def _reaches_down(row: Row) -> float | None:
    """The range with which the upper side gives exactly the lower one, or None."""
    return next((r for r in _candidates(row) if row.upper - r == row.lower), None)


def _reaches_up(row: Row) -> float | None:
    """The range with which the lower side gives exactly the upper one, or None."""
    return next((r for r in _candidates(row) if row.lower + r == row.upper), None)


def rounded_ranges(instance: MpsInstance) -> list[str]:
    """The rows with two sides of which a file can hold one only up to the last digit, by name.

    A file has a side and the distance to the other, and floats are finer near zero: no distance leads from 1.39 to exactly -1.46.
    """
    ranges = [r for r in instance.rows if r.lower != r.upper and not math.isinf(r.lower) and not math.isinf(r.upper)]
    return [r.name for r in ranges if _reaches_down(r) is None and _reaches_up(r) is None]


def _candidates(row: Row) -> tuple[float, ...]:
    span = row.upper - row.lower
    return span, math.nextafter(span, 0.0), math.nextafter(span, math.inf)


def _side_and_range(row: Row) -> tuple[float, float | None]:
    if row.lower == row.upper:
        return row.lower, None
    if math.isinf(row.lower) or math.isinf(row.upper):
        return (row.upper if math.isinf(row.lower) else row.lower), None
    down = _reaches_down(row)
    if down is not None:
        return row.upper, down
    up = _reaches_up(row)
    return row.lower, row.upper - row.lower if up is None else up


def _columns(instance: MpsInstance, objective: str) -> Iterator[str]:
    entries: list[list[tuple[str, float]]] = [[] for _ in instance.columns]
    for row in instance.rows:
        for place, coefficient in row.terms:
            entries[place].append((row.name, coefficient))
    integer, markers = False, 0
    for column, terms in zip(instance.columns, entries, strict=True):
        if column.integer != integer:
            integer = column.integer
            yield _marker(markers, integer)
            markers += 1
        if column.cost or not terms:
            yield _pair(column.name, objective, column.cost)
        yield from (_pair(column.name, row, coefficient) for row, coefficient in terms)
    if integer:
        yield _marker(markers, False)


def _marker(count: int, opens: bool) -> str:
    return f"    {f'M{count}':<8}  'MARKER'                 '{'INTORG' if opens else 'INTEND'}'"


def _bounds(column: Column) -> Iterator[str]:
    """Every bound that differs from 0 and infinity; both for integer columns, for which readers have different defaults."""
    lower, upper = column.lower, column.upper
    if lower == upper:
        yield f" FX BND       {column.name:<8}  {_number(lower)}"
        return
    if math.isinf(lower) and math.isinf(upper):
        yield f" FR BND       {column.name}"
        return
    if math.isinf(lower):
        yield f" MI BND       {column.name}"
    elif lower or upper < 0:
        yield f" LO BND       {column.name:<8}  {_number(lower)}"
    if not math.isinf(upper):
        yield f" UP BND       {column.name:<8}  {_number(upper)}"
    elif column.integer:
        yield f" PL BND       {column.name}"
