from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.stochastic import method
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor


def test_highs_and_scip_agree() -> None:
    answers = [bl.solve(farmer(), FARMER, solver=solver) for solver in ("highs", "scip")]
    assert [a.solver.split()[0].lower() for a in answers] == ["highs", "scip"]
    assert answers[0].objective == pytest.approx(answers[1].objective)


def test_the_path_says_how_large_the_extensive_form_is() -> None:
    why = bl.solve(newsvendor(), THREE + LATE).why
    assert any(line.startswith("chosen    extensive-form: two stages, 1 random parameters") for line in why)
    assert any("3 scenarios make 10 columns, 6 rows" in line for line in why)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoding": "sos1"}, "no conditions to encode"),
        ({"position": "pessimistic"}, "no follower"),
        ({"solver": "ipopt"}, "does not take arrays"),
        ({"method": "kkt"}, "it knows no scenarios"),
        ({"implicit": "replication"}, "there is no state variable"),
        ({"starts": 3}, "no local search"),
        ({"starts": 3, "method": "nn-embed"}, "no local search"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        bl.solve(newsvendor(), THREE + LATE, **options)


def test_options_of_stochastic_programs_are_not_ignored_elsewhere() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x)
    for name in ("scenarios", "evaluate"):
        with pytest.raises(UsageError, match=f"option `{name}` goes with stochastic programs"):
            bl.solve(m, "", **{name: 10})


def test_counts_are_whole_numbers() -> None:
    with pytest.raises(UsageError, match=r"option `scenarios` is a whole number, not 10\.5"):
        bl.solve(newsvendor(), THREE + LATE, scenarios=10.5)
    with pytest.raises(UsageError, match="option `evaluate` must be >= 2"):
        bl.solve(newsvendor(), THREE + LATE, evaluate=1)
    with pytest.raises(UsageError, match="option `scenarios` must be <= 1,000,000, not 2,000,001"):
        bl.solve(newsvendor(), THREE + LATE, scenarios=2_000_001)


def test_a_large_extensive_form_is_told_before_it_is_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "LARGE", 30)
    few, many = (bl.solve(newsvendor(), THREE + LATE, scenarios=n, time_limit=20).messages for n in (5, 20))
    assert not any("solved together" in said for said in few)
    assert any("20 scenarios make 61 columns and 40 rows, which are solved together" in said for said in many)


def test_what_arrays_would_have_to_ignore_is_refused() -> None:
    m = newsvendor()
    m.either = Complementarity(expr=complements(m.s >= 0, m.i >= 0))
    with pytest.raises(RefusedError, match=r"type (Scalar)?Complementarity"):
        bl.solve(m, THREE + LATE)
    m = newsvendor()
    m.one = pyo.SOSConstraint(rule=lambda m: [m.l, m.i], sos=1)
    with pytest.raises(RefusedError, match="SOSConstraint: 'one'"):
        bl.solve(m, THREE + LATE)


def test_random_costs_and_rows_need_no_second_stage_variable() -> None:
    m = pyo.ConcreteModel()
    m.c = pyo.Param(initialize=1, mutable=True)
    m.x = pyo.Var(bounds=(0, 4))
    m.cost = pyo.Objective(expr=m.c * m.x)
    answer = bl.solve(m, "randvar c discrete 0.5 -3 0.5 1")
    assert (answer.objective, answer.variables["x"]) == (pytest.approx(-4), pytest.approx(4))
    m.least = pyo.Constraint(expr=m.x >= m.c)
    m.cost.expr = m.x
    answer = bl.solve(m, "randvar c discrete 0.5 3 0.5 1 stage 2 least")
    assert answer.objective == pytest.approx(3)
    assert answer.verified


def test_a_scenario_of_probability_0_and_fixed_variables() -> None:
    m = newsvendor()
    answer = bl.solve(m, "randvar d discrete 0 500 0.4 90 0.3 60 0.3 30\n" + LATE)
    assert answer.objective == pytest.approx(1110)
    m.x.fix(50)
    answer = bl.solve(m, THREE + LATE)
    assert answer.objective == pytest.approx(0.4 * 1300 + 0.3 * 1450 + 0.3 * 100)


def test_ten_thousand_scenarios_of_a_wide_recourse_are_one_program_of_arrays() -> None:
    m = pyo.ConcreteModel()
    m.S = pyo.RangeSet(50)
    m.d = pyo.Param(m.S, initialize=1, mutable=True)
    m.x = pyo.Var(bounds=(0, 9))
    m.y = pyo.Var(m.S, bounds=(0, None))
    m.serve = pyo.Constraint(m.S, rule=lambda m, s: m.x + m.y[s] >= m.d[s])
    m.cost = pyo.Objective(expr=60 * m.x + pyo.quicksum(m.y[s] for s in m.S))
    from bilevel_lang.reformulation.options import Options
    from bilevel_lang.reformulation.stochastic.extensive import extensive_form
    from bilevel_lang.reformulation.stochastic.method import ExtensiveForm

    problem = bl.resolve(m, "randvar d uniform 0 5 stage 2 y serve")
    made = ExtensiveForm().prepare(problem, Options(scenarios=10_000))
    form = extensive_form(made.arrays)
    assert (form.columns, form.rows, form.matrix.nnz) == (500_001, 500_000, 1_000_000)
    assert form.row_lower.max() <= 5


@pytest.mark.parametrize("method", ["l-shaped", "boxes", "nn-embed"])
def test_scenarios_in_which_nothing_is_decided_are_left_to_the_extensive_form(method: str) -> None:
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=2, mutable=True)
    m.x = pyo.Var([3, 5], domain=pyo.Binary)
    m.enough = pyo.Constraint(expr=3 * m.x[3] + 5 * m.x[5] >= m.d)
    m.cost = pyo.Objective(expr=4 * m.x[3] + 5 * m.x[5] + m.d)
    text = "randvar d discrete 0.5 1 0.5 3\nstage 2 enough"
    with pytest.raises(RefusedError, match=r"nothing is decided in the second stage[\s\S]*extensive-form"):
        bl.solve(m, text, method=method)
    assert bl.solve(m, text).objective == pytest.approx(6)
