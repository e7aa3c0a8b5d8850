"""Which engine a problem goes to where nobody asks for one."""

from __future__ import annotations

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.opposition import opposition

TREE = "scip", "one tree, with the follower's answers in it"
LOOP = "highs", "the linking variables are binary, so disjunctions are small: the relaxation again and again, with more of them"


def chosen_engine(source: BilevelProgram) -> tuple[str, str]:
    """The solver's name, and why.

    A row of binary linking columns has few values, so an answer of the follower becomes a disjunction of few binaries, and a MIP
    solver's own presolve, cuts and heuristics work on it. Opponents have cuts without disjunctions, which the tree takes.
    """
    relaxation, links = source.relaxation, source.linking()
    binary = bool(((relaxation.lower[links] >= 0) & (relaxation.upper[links] <= 1)).all())
    return LOOP if links.any() and binary and opposition(source) is None else TREE
