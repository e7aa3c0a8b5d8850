from __future__ import annotations

from dataclasses import replace

import bilevel_lang as bl
from bilevel_lang.display import check_text, solution_text
from bilevel_lang.solution import OutOfSample, RiskValue, StochasticReport
from bilevel_lang.stochastic_display import program_text, stochastic_text
from tests.stochastic_models import LATE, RISKY, THREE, newsvendor, newsvendor_with_profit


def test_a_report_has_a_line_for_each_figure() -> None:
    values = tuple((str(k), 0.5, float(k)) for k in range(2))
    report = StochasticReport(
        2,
        False,
        values,
        1.0,
        2.0,
        3.0,
        4.0,
        (RiskValue("cvarlo", "p", 0.05, 7.0),),
        (("row", 0.9, 0.95),),
        OutOfSample(50, 8.0, 0.5, 3),
    )
    text = stochastic_text(report)
    for line in (
        "scenarios  2 (all)",
        "1   probability 0.5",
        "cvarlo     7   mean of the lowest 5 % of p",
        "chance     row: 0.95 of at least 0.9",
        "EVPI       2   knowing the scenario before: 1",
        "VSS        4   deciding for the mean values: 3",
        "tried out  8 ± 0.5 on 50 fresh scenarios (95 %)",
        "3 of them have no second stage",
    ):
        assert line in text


def test_many_scenarios_are_told_by_their_range() -> None:
    values = tuple((str(k), 0.01, float(k)) for k in range(100))
    text = stochastic_text(StochasticReport(100, True, values))
    assert "scenarios  100 (drawn from the laws)" in text
    assert "from 0 to 99" in text
    assert len(text.splitlines()) == 2


def test_check_says_who_decides_when() -> None:
    text = RISKY + "cvarlo p c 0.05 chance stock demand 0.9"
    problem = bl.resolve(newsvendor_with_profit(), text)
    assert problem.stochastic is not None
    said = program_text(problem.stochastic)
    assert "random: d: 3 outcomes" in said
    assert "stage 2 rows: demand stock gain" in said
    assert "measure: c stands for the mean of the lowest 5 % of p" in said
    assert "chance: stock and demand hold together with at least 0.9" in said
    assert said in check_text(problem)


def test_laws_and_samples_are_named() -> None:
    problem = bl.resolve(newsvendor(), "randvar d normal 45 10 sample d 7 antithetic\n" + LATE)
    assert problem.stochastic is not None
    assert "random: d: normal 45 10, a sample of 7 (antithetic)" in program_text(problem.stochastic)


def test_the_whole_report() -> None:
    text = solution_text(bl.solve(newsvendor(), THREE + LATE))
    assert "optimal (scenarios verified, optimality proved)" in text
    assert "objective 1110" in text
    assert "second stage: objective 1110, solved again 1110" in text


def test_an_answer_is_called_optimal_for_a_sample_only_where_bound_and_objective_meet() -> None:
    drawn = bl.solve(newsvendor(), "randvar d normal 45 10\n" + LATE, scenarios=20)
    assert "feasible (scenarios verified, optimal for the sample)" in solution_text(drawn)
    assert "(scenarios verified, optimality not proved)" in solution_text(replace(drawn, gap=0.15))
    assert "(scenarios verified, optimality not proved)" in solution_text(replace(drawn, gap=None))
