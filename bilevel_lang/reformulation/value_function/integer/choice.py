"""Which engine a problem goes to where nobody asks for one."""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.listing import NAME, small_boxes
from bilevel_lang.reformulation.value_function.integer.opposition import opposition
from bilevel_lang.reformulation.value_function.integer.pessimistic import ties_matter
from bilevel_lang.reformulation.value_function.integer.turns import IN_TURNS

LIST = NAME, "so few decisions and answers that all of them are looked at"
TREE = "scip", "one tree, with the follower's answers in it"
TURNS = (
    IN_TURNS,
    "the linking variables are binary: the relaxation with disjunctions of few binaries, and the tree, in turns",
)


def chosen_engine(source: BilevelProgram, position: str = "optimistic") -> tuple[str, str]:
    """The name of the solver, or of the list, and why.

    Small problems are over before a solver has been started. A row of binary linking columns has few values, so an answer of the
    follower becomes a disjunction of few binaries, and a MIP solver's own presolve, cuts and heuristics work on it. A leader that
    bars single columns of an opponent has cuts without disjunctions, which the tree takes.
    """
    sure = position == "pessimistic" and ties_matter(source)
    if not sure and small_boxes(source) is not None:
        return LIST
    relaxation, links = source.relaxation, source.linking()
    binary = bool(((relaxation.lower[links] >= 0) & (relaxation.upper[links] <= 1)).all())
    barring = opposition(source) is not None and _bars(source)
    return TURNS if links.any() and binary and not barring else TREE


def _bars(source: BilevelProgram) -> bool:
    """Whether rows of the follower hold one column of each of the two and nothing else."""
    used = source.relaxation.matrix[np.flatnonzero(source.follower_rows)] != 0
    own = np.asarray(used[:, np.flatnonzero(source.follower)].sum(axis=1)).ravel()
    foreign = np.asarray(used[:, np.flatnonzero(~source.follower)].sum(axis=1)).ravel()
    return bool(((own == 1) & (foreign == 1)).any())
