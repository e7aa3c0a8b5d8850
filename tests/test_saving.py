"""What ``--write`` makes of a file name: the problem itself as two files, or the rewritten model."""

from __future__ import annotations

from pathlib import Path

import pyomo.environ as pyo
import pytest

from bilevel_lang import read_mps_aux, resolve, solve
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.saving import files_of, save


def problem(curved: bool = False, low: float = -1.0) -> BilevelProblem:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 4)), pyo.Var(bounds=(0, 4))
    m.lead = pyo.Objective(expr=m.x - 2 * m.y)
    m.low = pyo.Expression(expr=m.y**2 if curved else m.y)
    m.row = pyo.Constraint(expr=pyo.inequality(low, m.y - m.x, 1.39))
    return resolve(m, "bilevel x\nmin low y row")


def test_the_files_that_a_name_stands_for() -> None:
    pair = (Path("d.e/a.mps"), Path("d.e/a.aux"))
    assert files_of(pair[0]) == files_of(pair[1]) == pair
    assert files_of(Path("a.lp")) == (Path("a.lp"),)


@pytest.mark.parametrize("name", ["a.mps", "a.aux"])
def test_the_problem_itself(name: str, tmp_path: Path) -> None:
    saved = save(problem(), tmp_path / name, Options())
    assert "the bilevel problem itself" in saved.said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.aux", "a.mps"]
    # y = max(0, x - 1), so x - 2 y is best at x = 4: 4 - 6.
    assert solve(*read_mps_aux(tmp_path / "a.mps")).objective == pytest.approx(-2)


def test_a_side_that_is_off_in_its_last_digit_is_said(tmp_path: Path) -> None:
    assert "`row` is off in its last digit" in save(problem(low=-1.46), tmp_path / "a.mps", Options()).said


def test_the_rewritten_model_where_it_is_asked_for_and_how_it_was_chosen(tmp_path: Path) -> None:
    saved = save(problem(), tmp_path / "a.mps", Options(encoding="sos1"))
    assert saved.said.endswith("a.mps (kkt + sos1)")
    assert any(line.startswith("chosen    kkt") for line in saved.path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mps"]


def test_a_problem_that_two_files_cannot_state(tmp_path: Path) -> None:
    saved = save(problem(curved=True), tmp_path / "a.mps", Options())
    assert "kkt + " in saved.said
    assert "'low' is not linear" in saved.said
    with pytest.raises(RefusedError, match="not linear"):
        save(problem(curved=True), tmp_path / "b.aux", Options())
    assert [p.name for p in tmp_path.iterdir()] == ["a.mps"]


def test_what_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--aux-format"):
        save(problem(), tmp_path / "a.lp", Options(), "index")
    with pytest.raises(UsageError, match="as it is"):
        save(problem(), tmp_path / "a.aux", Options(method="kkt"))


NEWSVENDOR = """randvar d discrete 0.5 60 0.5 30
stage 2 d sold demand
"""


def newsvendor() -> BilevelProblem:
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=60, mutable=True)
    m.x, m.sold = pyo.Var(bounds=(0, 200)), pyo.Var(bounds=(0, None))
    m.demand = pyo.Constraint(expr=m.sold <= m.d)
    m.gain = pyo.Objective(expr=6 * m.sold - 3 * m.x, sense=pyo.maximize)
    return resolve(m, NEWSVENDOR)


def test_a_gams_file_of_what_has_no_conditions_needs_no_encoding(tmp_path: Path) -> None:
    assert "extensive-form + no encoding" in save(newsvendor(), tmp_path / "a.gms", Options()).said
    assert "kkt + scholtes" in save(problem(), tmp_path / "b.gms", Options()).said
    with pytest.raises(RefusedError, match="no conditions to encode"):
        save(newsvendor(), tmp_path / "c.gms", Options(encoding="scholtes"))


@pytest.mark.parametrize("name", ["a.lp", "a.gms"])
def test_a_relaxation_that_is_written_is_called_one(name: str, tmp_path: Path) -> None:
    made = problem()
    for variable in (made.model.x, made.model.y):
        variable.domain = pyo.Integers
    said = save(resolve(made.model, "bilevel x\nmin low y row"), tmp_path / name, Options()).said
    assert "value-function + no encoding" in said
    assert "warning: this is the high-point relaxation" in said
