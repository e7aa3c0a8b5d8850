"""The last digits of an answer whose followers are flat at their optimum.

A stationarity row such as ``4 (y - x)**3 = 0`` that holds to 1e-7 leaves y free by 3e-3, and a leader takes what it is given: the
objective of a proof within tolerances may be off by a thousandth. On one piece, from a point that is all but right, Ipopt can be
asked for 1e-13; each step takes a third off the error, so that it gets there.
Accepts: a compiled piece and its solution. Produces: the sharper solution, or the same where none was found nearby.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.features import features_of
from bilevel_lang.solvers.ipopt import CompiledNlp, NlpResult
from bilevel_lang.solvers.solver import Feature

SHARP: dict[str, str | int | float | bool] = {
    "tol": 1e-12,
    "constr_viol_tol": 1e-13,
    "compl_inf_tol": 1e-10,
    "acceptable_tol": 1e-10,
    "acceptable_constr_viol_tol": 1e-12,
    "bound_relax_factor": 0.0,
    "mu_init": 1e-8,
    "max_iter": 100,
}
"""Ipopt's options for it; ``mu_init`` keeps it near the start."""

VIOLATED = 1e-11
"""What rows of a sharper point may miss, relative to max(1, |side|)."""

ELSEWHERE = 0.05
"""An objective that changes by more, relative to max(1, |objective|), belongs to another point."""

SECONDS = 2.0
"""What it may take."""


def may_be_flat(model: Any) -> bool:
    """Whether rows are curved beyond quadratics: a quadratic objective has linear stationarity, which is never flat."""
    return Feature.NONLINEAR in features_of(model)


def sharpened(nlp: CompiledNlp, result: NlpResult, options: Options) -> NlpResult:
    """``result`` solved on to :data:`SHARP`; itself where that fails or leads elsewhere."""
    if not result.solved:
        return result
    found = nlp.solve(result.x, options=replace(options, solver_options=SHARP).for_solver(SECONDS))
    near = abs(found.objective - result.objective) <= ELSEWHERE * max(1.0, abs(result.objective))
    return found if found.solved and found.violation <= VIOLATED and near else result
