"""Stochastic programs from the annotation to the answer, against closed forms and textbooks."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.stats import norm

import bilevel_lang as bl
from bilevel_lang import stochastic_solution
from bilevel_lang.errors import RefusedError
from bilevel_lang.json_report import solution_object
from bilevel_lang.solution import Certificate, StochasticReport
from tests.stochastic_models import ALL_DEMANDS, FARMER, LATE, PLANTS, THREE, farmer, newsvendor, plants, profits


def test_the_discrete_newsvendor() -> None:
    m = newsvendor()
    answer = bl.solve(m, THREE + LATE)
    assert (answer.status.value, answer.exactness and answer.exactness.value) == ("optimal", "exact")
    assert answer.objective == pytest.approx(1110)
    assert answer.variables == {"x": pytest.approx(60)}
    assert m.x.value == pytest.approx(60)
    assert answer.stochastic is not None
    assert [v for _, _, v in answer.stochastic.values] == pytest.approx(profits(60))
    assert answer.stochastic.evpi == pytest.approx(780)
    assert answer.stochastic.vss == pytest.approx(30)


def test_the_farmer() -> None:
    answer = bl.solve(farmer(), FARMER)
    assert answer.objective == pytest.approx(-108_390, abs=0.5)
    assert answer.stochastic is not None
    assert answer.stochastic.evpi == pytest.approx(7_016, abs=0.5)
    assert answer.stochastic.vss == pytest.approx(1_150, abs=0.5)
    assert [answer.variables[f"x[{c}]"] for c in ("wheat", "corn", "beets")] == pytest.approx([170, 80, 250])


@pytest.mark.parametrize(("more", "scenarios", "optimum"), [("", 3, 381.853), (ALL_DEMANDS, 27, 397.751)])
def test_the_plants_of_louveaux_and_smeers(more: str, scenarios: int, optimum: float) -> None:
    answer = bl.solve(plants(), more + PLANTS)
    assert answer.stochastic is not None
    assert answer.stochastic.scenarios == scenarios
    assert answer.objective == pytest.approx(optimum, abs=1e-3)
    assert answer.verified


def test_a_joint_law_of_demand_and_price() -> None:
    m = newsvendor()
    m.r = pyo.Param(initialize=60, mutable=True)
    m.profit.expr = m.r * m.s - 30 * m.x - 10 * m.i - 5 * m.l
    law = [(0.3, 90, 40), (0.3, 60, 60), (0.4, 30, 80)]
    text = "jrandvar d r " + " ".join(f"{p} {d} {r}" for p, d, r in law)

    def profit(x: float) -> float:
        return sum(p * (r * min(x, d) - 30 * x - 10 * max(x - d, 0) - 5 * max(d - x, 0)) for p, d, r in law)

    answer = bl.solve(m, f"{text}\n{LATE}")
    assert answer.objective == pytest.approx(max(profit(x) for x in range(201)))


def test_a_sampled_normal_law_comes_near_to_its_closed_form() -> None:
    # Critical ratio 35/75: the optimal order is a quantile; profit = 30 mu - 75 sigma phi(z).
    z = norm.ppf(35 / 75)
    order, expected = 45 + 10 * z, 30 * 45 - 75 * 10 * norm.pdf(z)
    answer = bl.solve(newsvendor(), "randvar d normal 45 10 sample d 2000 latinhypercube\n" + LATE, evaluate=4000)
    assert answer.status.value == "optimal"
    assert answer.variables["x"] == pytest.approx(order, abs=0.1)
    assert answer.objective == pytest.approx(expected, rel=1e-3)
    assert answer.stochastic is not None and answer.stochastic.out_of_sample is not None
    tried = answer.stochastic.out_of_sample
    assert tried.half_width < 20
    assert abs(tried.mean - expected) < 2 * tried.half_width


def test_scenarios_drawn_from_the_law_are_an_approximation_and_called_so() -> None:
    answer = bl.solve(newsvendor(), "randvar d uniform 0 100\n" + LATE, scenarios=500, seed=3)
    assert (answer.status.value, answer.exactness and answer.exactness.value) == ("feasible", "approximation")
    assert answer.variables["x"] == pytest.approx(100 * 35 / 75, abs=5)
    assert "sample of 500 scenarios" in answer.messages[0]
    again = bl.solve(newsvendor(), "randvar d uniform 0 100\n" + LATE, scenarios=500, seed=3)
    assert again.variables == answer.variables


def test_infeasible_and_unbounded_programs_are_told() -> None:
    m = newsvendor()
    m.l.setub(20)
    m.x.setub(60)
    assert bl.solve(m, THREE + LATE).status.value == "infeasible"
    m = newsvendor()
    m.x.setub(None)
    m.profit.expr = m.s + m.x
    assert bl.solve(m, THREE + LATE).status.value == "unbounded"


def integer_program(rng: np.random.Generator) -> tuple[Any, str, Any]:
    """Integers in both stages, random costs, sides and coefficients; and its value function by enumeration."""
    s, n = 3, 2
    c, q = rng.integers(1, 9, n), rng.integers(5, 20, (s, n))
    t, h = rng.integers(0, 3, (s, n)), rng.integers(2, 9, s)
    m = pyo.ConcreteModel()
    m.J = pyo.RangeSet(0, n - 1)
    m.q, m.t = pyo.Param(m.J, initialize=1, mutable=True), pyo.Param(m.J, initialize=1, mutable=True)
    m.h = pyo.Param(initialize=1, mutable=True)
    m.x = pyo.Var(m.J, domain=pyo.Integers, bounds=(0, 3))
    m.y = pyo.Var(m.J, domain=pyo.Integers, bounds=(0, 4))
    m.cover = pyo.Constraint(expr=pyo.quicksum(m.t[j] * m.x[j] + (j + 1) * m.y[j] for j in m.J) >= m.h)
    m.cost = pyo.Objective(expr=pyo.quicksum(int(c[j]) * m.x[j] + m.q[j] * m.y[j] for j in m.J))
    rows = [[1 / 4 if k else 1 / 2, *q[k], *t[k], h[k]] for k in range(s)]
    text = "jrandvar q t h " + " ".join(f"{v}" for row in rows for v in row) + "\nstage 2 y cover"

    def value(x: tuple[int, ...]) -> float:
        total = float(c @ x)
        for k, row in enumerate(rows):
            costs = [q[k] @ y for y in itertools.product(range(5), repeat=n) if t[k] @ x + y[0] + 2 * y[1] >= h[k]]
            total += row[0] * min(costs, default=float("inf"))
        return total

    return m, text, value


@pytest.mark.parametrize("seed", range(6))
def test_integers_against_enumeration(seed: int) -> None:
    m, text, value = integer_program(np.random.default_rng(seed))
    answer = bl.solve(m, text)
    assert answer.status.value == "optimal"
    assert answer.objective == pytest.approx(min(value(x) for x in itertools.product(range(4), repeat=2)))


def test_recourse_as_followers_that_share_the_objective_is_the_same_program() -> None:
    # The other reading: one follower for each scenario, each with its own recourse, in a bilevel program.
    m = pyo.ConcreteModel()
    law = {1: (0.4, 90), 2: (0.3, 60), 3: (0.3, 30)}
    m.W = pyo.Set(initialize=list(law))
    m.x = pyo.Var(bounds=(0, 200))
    m.s, m.l, m.i = pyo.Var(m.W, bounds=(0, None)), pyo.Var(m.W, bounds=(0, None)), pyo.Var(m.W, bounds=(0, None))
    m.demand = pyo.Constraint(m.W, rule=lambda m, w: m.s[w] + m.l[w] == law[w][1])
    m.stock = pyo.Constraint(m.W, rule=lambda m, w: m.s[w] + m.i[w] == m.x)
    m.gain = pyo.Expression(m.W, rule=lambda m, w: 60 * m.s[w] - 10 * m.i[w] - 5 * m.l[w])
    m.profit = pyo.Objective(expr=sum(law[w][0] * m.gain[w] for w in m.W) - 30 * m.x, sense=pyo.maximize)
    followers = bl.solve(m, "bilevel x\nfor w in W: max gain(w) s(w) l(w) i(w) demand(w) stock(w)")
    scenarios = bl.solve(newsvendor(), THREE + LATE)
    assert followers.objective == pytest.approx(scenarios.objective)
    assert followers.variables["x"] == pytest.approx(scenarios.variables["x"])


def test_a_point_of_one_scenario_is_not_verified_as_if_it_were_the_answer() -> None:
    m = newsvendor()
    with pytest.raises(RefusedError, match="one for each scenario"):
        bl.verify(m, THREE + LATE, {"x": 60})


def test_the_rewritten_model_can_be_saved_and_the_pair_of_files_is_refused(tmp_path: Path) -> None:
    from bilevel_lang.reformulation.options import Options
    from bilevel_lang.saving import save

    problem = bl.resolve(newsvendor(), THREE + LATE)
    save(problem, tmp_path / "all.lp", Options())
    assert "scenario(3)" in (tmp_path / "all.lp").read_text(encoding="utf-8")
    with pytest.raises(RefusedError):
        bl.write_mps_aux(newsvendor(), THREE + LATE, tmp_path / "a.mps")


def test_an_answer_that_misses_a_chance_constraint_is_not_verified() -> None:
    good = Certificate(0.0, 0.0, 0.0, True, 1e-5)
    report = StochasticReport(2, False, (), chances=(("row", 0.9, 0.8),))
    found = stochastic_solution._with_chances(good, report)
    assert found is not None
    assert not found.verified
    assert found.remarks == ("row hold with probability 0.8, 0.9 was asked for",)
    fine = StochasticReport(2, False, (), chances=(("row", 0.9, 0.9 - 1e-12),))
    assert stochastic_solution._with_chances(good, fine) is good


def test_the_json_object_has_it_all() -> None:
    found = solution_object(bl.solve(newsvendor(), THREE + LATE, evaluate=10))["stochastic"]
    assert found["scenarios"] == 3
    assert found["values"][0] == {"scenario": "1", "probability": 0.4, "objective": pytest.approx(1650)}
    assert found["evpi"] == pytest.approx(780)
    assert found["out_of_sample"]["scenarios"] == 10
    assert solution_object(bl.solve(pyo_free(), ""))["stochastic"] is None


def pyo_free() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.o = pyo.Objective(expr=m.x)
    return m


def test_the_scenario_without_an_answer_is_named() -> None:
    m = newsvendor()
    m.s.setub(40)
    m.l.setub(30)
    answer = bl.solve(m, THREE + LATE)
    assert answer.status.value == "infeasible"
    assert "scenario 1 has no answer, whatever the first stage decides" in answer.messages


def test_ctrl_c_while_the_scenario_is_looked_for_leaves_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(stochastic_solution, "why_infeasible", interrupted)
    m = newsvendor()
    m.s.setub(40)
    m.l.setub(30)
    answer = bl.solve(m, THREE + LATE)
    assert answer.status.value == "infeasible"
    assert "Ctrl-C stopped the search for the scenario that it lies in" in answer.messages


def test_the_scenario_without_a_limit_is_named() -> None:
    m = newsvendor()
    m.more, m.price = pyo.Var(bounds=(0, None)), pyo.Param(initialize=1, mutable=True)
    m.profit.set_value(m.profit.expr - m.price * m.more)
    answer = bl.solve(m, "jrandvar d price 0.5 60 1 0.5 30 -1\nstage 2 d s l i demand stock more price\n")
    assert answer.status.value == "unbounded"
    assert any("scenario 2, solved by itself, improves without end" in said for said in answer.messages)


def test_a_program_without_an_objective_says_so() -> None:
    m = newsvendor()
    m.profit.deactivate()
    answer = bl.solve(m, THREE + LATE)
    assert (answer.status.value, answer.objective) == ("optimal", None)
    assert any("no active objective" in said for said in answer.messages)
