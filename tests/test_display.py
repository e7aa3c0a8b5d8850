"""What people read: three verdicts kept apart, rows as stored, long lists cut."""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo

from bilevel_lang import resolve, solve
from bilevel_lang.display import VARIABLES_SHOWN, check_text, explain_text, number, solution_text
from bilevel_lang.solution import BilevelSolution, Exactness, MultiplierRange, SearchCounts, Stationarity, Status, Tie
from tests.resolver.equilibria import game, quasi, without
from tests.test_json_report import EMP, model


def test_the_report_keeps_the_three_verdicts_apart() -> None:
    text = solution_text(solve(model(), EMP))
    assert "status    optimal (follower verified, leader optimality proved)" in text
    assert "objective -2" in text
    assert "HiGHS" in text
    assert "checked on the original model" in text
    assert "min low: objective 3, solved again 3" in text


def test_a_failed_check_shouts() -> None:
    failed = replace(solve(model(), EMP), status=Status.VERIFICATION_FAILED)
    assert "NOT VERIFIED: this is not an answer" in solution_text(failed)


def test_a_local_answer_says_what_is_not_proved() -> None:
    local = replace(solve(model(), EMP), status=Status.FEASIBLE, exactness=Exactness.STATIONARY)
    assert "leader optimality not proved" in solution_text(local)


def test_an_equilibrium_has_no_leader_to_speak_of() -> None:
    m = model()
    m.lead.deactivate()
    m.cost = pyo.Objective(expr=(m.x - 1) ** 2)
    m.cost.deactivate()
    text = solution_text(solve(m, "equilibrium\nmin cost x\nmin low y row\n"))
    assert "a verified equilibrium; every agent verified" in text
    assert "leader optimality" not in text


def test_long_lists_are_cut_unless_asked_for() -> None:
    solution = solve(model(), EMP)
    many = replace(solution, variables={f"x[{i}]": 0.0 for i in range(VARIABLES_SHOWN + 5)})
    assert "and 5 more" in solution_text(many)
    assert "more" not in solution_text(many, verbose=True)


def test_check_shows_rows_as_stored_with_the_cone_of_their_multiplier() -> None:
    m = model()
    m.p = pyo.Var(bounds=(None, 0))
    text = check_text(resolve(m, EMP + "dualvar p row\n"))
    # `y >= x - 1` has variables on both sides: pyomo stores it as `x - 1 - y <= 0`.
    assert "<= 0   multiplier <= 0, p = multiplier" in text
    assert "leader: min lead" in text
    assert "Dual Variable Maps   = 1" in text


def test_check_of_a_max_agent_turns_the_cone() -> None:
    m = model()
    m.low.sense = pyo.maximize
    m.row2 = pyo.Constraint(expr=m.y <= 2)
    assert "row2: y <= 2   multiplier >= 0" in check_text(resolve(m, "bilevel x\nmax low y row row2\n"))


def test_check_lists_what_a_wildcard_took() -> None:
    assert "* of min low = y" in check_text(resolve(model(), "bilevel x\nmin low * row\n"))


def test_numbers_have_eight_digits() -> None:
    assert number(1 / 3) == "0.33333333"
    assert number(None) == "?"


def test_reasons_are_a_line_each() -> None:
    assert explain_text(["chosen    kkt", "refused   big-m"]) == "--- why\n    chosen    kkt\n    refused   big-m"


def test_check_lists_choices_and_soft_rows() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.u = pyo.Var(domain=pyo.Binary)
    m.low, m.high = pyo.Constraint(expr=m.x <= 2), pyo.Constraint(expr=m.x >= 4)
    m.near = pyo.Constraint(expr=m.x == 3)
    m.obj = pyo.Objective(expr=m.x)
    text = check_text(resolve(m, "disjunction bigm 20 not u low else high\nadjustequ near sqr 2"))
    assert "disjunction on line 1: exactly one of (bigm 20)\n  not u      low: x <= 2\n  else       high: x >= 4" in text
    assert "soft row near: the leader pays 2 * (soft.deviation[near]**2)" in text
    assert "Adjusted Constraint  = 1" in text
    assert "Disjunctions         = 1" in text


