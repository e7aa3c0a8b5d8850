"""Which scenario leaves a stochastic program without an answer, or without limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.recourse import all_second, recourse_at
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination

Name = Callable[[int], str]
"""From a scenario's number (from 0) to what the user calls it."""

SHOWN = 3
"""Variables that a hint names."""

_NONE = (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED)


def why_infeasible(arrays: TwoStageArrays, name: Name, seconds: float, columns: Sequence[str] = ()) -> str | None:
    """A sentence that says what contradicts what; None where there was no time (``seconds``) to find out.

    ``arrays`` are those of the model, without measures of risk and chance constraints; ``columns`` (n1,) are the names of the
    first stage's variables.
    """
    until = time.perf_counter() + seconds
    if _ended(_without_cost(arrays.first), until) in _NONE:
        return "the rows of the first stage contradict each other, whatever the scenario"
    nothing = _indifferent(arrays)
    alone = recourse_at(all_second(nothing), np.zeros(0), until).values
    stuck = np.flatnonzero(np.isinf(alone))
    if stuck.size:
        others = f" (and {stuck.size - 1} others)" if stuck.size > 1 else ""
        return f"scenario {name(int(stuck[0]))}{others} has no answer, whatever the first stage decides"
    if np.isnan(alone).any():
        return None
    found = _together(nothing, name, until)
    return None if found is None else found + _forgotten(arrays, columns)


def why_unbounded(arrays: TwoStageArrays, name: Name, seconds: float) -> str | None:
    """A sentence that says what improves without end; None where there was no time to find out."""
    until = time.perf_counter() + seconds
    values = recourse_at(all_second(arrays), np.zeros(0), until).values
    endless = np.flatnonzero(np.isinf(values) & (arrays.sense * values < 0))
    if endless.size:
        others = f" (and {endless.size - 1} others)" if endless.size > 1 else ""
        return f"scenario {name(int(endless[0]))}{others}, solved by itself, improves without end: give its variables bounds"
    return None


def _together(arrays: TwoStageArrays, name: Name, until: float) -> str | None:
    """The first scenario that has no answer beside those before it, by bisection."""
    feasible, stuck = 1, arrays.scenarios
    if _ended(extensive_form(arrays), until) not in _NONE:
        return None
    while stuck - feasible > 1:
        middle = (feasible + stuck) // 2
        part = arrays.restricted(np.arange(middle), np.ones(middle))
        ended = _ended(extensive_form(part), until)
        if ended in _NONE:
            stuck = middle
        elif ended is Termination.OPTIMAL:
            feasible = middle
        else:
            return None
    before = f"scenario {name(0)}" if stuck == 2 else f"the {stuck - 1} scenarios before it"
    said = f"no decision of the first stage suits both scenario {name(stuck - 1)} and {before}"
    return f"{said}; each scenario by itself has an answer"


def _forgotten(arrays: TwoStageArrays, columns: Sequence[str]) -> str:
    """A hint at variables that may belong to the second stage: no row of the first one holds them."""
    nowhere = np.bincount(arrays.first.matrix.tocsr().indices, minlength=len(arrays.first.lower)) == 0
    late = np.bincount(arrays.technology.tocsr().indices, minlength=len(arrays.first.lower)) > 0
    suspects = [columns[k] for k in np.flatnonzero(nowhere & late).tolist() if k < len(columns)]
    if not suspects:
        return ""
    shown = ", ".join(f"`{s}`" for s in suspects[:SHOWN]) + (", ..." if len(suspects) > SHOWN else "")
    return (
        f"; {shown} of stage 1 {'are' if len(suspects) > 1 else 'is'} in rows of stage 2 alone: if decided there, list as stage 2"
    )


def _indifferent(arrays: TwoStageArrays) -> TwoStageArrays:
    """The same rows without costs, so that nothing is unbounded."""
    varying = {slot: v for slot, v in arrays.varying.items() if slot not in ("cost", "first_cost", "constant")}
    zero = np.zeros(len(arrays.lower))
    first = _without_cost(arrays.first)
    return replace(
        arrays, first=first, first_cost=0.0 * arrays.first_cost, cost=zero, constant=0.0, varying=varying, couplings=()
    )


def _without_cost(program: MatrixProgram) -> MatrixProgram:
    return replace(program, cost=np.zeros(program.columns))


def _ended(program: MatrixProgram, until: float) -> Termination:
    left = until - time.perf_counter()
    if left <= 0:
        return Termination.LIMIT
    return Highs().run_matrix(program, SolverOptions(time_limit=left)).termination
