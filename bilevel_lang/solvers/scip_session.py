"""A search in SCIP while it runs: its columns, the judge, and what is known of the rows of its LP."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.tree_judge import Judge, Vertex

OWN = "judged cut "
"""How names of our cuts begin; each is unique."""


@dataclass
class TreeSession:
    """``failure``: what the judge raised, after which nobody asks it; ``bound_at_stop`` is the bound at that moment."""

    scip: Any
    columns: list[Any]
    judge: Judge
    started: float
    failure: BaseException | None = None
    bound_at_stop: float | None = None
    watched: list[Any] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    constraints: frozenset[str] = frozenset()
    known_columns: dict[Any, int] = field(default_factory=dict)
    """Numbers of SCIP's LP columns, which are looked up by name once: names are made anew each time, and there are many."""
    known_rows: dict[str, tuple[Ints, Floats]] = field(default_factory=dict)
    """The entries of rows that never change, by name: those of the program, and our cuts."""
    cuts: int = 0
    told: float = -math.inf
    """The seconds at which the judge was told of the progress."""


_STATUS = {"lower": -1, "upper": 1, "basic": 0, "zero": 2}


def read_vertex(model: Any, session: TreeSession) -> Vertex | None:
    """The optimum of SCIP's LP; None where it holds columns that are not the program's."""
    columns, rows = model.getLPColsData(), model.getLPRowsData()
    numbers = _numbers(columns, session)
    if (numbers < 0).any():
        return None
    matrix = np.zeros((len(rows), len(session.columns)))
    for i, row in enumerate(rows):
        places, values = _entries(row, session)
        matrix[i, places] = values
    constants = np.array([row.getConstant() for row in rows])
    low, up = _infinite(np.array([row.getLhs() for row in rows])), _infinite(np.array([row.getRhs() for row in rows]))
    return Vertex(
        numbers,
        np.array([c.getPrimsol() for c in columns]),
        _infinite(np.array([c.getLb() for c in columns])),
        _infinite(np.array([c.getUb() for c in columns])),
        np.array([_STATUS[c.getBasisStatus()] for c in columns], dtype=np.int64),
        matrix[:, numbers],
        low - constants,
        up - constants,
        np.array([_STATUS[r.getBasisStatus()] for r in rows], dtype=np.int64),
    )


def _numbers(columns: list[Any], session: TreeSession) -> Ints:
    """The program's numbers of LP columns, -1 for what is not the program's."""
    known = session.known_columns
    for column in columns:
        if column not in known:
            known[column] = session.numbers.get(column.getVar().name, -1)
    return np.array([known[column] for column in columns], dtype=np.int64)


def _entries(row: Any, session: TreeSession) -> tuple[Ints, Floats]:
    name = row.name
    known = session.known_rows.get(name)
    if known is None:
        known = _numbers(row.getCols(), session), np.array(row.getVals())
        if name.startswith(OWN) or name in session.constraints:
            session.known_rows[name] = known
    return known


def _infinite(values: Floats) -> Floats:
    """SCIP's infinity of 1e20 as ours."""
    return np.where(values >= 1e20, math.inf, np.where(values <= -1e20, -math.inf, values))
