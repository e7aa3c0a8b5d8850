"""Plain rows against the general way, which the same rows take where the short one is barred."""

from __future__ import annotations

import io
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from benchmarks.reformulate.instance import ANNOTATION, build
from bilevel_lang.reformulation.optimality_conditions import build_mpec
from bilevel_lang.reformulation.plain_rows import PlainRows

ROWS = {
    "at least": lambda m: m.y[0] + 2 * m.y[1] + m.x >= 1,
    "at most": lambda m: m.y[0] - 2.0 * m.y[1] + m.x <= 1,
    "equation": lambda m: m.y[0] + 2 * m.y[1] + m.x == 1,
    "range": lambda m: (1, m.y[0] + m.y[1] + m.x, 4),
    "one variable": lambda m: m.y[0] >= 1,
    "one term": lambda m: 3 * m.y[2] <= 7,
    "others alone": lambda m: m.x + m.w <= 1,
    "both sides": lambda m: m.y[0] + m.y[1] <= m.x,
    "twice": lambda m: m.y[0] + m.y[1] + 3 * m.y[0] >= 1,
    "gone": lambda m: m.y[0] + m.y[1] - m.y[0] >= 1,
    "three times": lambda m: m.y[0] + 2 * m.y[0] + m.y[1] - 3.5 * m.y[0] >= 1,
    "zero": lambda m: 0 * m.y[0] + m.y[1] + m.x >= 1,
    "1 and 1.0": lambda m: 1.0 * m.y[0] + m.y[1] + 1 * m.y[2] >= 1,
    "with a constant": lambda m: m.y[0] + 3 + m.y[1] >= 1,
    "parameter": lambda m: m.p * m.y[0] + m.y[1] >= m.p,
    "pinned": lambda m: m.y[0] + m.pinned >= 1,
    "fixed": lambda m: m.y[0] + 2 * m.y[3] + m.y[1] >= 1,
    "square": lambda m: m.y[0] + m.y[1] ** 2 <= 9,
    "product": lambda m: m.y[0] * m.x + m.y[1] >= 1,
}


def model(sense: str, wanted: list[str]) -> Any:
    m = pyo.ConcreteModel()
    m.p = pyo.Param(initialize=2, mutable=True)
    m.x, m.w, m.pinned = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(1, 1))
    m.y = pyo.Var(range(4), bounds=(0, 9))
    m.y[3].fix(1)
    m.o = pyo.Objective(expr=m.x + m.y[0] + m.w + m.pinned)
    m.f = pyo.Expression(expr=(1 if sense == "min" else -1) * (m.y[0] + m.y[1] + m.y[2]) + m.y[0])
    m.c = pyo.Constraint(range(len(wanted)), rule=lambda m, i: ROWS[wanted[i]](m))
    return m


def text(model: Any, annotation: str) -> tuple[str, list[str]]:
    built = build_mpec(bl.resolve(model, annotation))
    out = io.StringIO()
    built.twin.model.pprint(out)
    said = [f"{m.name}: {[(f, v.name) for f, v in m.expression]} {m.component.name}" for m in built.reported]
    return out.getvalue(), said


def both(model: Any, annotation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = text(model, annotation)
    monkeypatch.setattr(PlainRows, "add", lambda self, row: None)
    assert short == text(model, annotation)


@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("name", ROWS)
def test_one_row(name: str, sense: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both(model(sense, [name]), f"bilevel x w pinned\n{sense} f y c", monkeypatch)


def test_all_rows_together(monkeypatch: pytest.MonkeyPatch) -> None:
    both(model("min", list(ROWS)), "bilevel x w pinned\nmin f y c", monkeypatch)


def test_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    both(build(60), ANNOTATION, monkeypatch)


def test_the_short_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    add = PlainRows.add
    monkeypatch.setattr(PlainRows, "add", lambda self, row: taken.append(add(self, row)) or taken[-1])
    build_mpec(bl.resolve(build(7), ANNOTATION))
    assert len(taken) == 7 and None not in taken
