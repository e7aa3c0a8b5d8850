from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.errors import ApplicationError
from pyomo.contrib.solver.common.base import Availability
from pyomo.contrib.solver.common.factory import SolverFactory as NewFactory
from pyomo.contrib.solver.common.results import SolutionStatus, TerminationCondition
from pyomo.contrib.solver.common.util import NoFeasibleSolutionError, NoOptimalSolutionError
from pyomo.opt import SolverStatus, assert_optimal_termination, check_optimal_termination
from pyomo.opt import TerminationCondition as ClassicCondition

from bilevel_lang import SolverMissingError, UsageError, __version__
from bilevel_lang.interoperation.solver import BilevelSolver
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Missing
from tests.interoperation.models import ALL, nonconvex, tax, two_followers

CASES = pytest.mark.parametrize("build", ALL, ids=[build.__name__ for build in ALL])
Build = Callable[[], tuple[Any, str, float]]


def infeasible() -> tuple[Any, str]:
    model, annotation, _ = tax()
    model.output.setlb(7)  # above the capacity
    return model, annotation


def values(model: Any) -> list[Any]:
    return [(v.value, v.stale) for v in model.component_data_objects(pyo.Var)]


# --- The known answers, in both interfaces.


@CASES
def test_the_new_interface(build: Build) -> None:
    model, annotation, optimum = build()
    results = NewFactory("bilevel").solve(model, annotation=annotation)
    assert_optimal_termination(results)
    assert results.termination_condition is TerminationCondition.convergenceCriteriaSatisfied
    assert results.incumbent_objective == pytest.approx(optimum, abs=1e-5)
    assert results.objective_bound == pytest.approx(optimum, abs=1e-4)
    assert pyo.value(next(model.component_data_objects(pyo.Objective, active=True))) == pytest.approx(optimum, abs=1e-5)
    assert results.extra_info.verified is True


@CASES
def test_the_classic_interface(build: Build) -> None:
    model, annotation, optimum = build()
    results = pyo.SolverFactory("bilevel").solve(model, annotation=annotation)
    assert_optimal_termination(results)
    assert (results.solver.status, results.solver.termination_condition) == (SolverStatus.ok, ClassicCondition.optimal)
    assert results.problem.upper_bound == pytest.approx(optimum, abs=1e-5)
    assert results.problem.lower_bound == pytest.approx(optimum, abs=1e-4)
    assert pyo.value(next(model.component_data_objects(pyo.Objective, active=True))) == pytest.approx(optimum, abs=1e-5)


def test_what_the_results_tell() -> None:
    model, annotation, _ = tax()
    before = datetime.now(timezone.utc)
    results = NewFactory("bilevel").solve(model, annotation=annotation, encoding="sos1", rel_gap=1e-6)
    assert (results.solver_name, results.solver_version) == ("bilevel", tuple(int(p) for p in __version__.split(".")))
    assert before <= results.timing_info.start_timestamp <= datetime.now(timezone.utc)
    stages = [results.timing_info[stage] for stage in ("parse", "resolve", "reformulate", "solve", "verify")]
    assert 0 < sum(stages) == pytest.approx(results.timing_info.total)
    assert results.timing_info.total <= results.timing_info.wall_time
    told = results.extra_info
    assert (told.status, told.exactness, told.method, told.encoding) == ("optimal", "exact", "kkt", "sos1")
    assert told.bilevel_solution.followers[0].verified
    assert (results.solver_config.rel_gap, results.solver_config.encoding) == (1e-6, "sos1")


def test_suffixes_are_filled_in_both_interfaces() -> None:
    for factory in (NewFactory, pyo.SolverFactory):
        model, annotation, _ = two_followers()
        model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        model.rc = pyo.Suffix(direction=pyo.Suffix.IMPORT)
        model.dual[model.upper] = 99.0  # of an earlier solve
        factory("bilevel").solve(model, annotation=annotation)
        assert {c.name: v for c, v in model.dual.items()} == pytest.approx({"between": -4, "least": 0}, abs=1e-4)
        assert {c.name: v for c, v in model.rc.items()} == pytest.approx({"y": 0, "z": 0}, abs=1e-4)