def test_check_shows_what_agents_share() -> None:
    text = check_text(resolve(quasi(), "qvi F y x g"))
    assert "  twin       x[1] = y[1]" in text
    agents = "equilibrium min cost(1) x(1) total min cost(2) x(2) total "
    shared = without(game(), "demand")
    assert check_text(resolve(shared, f"{agents} visol total")).count("multiplier <= 0 (one for all agents)") == 2
    assert check_text(resolve(shared, f"{agents} sharedequ total")).count("multiplier <= 0 (its own)") == 2
    price = "equilibrium max profit(1) x(1) p max profit(2) x(2) p implicit p demand"
    assert check_text(resolve(without(game(), "total"), price)).count("  implicit   p: determined by demand") == 2


def test_the_common_multiplier_is_a_figure_of_the_certificate() -> None:
    text = "equilibrium min cost(1) x(1) total min cost(2) x(2) total visol total"
    assert "\n  common multiplier     " in solution_text(solve(without(game(), "demand"), text))


def test_ties_that_matter_have_a_line_each_and_the_others_one_together() -> None:
    ties = (
        Tie("min a", 1.0, 5.0, False, "HiGHS", ("cap",)),
        Tie("min b", None, None, False, "the agent is mixed-integer"),
        Tie("min c", 1.0, 1.0, True, "HiGHS"),
        Tie("min d", 1.0, 1.0, True, "HiGHS"),
    )
    ranges = (MultiplierRange("p", "c", 0.0, 0.0, 2.0, False), MultiplierRange("q", "d", 1.0, 1.0, 1.0, True))
    kind = Stationarity("B", "M", False, 3, 1, "no first-order descent direction (LPEC)")
    solution = replace(_small(), ties=ties, multiplier_ranges=ranges, stationarity=kind, position="pessimistic")
    text = solution_text(solution)
    assert "ties      min a: the leader has 1 from its best optimal answer and 5 from the worst, which breaks `cap`\n" in text
    assert "ties      min b: not measured (the agent is mixed-integer)\n" in text
    assert "ties      2 agents, each: the leader has 1 from every optimal answer\n" in text
    assert "dualvar   p is not unique: the multiplier of c may be anything from 0 to 2\n" in text
    assert "q is not unique" not in text
    assert "local     B-stationary (Bouligand): no first-order descent direction\n" in text
    assert "position  pessimistic" in text


def test_many_ties_are_cut() -> None:
    ties = tuple(Tie(f"min a[{k}]", 1.0, 5.0, False, "HiGHS") for k in range(8))
    text = solution_text(replace(_small(), ties=ties))
    assert text.count("ties  ") == 6
    assert "... and 3 more" in text


def _small() -> BilevelSolution:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.f = pyo.Objective(expr=m.x)
    return solve(m, "")


def test_a_search_of_ours_is_counted_and_a_solvers_own_is_not() -> None:
    solution = replace(solve(model(), EMP), search=SearchCounts(nodes=7, cuts=4, follower_solves=11))
    assert "search    7 nodes, 4 cuts, 11 problems of followers solved" in solution_text(solution)
    assert "search " not in solution_text(replace(solution, search=SearchCounts(nodes=7)))


def test_a_surrogate_is_told_with_its_error_and_its_claim() -> None:
    found = {"kind": "relu", "layers": [8, 4], "target": "value", "samples": 50, "rounds": 2}
    errors = {"validation_mae": 0.5, "validation_max_error": 2.0}
    told = replace(solve(model(), EMP), surrogate=found | errors, approximate_objective=-2.5)
    text = solution_text(told)
    assert "surrogate relu 8x4 for the value, 50 samples; held-out error 0.5 on average, 2 at most" in text
    assert "surrogate it says -2.5, in round 2" in text
    nothing = replace(told, surrogate=found | {"kind": None}, approximate_objective=None)
    assert "surrogate none: 50 samples" in solution_text(nothing)
    kept = replace(nothing, surrogate=found | {"kind": None, "samples": 1, "samples_from_folder": 7})
    assert "surrogate none: 1 sample (7 decisions read from the folder)" in solution_text(kept)
