"""A Pyomo NLP as CasADi functions: Pyomo's .nl writer, CasADi's .nl reader, CasADi's derivatives.

The .nl text is the one format that both sides already speak, and writing it is several times faster than walking the
expressions a second time. No AMPL library is needed.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyomo.common.errors import PyomoException
from pyomo.core.base import SOSConstraint, maximize
from pyomo.repn.plugins.nl_writer import NLWriter

from bilevel_lang.errors import ModelFileError, RefusedError, UsageError
from bilevel_lang.solvers.program import Floats, finite_side, is_integer, uncross
from bilevel_lang.solvers.program_reading import refuse_leftovers, the_objective
from bilevel_lang.solvers.settled import load_module
from bilevel_lang.solvers.solver import Missing

CASADI_MISSING = Missing("casadi is not installed", "pip install 'bilevel-lang[nlp]'")

_UNSMOOTH = {"13": "floor", "14": "ceil", "35": "an if-then-else (Expr_if)"}
_UNREAD = {"47": "atanh", "48": "atan2", "50": "asinh", "52": "acosh"}
"""AMPL operator numbers: of what has no useful derivative, and of what CasADi's reader does not know."""


@dataclass(frozen=True, slots=True)
class Nlp:
    """``min f(x, p)  subject to  row_lower <= g(x, p) <= row_upper,  lower <= x <= upper``, always a minimisation.

    ``variables``, ``parameters`` and ``constraints`` are the Pyomo components behind x, p and g. ``f``, ``g``, ``x`` and ``p``
    are CasADi SX. ``sense`` is -1 where the model maximises, and the model's objective is ``sense * f``.
    ``pinned`` are the rows in which no variable is left: ``pinned_lower <= pinned(p) <= pinned_upper``.
    """

    variables: tuple[Any, ...]
    parameters: tuple[Any, ...]
    constraints: tuple[Any, ...]
    sense: int
    x: Any
    p: Any
    f: Any
    g: Any
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    pinned: Any
    pinned_constraints: tuple[Any, ...]
    pinned_lower: Floats
    pinned_upper: Floats
    contradiction: str | None


def read_nlp(model: Any, parameters: Sequence[Any] = ()) -> Nlp:
    """Translate ``model``; the fixed variables in ``parameters`` stay symbols, all other fixed variables become constants.

    Raises SolverMissingError without CasADi; UsageError for a parameter that is not fixed; RefusedError for integers, SOS
    constraints and functions without derivatives; ModelFileError where the model cannot be evaluated. Leaves the model as it was.
    """
    casadi = load_module("casadi", CASADI_MISSING)
    refuse_leftovers(model)
    _refuse_discrete_constraints(model)
    objective = the_objective(model)
    builder, info = _through_nl(casadi, model, parameters)
    places = {id(v): k for k, v in enumerate(info.variables)}
    held = {id(v) for v in parameters}
    variables = tuple(v for v in info.variables if id(v) not in held)
    _refuse_integers(variables)
    x, p = casadi.SX.sym("x", len(variables)), casadi.SX.sym("p", len(parameters))
    f, g = _expand(casadi, builder, places, (variables, x), (tuple(parameters), p))
    lower, upper, crossed = _bounds(variables)
    free, pinned = _split_rows(casadi, g, x)
    sides = np.array([builder.g_lb, builder.g_ub], dtype=float).reshape(2, len(info.constraints))
    return Nlp(
        variables=variables,
        parameters=tuple(parameters),
        constraints=tuple(info.constraints[k] for k in free),
        sense=-1 if objective is not None and objective.sense == maximize else 1,
        x=x,
        p=p,
        f=f,
        g=_rows(casadi, g, free),
        lower=lower,
        upper=upper,
        row_lower=sides[0, free],
        row_upper=sides[1, free],
        pinned=casadi.Function("pinned", [p], [casadi.densify(_rows(casadi, g, pinned))]),
        pinned_constraints=tuple(info.constraints[k] for k in pinned),
        pinned_lower=sides[0, pinned],
        pinned_upper=sides[1, pinned],
        contradiction=crossed,
    )


def _refuse_discrete_constraints(model: Any) -> None:
    for sos in model.component_data_objects(SOSConstraint, active=True, descend_into=True):
        raise RefusedError(f"ipopt does not take SOS constraints ('{sos.name}')", help="use --solver scip")


def _refuse_integers(variables: Sequence[Any]) -> None:
    for variable in variables:
        if is_integer(variable):
            raise RefusedError(f"ipopt does not take integer variables ('{variable.name}')", help="use --solver scip")


