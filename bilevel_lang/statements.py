"""Which statements of the language a problem carries, beyond a leader and followers that optimise: the one table of them.

Every reader of problems names those that it knows; what is added to the language later is unknown to all until they learn it.
"""

from __future__ import annotations

from collections.abc import Callable

from bilevel_lang.problem import BilevelProblem

STATEMENTS: dict[str, Callable[[BilevelProblem], bool]] = {
    "dualvar": lambda problem: bool(problem.dual_maps),
    "vi": lambda problem: any(
        agent.kind == "vi" for agent in problem.agents if agent.name not in {k.agent for k in problem.links}
    ),
    "qvi": lambda problem: bool(problem.links),
    "visol": lambda problem: any(row.common for row in problem.shared_rows),
    "sharedequ": lambda problem: any(not row.common for row in problem.shared_rows),
    "implicit": lambda problem: bool(problem.state_variables),
    "disjunction": lambda problem: bool(problem.disjunctions),
    "stage": lambda problem: problem.stochastic is not None,
    "adjustequ": lambda problem: problem.softening is not None and bool(problem.softening.rows),
}
"""Statement -> whether a problem has it. ``adjustequ`` leaves ordinary rows and variables, in a clone of the model."""


def unknown_statement(problem: BilevelProblem, *known: str) -> str | None:
    """The first statement that ``problem`` carries and that is not in ``known``; None without."""
    return next((word for word, carries in STATEMENTS.items() if word not in known and carries(problem)), None)
