from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang import api
from bilevel_lang.errors import EmpSyntaxError, ModelFileError, ResolutionError, UsageError
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness, Status
from tests.harness import state
from tests.reformulation.problems import follow, plain

TEXT = "bilevel x\nmin f y c\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.emp"
    path.write_text(TEXT, encoding="utf-8")
    return path


# --- An annotation comes as text, tree or file


def test_load_reads_a_file_by_path_or_string(file: Path) -> None:
    for path in (file, str(file)):
        info = bl.load(path)
        assert isinstance(info, EmpInfo)
        assert info.source.name == str(file)
        assert len(info.statements) == 2


def test_load_takes_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "model.emp"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert len(bl.load(path).statements) == 2


def test_load_names_the_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*no\.emp"):
        bl.load(tmp_path / "no.emp")
    (tmp_path / "latin.emp").write_bytes(b"bilevel x * \xe4\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        bl.load(tmp_path / "latin.emp")


def test_the_three_forms_of_an_annotation_give_the_same(file: Path) -> None:
    answers = [bl.solve(follow(), info).objective for info in (TEXT, file, bl.parse(TEXT))]
    assert answers == pytest.approx([2.75] * 3, abs=1e-6)


@pytest.mark.parametrize("function", [bl.resolve, bl.reformulate, bl.solve])
def test_a_file_name_as_text_is_answered_with_the_mend(function: Any) -> None:
    with pytest.raises(UsageError, match=r"'model\.emp' is a string[\s\S]*Path\('model\.emp'\)"):
        function(follow(), "model.emp")


def test_something_else_is_no_annotation() -> None:
    with pytest.raises(UsageError, match="not a list"):
        bl.solve(follow(), ["bilevel x"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong", [None, "model.py", pyo.ConcreteModel, pyo.AbstractModel()], ids=["None", "text", "class", "abstract"]
)
@pytest.mark.parametrize("function", [bl.resolve, bl.solve])
def test_something_else_is_no_model(function: Any, wrong: Any) -> None:
    with pytest.raises(ModelFileError, match=r"^error.*the model is .*(not a Pyomo model|without data)"):
        function(wrong, "bilevel x\nmin f y c")


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"c": 1}, "no variable 'c'"),
        ({"x": "a"}, "`x` is a number, not 'a'"),
        ({"x": None}, "not None"),
        ({3: 1.0}, "no variable '3'"),
    ],
)
def test_a_point_is_variables_with_numbers(point: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        bl.verify(follow(), "bilevel x\nmin f y c", point)


def test_a_tolerance_that_verifies_anything_is_none() -> None:
    with pytest.raises(UsageError, match="tolerance"):
        bl.verify(follow(), "bilevel x\nmin f y c", {"x": 1.0, "y": 9.0}, tolerance=1e9)


def test_mistakes_come_as_our_errors() -> None:
    with pytest.raises(EmpSyntaxError):
        bl.parse("bilevel x\nmin")
    with pytest.raises(ResolutionError, match="yy"):
        bl.resolve(follow(), "bilevel x\nmin f yy c")
    with pytest.raises(UsageError, match=r"no option `encodng`[\s\S]*`encoding`"):
        bl.solve(follow(), TEXT, encodng="sos1")
    with pytest.raises(UsageError, match="no option `startz`"):
        bl.reformulate(follow(), TEXT, startz=3)
    with pytest.raises(UsageError, match="option `time_limit` must be > 0"):
        bl.solve(follow(), TEXT, time_limit=0)


def test_strict_makes_warnings_errors() -> None:
    m = follow()
    m.p = pyo.Var()  # a free multiplier of an inequality: a warning
    info = TEXT + "dualvar p c"
    assert any(d.severity == "warning" for d in bl.resolve(m, info).notices)
    with pytest.raises(ResolutionError):
        bl.resolve(m, info, strict=True)


# --- The stages


def test_resolve_tells_who_decides_what_and_touches_nothing() -> None:
    m = follow()
    before = state(m)
    problem = bl.resolve(m, TEXT)
    assert problem.model is m
    assert [v.name for v in problem.leader.variables] == ["x"]
    assert [v.name for v in problem.agents[0].variables] == ["y"]
    assert state(m) == before


def test_reformulate_stops_at_the_complementarities() -> None:
    m = follow()
    before = state(m)
    made = bl.reformulate(m, TEXT)
    assert state(m) == before
    assert (made.method, made.encoding) == ("kkt", None)
    assert sorted(str(c.index()) for c in conditions(made.model)) == ["c", "y.lower", "y.upper"]


def test_reformulate_with_an_encoding_is_ready_for_a_solver() -> None:
    m = follow()
    before = state(m)
    made = bl.reformulate(m, TEXT, encoding="sos1")
    assert list(conditions(made.model)) == []
    point = made.recover(made.run(Options()))
    assert state(m) == before
    assert point.values[m.x] == pytest.approx(2.5, abs=5e-4)
    assert {name: value for name, value, _ in point.multipliers} == pytest.approx({"c": -1.0}, abs=1e-6)
    assert bl.verify(m, TEXT, point).verified


def test_solve_writes_the_answer_into_the_model_and_nothing_else() -> None:
    m = follow()
    m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    names = [c.name for c in m.component_objects()]
    solution = bl.solve(m, TEXT)
    assert solution.status is Status.OPTIMAL
    assert (m.x.value, m.y.value) == pytest.approx((2.5, 2.5), abs=5e-4)
    assert m.dual[m.c] == pytest.approx(-1.0, abs=1e-6)
    assert [c.name for c in m.component_objects()] == names
    assert m.c.active
    assert not m.f.active
    assert set(solution.seconds) == {"parse", "resolve", "reformulate", "solve", "verify", "total"}


def test_a_solve_without_an_answer_leaves_the_values() -> None:
    m = plain()
    m.x.set_value(1.25)
    m.c = pyo.Constraint(expr=m.y >= 11 + m.x)
    assert bl.solve(m, TEXT).status is Status.INFEASIBLE
    assert (m.x.value, m.y.value) == (1.25, None)


def test_verify_takes_names_variables_or_a_point() -> None:
    m = follow()
    assert bl.verify(m, TEXT, {"x": 4, "y": 4}).verified  # a good answer of the follower, whatever the leader would like
    assert bl.verify(m, TEXT, ComponentMap([(m.x, 4.0), (m.y, 4.0)])).verified
    assert not bl.verify(m, TEXT, {"x": 4, "y": 5}).verified
    assert not bl.verify(m, TEXT, {"x": 4, "y": 3}).verified
    with pytest.raises(UsageError, match="no variable 'zz'"):
        bl.verify(m, TEXT, {"zz": 1})


def test_the_tolerance_of_a_check_is_relative() -> None:
    assert not bl.verify(follow(), TEXT, {"x": 4, "y": 4.1}).verified
    assert bl.verify(follow(), TEXT, {"x": 4, "y": 4.1}, tolerance=0.05).verified


def test_the_module_shows_what_it_offers() -> None:
    assert list(api.__all__) == sorted(api.__all__)
    for name in ("load", "parse", "resolve", "reformulate", "solve", "verify"):
        assert getattr(bl, name) is getattr(api, name)


def two_valleys() -> pyo.ConcreteModel:
    """The follower's deeper valley is at -1/2 for x > 0; its stationary point near 1/2 would suit the leader."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0.1, 1))
    m.y = pyo.Var(bounds=(-1, 1))
    m.leader = pyo.Objective(expr=(m.y - 0.5) ** 2 + (m.x - 0.1) ** 2)
    m.f = pyo.Expression(expr=(m.y**2 - 0.25) ** 2 + 0.01 * m.x * m.y)
    return m


def test_where_the_first_answer_does_not_hold_the_second_method_goes_on() -> None:
    refuted = bl.solve(two_valleys(), "bilevel x\nmin f y", method="kkt")
    assert refuted.status is Status.VERIFICATION_FAILED
    m = two_valleys()
    found = bl.solve(m, "bilevel x\nmin f y")
    assert (found.status, found.method) == (Status.OPTIMAL, "value-function")
    assert found.exactness is Exactness.EPSILON
    # At x = 0.1 the follower's optimum is the root of 4 y (y**2 - 1/4) + 0.001 near -1/2.
    y = min(np.roots([4, 0, -1, 0.001]).real)
    assert found.objective == pytest.approx((y - 0.5) ** 2, abs=1e-3)
    assert m.y.value == pytest.approx(y, abs=1e-3)
    assert any(line.startswith("went on   value-function: kkt ended verification_failed") for line in found.why)


def test_where_the_first_answer_holds_it_is_given_with_multipliers() -> None:
    m = two_valleys()
    m.leader.set_value((m.y + 0.5) ** 2 + (m.x - 0.1) ** 2)
    m.row = pyo.Constraint(expr=m.y >= -1 + 0 * m.x)
    found = bl.solve(m, "bilevel x\nmin f y row")
    assert (found.status, found.method) == (Status.OPTIMAL, "kkt")
    assert "row" in found.duals


# --- A point that fails verification is not the last word


def test_the_next_point_of_a_search_is_given_where_the_best_is_not_verified() -> None:
    problem = bl.resolve(follow(), TEXT)
    model, options = problem.model, Options(encoding="sos1")
    reformulation = Kkt().prepare(problem, options)
    right = reformulation.run(options)
    assert right.values is not None
    # The follower answers y = x: at y = 0 and x > 0 it could do better.
    wrong = ComponentMap((v, 0.0 if v is model.y else 5.0) for v in right.values)
    run = replace(right, values=wrong, objective=-99.0, bound=-100.0)
    found, point, certificate = api._examined(problem, reformulation, replace(run, others=(run, right)), options)
    assert certificate is not None and certificate.verified and point is not None
    assert point.values[model.y] == right.values[model.y]
    assert found.bound == -100.0 and "-99 was not verified" in found.doubts[0]
    kept, _, certificate = api._examined(problem, reformulation, replace(run, others=(run,)), options)
    assert certificate is not None and not certificate.verified and kept.objective == -99.0
