"""What every rewrite and every encoding must keep to, whatever the problem: one call checks it all.

check_rewrite(Kkt(), problem)               the rewrite alone
check_rewrite(Kkt(), problem, "sos1")       with an encoding, solved, recovered and verified
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables
from pyomo.mpec import Complementarity

import bilevel_lang as bl
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Rewrite
from bilevel_lang.solution import Exactness
from bilevel_lang.verification import verify

KINDS = (pyo.Var, pyo.Constraint, pyo.Objective, pyo.SOSConstraint, Complementarity)


def state(model: Any) -> list[Any]:
    """Everything that a rewrite could spoil in the modeller's model: components, values, bounds, marks, texts."""
    names = [c.name for c in model.component_objects()]
    variables = [(v.name, v.value, v.stale, v.fixed, v.bounds, v.domain.name) for v in model.component_data_objects(pyo.Var)]
    active = [(c.name, c.ctype.__name__, c.active) for c in model.component_data_objects(KINDS[1:])]
    blocks = [(b.name, b.active) for b in model.block_data_objects()]
    return [names, variables, active, blocks, text_of(model)]


def text_of(model: Any) -> str:
    """The model as ``pprint`` shows it."""
    out = io.StringIO()
    model.pprint(ostream=out)
    return out.getvalue()


def check_rewrite(
    rewrite: Rewrite,
    build: Callable[[], tuple[Any, str]],
    encoding: str | None = None,
    *,
    objective: float | None = None,
    values: dict[str, float] | None = None,
    tolerance: float = 1e-5,
    **options: Any,
) -> Reformulation:
    """Rewrite (and with ``encoding`` encode and solve) what ``build`` gives; assert what must hold of any rewrite.

    ``objective`` and ``values`` are the known answer; a method that promises less than ``exact`` may stay above it. Returns the
    reformulation.
    """
    wanted = Options(encoding=encoding, **options)
    problem, before, made = _twice(rewrite, build, wanted, encoding)
    assert state(problem.model) == before, "the modeller's model was touched"
    _check_records(problem, made)
    _check_origins(problem, made, encoding)
    if encoding is not None:
        _check_answer(problem, made, wanted, objective, values or {}, tolerance)
    return made


def _twice(
    rewrite: Rewrite, build: Callable[[], tuple[Any, str]], wanted: Options, encoding: str | None
) -> tuple[BilevelProblem, list[Any], Reformulation]:
    """Rewrite two copies of the model: the texts must agree, and the second result is given back."""
    texts = []
    for _ in range(2):
        model, annotation = build()
        before = state(model)
        problem = bl.resolve(model, annotation)
        assert state(model) == before, "resolve touched the model"
        verdict = rewrite.accepts(problem, wanted)
        assert isinstance(verdict, Accepted), verdict
        assert verdict.reason
        made = rewrite.apply(problem, wanted)
        if encoding is not None:
            made = rewrite.encode(made, wanted)
        texts.append(text_of(made.model))
    assert texts[0] == texts[1], "the rewrite is not deterministic"
    return problem, before, made


def _check_records(problem: BilevelProblem, made: Reformulation) -> None:
    assert made.problem is problem
    assert made.model is not problem.model
    originals = list(problem.model.component_data_objects(pyo.Var))
    assert [v.name for v in made.variables] == [v.name for v in originals], "a variable has no way back"
    for original, twin in made.variables.items():
        assert twin.model() is made.model, f"{original.name} leads to another model"
        assert twin is not original
        assert (twin.name, twin.domain.name, twin.fixed) == (original.name, original.domain.name, original.fixed)
    objectives = list(made.model.component_data_objects(pyo.Objective, active=True))
    penalised = sum(o.local_name == "penalised" for o in objectives)  # stands in the place of the leader's, or alone
    assert len(objectives) == max(penalised, 0 if problem.leader.objective is None else 1)
    _check_closed(made.model)


def _check_closed(model: Any) -> None:
    """No expression of the rewritten model refers to a variable of another model."""
    for component in model.component_data_objects((pyo.Constraint, pyo.Objective), active=True):
        for variable in _variables(component):
            assert variable.model() is model, f"{component.name} refers to {variable.name} of another model"


def _variables(component: Any) -> list[Any]:
    expression = component.body if component.ctype is pyo.Constraint else component.expr
    return [] if expression.__class__ in (int, float) else list(identify_variables(expression, include_fixed=True))


def _check_origins(problem: BilevelProblem, made: Reformulation, encoding: str | None) -> None:
    """Generated components say where they come from, and what is reported belongs to rows of agents."""
    rows = {row.name for agent in problem.agents for row in agent.rows}
    owned = {v.name for agent in problem.agents for v in agent.variables}
    # What is new in the model: a block of that name may have been there before.
    new = [
        b for b in made.model.component_objects(pyo.Block, descend_into=False) if problem.model.component(b.local_name) is None
    ]
    assert [b.local_name for b in new if not b.local_name.startswith(("kkt", "encoding"))] == []
    for block in (b for b in new if b.local_name.startswith("kkt")):
        if not problem.agents:
            assert len(list(block.component_objects())) == 0
            continue
        assert set(block.stationarity) <= owned
        assert {str(k).removesuffix(".lower").removesuffix(".upper") for k in block.multiplier} <= rows
        assert {str(k).rpartition(".")[0] for k in block.bound_multiplier} <= owned
    assert {m.name for m in made.multipliers} <= rows
    assert made.encoding in (None, encoding)
    if encoding is not None:
        assert list(conditions(made.model)) == [], "a complementarity is left over"


def _check_answer(
    problem: BilevelProblem,
    made: Reformulation,
    wanted: Options,
    objective: float | None,
    values: dict[str, float],
    tolerance: float,
) -> None:
    run = made.run(wanted)
    assert run.has_solution, (run.termination, run.message)
    point = made.recover(run)
    assert all(v.model() is problem.model for v in point.values), "the point is not on the modeller's variables"
    certificate = verify(problem, point)
    assert certificate.verified, certificate.remarks
    exact = made.exactness in (Exactness.EXACT, Exactness.RELAXATION)
    if objective is not None:
        assert run.objective is not None
        sense = -1.0 if problem.leader.objective.sense == pyo.maximize else 1.0
        worse = sense * (run.objective - objective)
        assert worse >= -tolerance * max(1.0, abs(objective)), "better than the known optimum"
        assert not exact or worse <= tolerance * max(1.0, abs(objective)), (
            "promises to be exact and is worse than the known optimum"
        )
    by_name = {v.name: value for v, value in point.values.items()}
    if exact or objective is None:
        for name, value in values.items():
            assert abs(by_name[name] - value) <= 100 * tolerance, (name, by_name[name], value)