def _through_nl(casadi: Any, model: Any, parameters: Sequence[Any]) -> tuple[Any, Any]:
    """Write the model as .nl, read it back with CasADi: the builder, and Pyomo's record of columns and rows."""
    with tempfile.TemporaryDirectory(prefix="bilevel-lang-") as folder:
        path = os.path.join(folder, "model.nl")
        with open(path, "w", newline="\n", encoding="utf-8") as stream, _unfixed(parameters):
            info = _write(model, stream)
        with open(path, encoding="utf-8") as stream:
            _refuse_operators(stream.read())
        builder = casadi.NlpBuilder()
        try:
            builder.import_nl(path)
        except RuntimeError as error:
            raise RefusedError(
                f"CasADi cannot read the model: {error}", help="use --solver scip, or another NLP solver"
            ) from error
    return builder, info


def _write(model: Any, stream: Any) -> Any:
    # Presolve would drop columns and rows, scaling would change multipliers; rows without variables are judged here, not there.
    try:
        return NLWriter().write(model, stream, linear_presolve=False, scale_model=False, skip_trivial_constraints=False)
    except (PyomoException, ValueError, ArithmeticError, TypeError) as error:
        raise ModelFileError(
            f"the model cannot be evaluated: {error}", help="look for a parameter or fixed variable without value"
        ) from error


@contextmanager
def _unfixed(parameters: Sequence[Any]) -> Iterator[None]:
    """Let the writer see the parameters as variables, for as long as it writes."""
    loose = [v.name for v in parameters if not v.fixed]
    if loose:
        raise UsageError(f"parameters must be fixed variables, and these are not: {', '.join(loose)}", help="fix them first")
    try:
        for variable in parameters:
            variable.fixed = False
        yield
    finally:
        for variable in parameters:
            variable.fixed = True


def _refuse_operators(text: str) -> None:
    used = set(re.findall(r"^o(\d+)$", text, flags=re.MULTILINE))
    for number, name in (_UNSMOOTH | _UNREAD).items():
        if number in used:
            why = "which has no useful derivative" if number in _UNSMOOTH else "which the .nl reader does not know"
            raise RefusedError(
                f"the model holds {name}, {why}", help="write it with smooth functions, or with integers for --solver scip"
            )


def _expand(
    casadi: Any, builder: Any, places: dict[int, int], variables: tuple[Sequence[Any], Any], parameters: tuple[Sequence[Any], Any]
) -> tuple[Any, Any]:
    """Objective and rows as SX in x and p. SX, unlike the reader's MX, makes derivatives cheap."""
    whole: list[Any] = [casadi.SX(0)] * len(builder.x)
    for components, symbols in (variables, parameters):
        for k, component in enumerate(components):
            if id(component) in places:
                whole[places[id(component)]] = symbols[k]
    # The reader leaves out what a model does not have: objective, columns, rows.
    columns = casadi.vertcat(*builder.x) if builder.x else casadi.MX.sym("none", 0)
    objective = casadi.densify(builder.f) if builder.f.numel() else casadi.MX(0)
    body = casadi.densify(casadi.vertcat(*builder.g)) if builder.g else casadi.MX(0, 1)
    function = casadi.Function("nl", [columns], [objective, body])
    f, g = function(casadi.vertcat(*whole) if builder.x else casadi.SX(0, 1))
    return casadi.SX(f), casadi.SX(g)


def _bounds(variables: Sequence[Any]) -> tuple[Floats, Floats, str | None]:
    both = [v.bounds for v in variables]
    lower = np.array([finite_side(b[0], -np.inf) for b in both], dtype=float)
    upper = np.array([finite_side(b[1], np.inf) for b in both], dtype=float)
    return lower, upper, uncross(lower, upper, lambda j: f"variable '{variables[j].name}'")


def _split_rows(casadi: Any, g: Any, x: Any) -> tuple[list[int], list[int]]:
    """The rows with a variable in them, and those without."""
    if g.shape[0] == 0:
        return [], []
    touched = set(casadi.jacobian_sparsity(g, x).row())
    free = [k for k in range(g.shape[0]) if k in touched]
    return free, [k for k in range(g.shape[0]) if k not in touched]


def _rows(casadi: Any, g: Any, chosen: Sequence[int]) -> Any:
    return casadi.vertcat(*[g[k] for k in chosen]) if chosen else casadi.SX(0, 1)