def test_an_mpec_made_by_the_transformation_is_solved_with_an_empty_annotation() -> None:
    model, annotation, optimum = two_followers()
    pyo.TransformationFactory("bilevel.kkt").apply_to(model, annotation=annotation)
    results = NewFactory("bilevel").solve(model, annotation="")
    assert results.incumbent_objective == pytest.approx(optimum, abs=1e-5)


# --- Loading, or not.


def test_without_load_solutions_the_model_keeps_its_values() -> None:
    model, annotation, optimum = tax()
    before = values(model)
    results = NewFactory("bilevel").solve(model, annotation=annotation, load_solutions=False)
    assert values(model) == before
    assert results.incumbent_objective == pytest.approx(optimum)
    results.solution_loader.load_vars()
    assert (model.tax.value, model.output.value) == (pytest.approx(3), pytest.approx(5))


def test_the_classic_results_can_be_loaded_later() -> None:
    model, annotation, _ = tax()
    results = pyo.SolverFactory("bilevel").solve(model, annotation=annotation, load_solutions=False)
    assert model.tax.value is None
    model.solutions.load_from(results)
    assert model.tax.value == pytest.approx(3)


@pytest.mark.parametrize("build", [infeasible, nonconvex], ids=["infeasible", "not verified"])
def test_what_is_no_solution_is_never_loaded(build: Callable[[], tuple[Any, str]]) -> None:
    for solver, error in (
        (NewFactory("bilevel"), NoOptimalSolutionError),
        (NewFactory("bilevel", raise_exception_on_nonoptimal_result=False), NoFeasibleSolutionError),
        (pyo.SolverFactory("bilevel"), NoFeasibleSolutionError),
    ):
        model, annotation = build()
        before = values(model)
        with pytest.raises(error, match=r"the status is (infeasible|verification_failed)"):
            solver.solve(model, annotation=annotation, method="kkt")
        assert values(model) == before


def test_a_failed_verification_never_looks_optimal() -> None:
    looking = {"raise_exception_on_nonoptimal_result": False, "load_solutions": False}
    model, annotation = nonconvex()
    new = NewFactory("bilevel").solve(model, annotation=annotation, method="kkt", **looking)
    assert new.extra_info.status == "verification_failed"
    assert not check_optimal_termination(new)
    assert (new.solution_status, new.incumbent_objective) == (SolutionStatus.unknown, None)
    classic = pyo.SolverFactory("bilevel").solve(model, annotation=annotation, method="kkt", **looking)
    assert not check_optimal_termination(classic)
    assert classic.solver.termination_condition == ClassicCondition.unknown
    assert "verification_failed" in classic.solver.termination_message
    # Whoever asks for the point gets it.
    assert {v.name for v in new.solution_loader.get_vars()} == {"x", "y"}


def test_infeasible_is_told_in_both_interfaces() -> None:
    looking = {"raise_exception_on_nonoptimal_result": False, "load_solutions": False}
    model, annotation = infeasible()
    new = NewFactory("bilevel").solve(model, annotation=annotation, **looking)
    assert new.termination_condition is TerminationCondition.provenInfeasible
    classic = pyo.SolverFactory("bilevel").solve(model, annotation=annotation, **looking)
    assert classic.solver.termination_condition == ClassicCondition.infeasible


def test_a_local_answer_is_feasible_not_optimal() -> None:
    model, annotation, optimum = tax()
    pytest.importorskip("cyipopt")
    new = NewFactory("bilevel").solve(model, annotation=annotation, encoding="scholtes")
    assert (new.termination_condition.name, new.solution_status.name) == ("convergenceCriteriaSatisfied", "feasible")
    assert new.incumbent_objective == pytest.approx(optimum, abs=1e-4)
    assert model.tax.value == pytest.approx(optimum, abs=1e-4)
    classic = pyo.SolverFactory("bilevel").solve(model, annotation=annotation, encoding="scholtes")
    assert classic.solver.termination_condition == ClassicCondition.feasible
    assert not check_optimal_termination(classic)


