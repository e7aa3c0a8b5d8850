"""The JSON object: its fields, and numbers that JSON cannot hold."""

from __future__ import annotations

import json
import math

import pyomo.environ as pyo

from bilevel_lang import EmpSyntaxError, parse, resolve, solve
from bilevel_lang.json_report import check_object, error_object, interrupted_object, solution_object
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Status

SOLUTION_FIELDS = {
    "schema",
    "status",
    "termination",
    "exactness",
    "objective",
    "bound",
    "gap",
    "method",
    "encoding",
    "solver",
    "variables",
    "duals",
    "followers",
    "certificate",
    "position",
    "ties",
    "multiplier_ranges",
    "stationarity",
    "stochastic",
    "search",
    "approximate_objective",
    "surrogate",
    "summary",
    "seconds",
    "messages",
    "exit_code",
}
FOLLOWER_FIELDS = {"name", "kind", "objective", "optimal_value", "gap", "verified"}
CERTIFICATE_FIELDS = {"leader_feasibility", "follower_feasibility", "follower_gap", "verified", "tolerance"}
STAGES = {"parse", "resolve", "reformulate", "solve", "verify", "total"}


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4))
    m.y = pyo.Var(bounds=(0, 4))
    m.lead = pyo.Objective(expr=m.x - 2 * m.y)
    m.low = pyo.Objective(expr=m.y)
    m.low.deactivate()
    m.row = pyo.Constraint(expr=m.y >= m.x - 1)
    return m


EMP = "bilevel x\nmin low y row\n"


def test_a_solve_has_every_field_of_the_schema() -> None:
    answer = solution_object(solve(model(), EMP))
    assert answer.keys() == SOLUTION_FIELDS
    assert answer["schema"] == "bilevel-lang/1"
    assert answer["followers"][0].keys() >= FOLLOWER_FIELDS
    assert answer["certificate"].keys() >= CERTIFICATE_FIELDS
    assert answer["seconds"].keys() == STAGES
    assert answer["variables"] == {"x": 4.0, "y": 3.0}
    json.dumps(answer, allow_nan=False)


def test_numbers_that_are_not_finite_are_null() -> None:
    nothing = BilevelSolution(
        status=Status.LIMIT,
        termination="limit",
        exactness=Exactness.EXACT,
        objective=math.nan,
        bound=-math.inf,
        gap=math.inf,
        method="kkt",
        encoding="sos1",
        solver="SCIP",
        variables={"x": math.inf},
        duals={},
        certificate=Certificate(math.inf, 0.0, math.nan, False, 1e-5),
        summary={},
        seconds={},
    )
    answer = solution_object(nothing)
    assert (answer["objective"], answer["bound"], answer["gap"], answer["variables"]["x"]) == (None, None, None, None)
    assert answer["certificate"]["leader_feasibility"] is None
    assert answer["exit_code"] == 5
    json.dumps(answer, allow_nan=False)


def test_counts_of_the_search() -> None:
    m = model()
    assert solution_object(solve(m, EMP))["search"] is None or solution_object(solve(m, EMP))["search"]["cuts"] is None
    m.x.domain = pyo.Integers
    counts = solution_object(solve(m, EMP, method="value-function", solver="scip"))["search"]
    assert counts.keys() == {"nodes", "cuts", "follower_solves"}


def test_errors_carry_place_and_mend() -> None:
    try:
        parse("bilevl x", "m.emp")
    except EmpSyntaxError as error:
        answer = error_object(error)
    assert answer.keys() == {"schema", "status", "exit_code", "errors"}
    (first,) = answer["errors"]
    assert first.keys() == {"code", "file", "line", "column", "message", "help"}
    assert (first["code"], first["file"], first["line"], first["column"]) == ("S1", "m.emp", 1, 1)


def test_a_check_is_no_answer() -> None:
    answer = check_object(resolve(model(), EMP))
    assert (answer["status"], answer["exit_code"]) == ("unknown", 0)
    assert answer["summary"]["Bilevel Followers"] == 1
    assert answer["followers"] == [{"name": "min low", "kind": "min", "variables": ["y"]}]


def test_an_interrupt_before_any_point() -> None:
    assert interrupted_object()["exit_code"] == 130


def test_what_is_known_after_the_solve_is_there() -> None:
    m = model()
    m.p = pyo.Var()
    m.lead.set_value(m.x - 2 * m.y + 0 * m.p)
    answer = solution_object(solve(m, f"{EMP}dualvar p row\n"))
    assert answer["position"] == "optimistic"
    (tie,) = answer["ties"]
    assert tie.keys() == {"name", "measured", "best", "worst", "unique", "worst_answer", "violated", "how"}
    assert (tie["name"], tie["measured"], tie["unique"], tie["best"]) == ("min low", True, True, -2.0)
    (found,) = answer["multiplier_ranges"]
    assert found.keys() == {"variable", "row", "value", "lower", "upper", "unique"}
    assert (found["variable"], found["row"]) == ("p", "row")
    assert answer["stationarity"] is answer["surrogate"] is answer["approximate_objective"] is None
    local = solution_object(solve(model(), EMP, encoding="scholtes"))
    assert local["stationarity"].keys() == {"kind", "multipliers", "descent", "pairs", "biactive", "how"}
    assert local["stationarity"]["kind"] == "S"
    json.dumps(answer, allow_nan=False)
