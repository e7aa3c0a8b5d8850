"""The contract of an encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bilevel_lang.reformulation.complementarity.homotopy import Starter
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import Solver, SolverRun


@dataclass(frozen=True, eq=False)
class Encoded:
    """A model without complementarities: how to solve it, and what the encoding adds to the promises.

    ``exactness`` EXACT: the encoded model has the same solutions as the MPEC. ``notes`` are for the user (provenance of every
    bound). What ``run`` finds out against its own answer is in the run's ``doubts``.
    """

    exactness: Exactness
    run: Callable[[Solver, Options], SolverRun]
    notes: tuple[str, ...] = ()


class Encoding(Protocol):
    """One encoding. Holds no state."""

    name: str
    """As the user writes it after ``--encoding``."""
    solver: str
    """The solver it is meant for where the user names none."""

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """Replace every active complementarity of ``model``, in place. Raises RefusedError with reason and remedy.

        ``starter`` writes start values into the model's variables, for methods that want several.
        """


def run_once(model: Any) -> Callable[[Solver, Options], SolverRun]:
    """The ordinary way to solve an encoded model: once."""
    return lambda solver, options: solver.run(model, options.for_solver())