# --- Options.


def test_every_option_of_ours_is_one_of_the_solver() -> None:
    renamed = {"gap": "rel_gap", "verbose": "tee"}
    assert [f.name for f in dataclasses.fields(Options) if renamed.get(f.name, f.name) not in BilevelSolver.CONFIG] == []
    assert BilevelSolver().config.starts == Options().starts


def test_options_of_a_call_hold_for_the_call_and_those_of_the_solver_stay() -> None:
    model, annotation, _ = tax()
    for solver in (NewFactory("bilevel", annotation=annotation), pyo.SolverFactory("bilevel", annotation=annotation)):
        solver.config.time_limit = 30
        solver.solve(model, encoding="sos1", solver_options={"limits/nodes": 1000})
        assert (solver.config.encoding, solver.config.time_limit, dict(solver.config.solver_options)) == (None, 30, {})
        assert solver.config.annotation == annotation


def test_classic_options_reach_the_subsolver() -> None:
    model, annotation, _ = tax()
    solver = pyo.SolverFactory("bilevel", annotation=annotation)
    solver.options["no/such/option"] = 1
    with pytest.raises(UsageError, match="no/such/option"):
        solver.solve(model)


def test_the_subsolver_in_the_name() -> None:
    model, annotation, _ = tax()
    solver = pyo.SolverFactory("bilevel:scip")
    assert solver.config.solver == "scip"
    assert_optimal_termination(solver.solve(model, annotation=annotation))
    with pytest.raises(UsageError, match="no option 'a=b'"):
        solver.set_options("a=b")


def test_calls_that_make_no_sense() -> None:
    model, annotation, _ = tax()
    with pytest.raises(UsageError, match="needs an annotation"):
        NewFactory("bilevel").solve(model)
    with pytest.raises(UsageError, match="needs an annotation"):
        pyo.SolverFactory("bilevel").solve(model)
    with pytest.raises(UsageError, match="writes no files"):
        NewFactory("bilevel").solve(model, annotation=annotation, working_dir=".")
    with pytest.raises(ValueError, match="encodng"):
        NewFactory("bilevel").solve(model, annotation=annotation, encodng="sos1")
    with pytest.raises(TypeError, match="encodng"):
        pyo.SolverFactory("bilevel").solve(model, annotation=annotation, encodng="sos1")


def test_tee(capsys: pytest.CaptureFixture[str]) -> None:
    model, annotation, _ = tax()
    kept = io.StringIO()
    results = NewFactory("bilevel").solve(model, annotation=annotation, solver="scip", tee=kept)
    assert "SCIP Status" in kept.getvalue()
    assert results.solver_log == kept.getvalue()
    assert capsys.readouterr() == ("", "")
    pyo.SolverFactory("bilevel").solve(model, annotation=annotation, solver="scip", tee=True)
    shown = capsys.readouterr()
    assert "SCIP Status" in shown.out
    assert shown.err == ""
    assert NewFactory("bilevel").solve(model, annotation=annotation, solver="scip").solver_log == ""
    assert capsys.readouterr() == ("", "")


# --- Availability.


def test_available_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = NewFactory("bilevel")
    assert solver.available() is Availability.FullLicense
    assert solver.version() == tuple(int(part) for part in __version__.split("."))
    monkeypatch.setattr(Highs, "missing", lambda self: Missing("gone", "bring it back"))
    assert solver.available()
    assert not NewFactory("bilevel", solver="highs").available()
    monkeypatch.setattr(Scip, "missing", lambda self: Missing("gone", "bring it back"))
    assert solver.available() is Availability.NotFound
    classic = pyo.SolverFactory("bilevel")
    assert classic.available(exception_flag=False) is False
    with pytest.raises(ApplicationError, match='Solver "bilevel" is not available'):
        classic.available()


def test_a_missing_solver_keeps_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyscipopt", None)
    model, annotation, _ = tax()
    with pytest.raises(SolverMissingError, match="pip install"):
        NewFactory("bilevel").solve(model, annotation=annotation, encoding="sos1")
