"""The types of an answer: every status has an exit code, notebooks get a table with escaped names."""

from __future__ import annotations

import pytest

from bilevel_lang.solution import EXIT_CODES, BilevelSolution, Exactness, Status


def solution(status: Status = Status.OPTIMAL) -> BilevelSolution:
    return BilevelSolution(
        status=status,
        termination="optimal",
        exactness=Exactness.EXACT,
        objective=1.0,
        bound=1.0,
        gap=0.0,
        method="kkt",
        encoding="sos1",
        solver="SCIP",
        variables={"x[<b>]": 1.0},
        duals={},
        certificate=None,
        summary={},
        seconds={},
    )


def test_every_status_has_its_exit_code() -> None:
    assert set(EXIT_CODES) == set(Status)
    assert {s.value: s.exit_code for s in Status} == {
        "optimal": 0,
        "feasible": 0,
        "infeasible": 4,
        "unbounded": 4,
        "limit": 5,
        "unknown": 5,
        "error": 5,
        "verification_failed": 7,
        "interrupted": 130,
    }


@pytest.mark.parametrize("status", list(Status))
def test_the_solution_passes_its_code_on(status: Status) -> None:
    assert solution(status).exit_code == status.exit_code


def test_without_a_certificate_nothing_is_verified() -> None:
    assert not solution().verified
    assert solution().followers == ()


def test_the_table_escapes_names() -> None:
    table = solution()._repr_html_()
    assert "x[&lt;b&gt;]" in table and "<b>" not in table
