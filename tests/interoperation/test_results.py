from __future__ import annotations

import dataclasses
import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap
from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition
from pyomo.contrib.solver.common.util import NoDualsError, NoReducedCostsError, NoSolutionError
from pyomo.opt import check_optimal_termination

import bilevel_lang as bl
from bilevel_lang.interoperation.results import PointLoader, results_of
from bilevel_lang.solution import BilevelSolution, Status
from bilevel_lang.solvers.solver import Termination
from tests.interoperation.models import tax, two_followers

PROBLEM = bl.resolve(*tax()[:2])
CERTIFICATE = bl.verify(*tax()[:2], {"tax": 3, "output": 5})


def solution(status: Status, termination: str = "failed", point: bool = True, verified: bool = True, **fields: Any) -> Any:
    """A solution of the tax model as far as its verdicts go."""
    values = ComponentMap((v, 3.0 if v.name == "tax" else 5.0) for v in PROBLEM.model.component_data_objects(pyo.Var))
    given: dict[str, Any] = dict.fromkeys(f.name for f in dataclasses.fields(BilevelSolution))
    given |= {"seconds": {}, "messages": (), "objective": 3.0 if point else None}
    given |= {"status": status, "termination": termination, "point": bl.Point(values) if point else None}
    given["certificate"] = dataclasses.replace(CERTIFICATE, verified=verified) if point else None
    return BilevelSolution(**(given | fields))


def verdict(found: Any, time_limited: bool = False) -> tuple[str, str]:
    results = results_of(PROBLEM, found, time_limited)
    return results.termination_condition.name, results.solution_status.name


@pytest.mark.parametrize("point", [True, False])
@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("termination", list(Termination), ids=lambda t: t.name)
@pytest.mark.parametrize("status", list(Status), ids=lambda s: s.name)
def test_only_the_status_optimal_is_optimal(status: Status, termination: Termination, verified: bool, point: bool) -> None:
    results = results_of(PROBLEM, solution(status, termination.value, point, verified), time_limited=True)
    assert check_optimal_termination(results) == (status is Status.OPTIMAL and point)
    claims_feasible = results.solution_status in (SolutionStatus.feasible, SolutionStatus.optimal)
    if status is not Status.OPTIMAL:
        assert claims_feasible == (point and verified)
    if status not in (Status.OPTIMAL, Status.FEASIBLE):
        assert results.termination_condition is not TerminationCondition.convergenceCriteriaSatisfied
    assert (results.incumbent_objective is not None) == claims_feasible


def test_the_words_of_each_status() -> None:
    good = ("convergenceCriteriaSatisfied", "optimal")
    assert verdict(solution(Status.OPTIMAL, "optimal")) == good
    assert verdict(solution(Status.FEASIBLE, "locally optimal")) == ("convergenceCriteriaSatisfied", "feasible")
    assert verdict(solution(Status.VERIFICATION_FAILED, "optimal", verified=False)) == ("unknown", "unknown")
    assert verdict(solution(Status.INFEASIBLE, "infeasible", point=False)) == ("provenInfeasible", "noSolution")
    assert verdict(solution(Status.UNBOUNDED, "unbounded", point=False)) == ("unbounded", "noSolution")
    assert verdict(solution(Status.UNKNOWN, "infeasible", point=False)) == ("locallyInfeasible", "noSolution")
    assert verdict(solution(Status.UNKNOWN, "infeasible or unbounded", point=False)) == ("infeasibleOrUnbounded", "noSolution")
    assert verdict(solution(Status.LIMIT, "limit"), time_limited=True) == ("maxTimeLimit", "feasible")
    assert verdict(solution(Status.LIMIT, "limit", point=False)) == ("iterationLimit", "noSolution")
    assert verdict(solution(Status.INTERRUPTED, "interrupted", verified=False)) == ("interrupted", "unknown")
    assert verdict(solution(Status.ERROR, point=False)) == ("error", "noSolution")


def test_a_bound_that_is_not_there_is_infinite_on_the_right_side() -> None:
    assert results_of(PROBLEM, solution(Status.FEASIBLE), False).objective_bound == -math.inf
    model, annotation, _ = tax()
    model.burden.sense = pyo.maximize
    assert results_of(bl.resolve(model, annotation), solution(Status.FEASIBLE), False).objective_bound == math.inf
    assert results_of(PROBLEM, solution(Status.OPTIMAL, bound=2.5), False).objective_bound == 2.5


def test_an_equilibrium_has_no_bound() -> None:
    model, annotation, _ = two_followers()
    model.x.fix(8)
    model.upper.deactivate()
    model.f2 = pyo.Expression(expr=model.f)
    problem = bl.resolve(model, annotation.replace("bilevel x", "equilibrium"))
    assert results_of(problem, solution(Status.OPTIMAL), False).objective_bound is None


@pytest.fixture
def loader() -> PointLoader:
    model, annotation, _ = two_followers()
    problem = bl.resolve(model, annotation)
    return PointLoader(problem, bl.solve(model, annotation))


def test_the_loader_gives_values_multipliers_and_reduced_costs(loader: PointLoader) -> None:
    model = loader.problem.model
    assert loader.get_solution_ids() == [None]
    values = {v.name: value for v, value in loader.get_vars().items()}
    assert values == pytest.approx({"x": 8, "y": 6, "z": 6}, abs=1e-5)
    duals = {row.name: value for row, value in loader.get_duals().items()}
    assert duals == pytest.approx({"between": -4, "least": 0}, abs=1e-4)
    assert dict(loader.get_duals([model.between]).items()) == {model.between: duals["between"]}
    assert [v.name for v in loader.get_vars([model.z])] == ["z"]
    assert {v.name: cost for v, cost in loader.get_reduced_costs().items()} == pytest.approx({"y": 0, "z": 0}, abs=1e-4)


def test_the_answer_of_a_problem_with_soft_rows_is_on_the_modellers_components() -> None:
    """With weight 1 each unit of z below 4 costs 1, and of (z - y)^2 at least that: at y = 2, z = 2.5."""
    model, annotation, _ = two_followers()
    model.x.fix(2)
    annotation = annotation.replace("bilevel x", "equilibrium") + "\nadjustequ least abs 1"
    model.upper.deactivate()
    found = PointLoader(bl.resolve(model, annotation), bl.solve(model, annotation))
    assert all(v.model() is model for v in found.get_vars())
    assert found.get_vars()[model.z] == pytest.approx(2.5, abs=1e-5)
    assert found.get_duals()[model.least] == pytest.approx(1, abs=1e-5)
    assert {v.name for v in found.get_reduced_costs()} == {"y", "z"}


def test_the_loader_says_what_it_has_not(loader: PointLoader) -> None:
    model = loader.problem.model
    with pytest.raises(NoReducedCostsError, match="`x` has no reduced cost"):
        loader.get_reduced_costs([model.x])
    model.own = pyo.Constraint(expr=model.x <= 9)
    with pytest.raises(NoDualsError, match="`own` has no multiplier"):
        loader.get_duals([model.own])
    empty = PointLoader(PROBLEM, solution(Status.INFEASIBLE, point=False))
    assert empty.get_solution_ids() == []
    for ask in (empty.get_vars, empty.get_duals, empty.get_reduced_costs):
        with pytest.raises(NoSolutionError, match="infeasible"):
            ask()
