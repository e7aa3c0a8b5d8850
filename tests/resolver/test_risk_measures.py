from __future__ import annotations

import pyomo.environ as pyo
import pytest

from tests.resolver.models import findings, resolved
from tests.stochastic_models import RISKY, newsvendor_with_profit


def test_measures_and_what_stands_for_them() -> None:
    text = "expectedvalue p ev cvarlo p c 0.1 chance stock 0.9"
    program = resolved(newsvendor_with_profit(), RISKY + text).stochastic
    assert program is not None
    found = [(r.kind, r.variable.name, r.result.name if r.result is not None else None, r.level) for r in program.risks]
    assert found == [("expectedvalue", "p", "ev", 1.0), ("cvarlo", "p", "c", 0.1)]
    (chance,) = program.chances
    assert ([r.name for r in chance.rows], chance.probability) == (["stock"], 0.9)
    alone = resolved(newsvendor_with_profit(), RISKY + "varlo p 0.3").stochastic
    assert alone is not None
    assert alone.risks[0].result is None


MISTAKES = {
    "cvarlo p 0.95": ("E28", "level 0.95", "for the lowest 5 % write 0.05"),
    "cvarup p 0": ("E28", "level 0", "0.05"),
    "cvarlo x 0.1": ("E28", "`x` is decided in stage 1", "stage 2 x"),
    "cvarlo p s 0.1": ("E28", "`s` stands for a measure", "stage 1"),
    "cvarlo stock 0.1": ("E28", "`stock` is a row, a single variable", "one variable"),
    "cvarlo p 0.1 cvarlo p 0.2": ("E28", "`p` stands for two measures", "of its own"),
    "chance stock 1.2": ("E28", "`1.2` is no probability", "at most 1"),
    "chance p 0.9": ("E28", "`p` is a variable, a row", "stage 2"),
    "cvarlo asleep 0.1": ("E28", "`asleep` is in no active row", "row of stage 2"),
    "cvarlo i c 0.1": ("E28", "`i` is fixed", "unfix it"),
    "expectedvalue p held": ("E28", "`held` is fixed", "unfix it"),
    "chance off 0.9": ("E28", "`off` is deactivated", "activate it"),
    "chance stock 3 0.9": ("R1", "with a count, a weight or a variable", "penalty"),
    "chance stock 0.9 p": ("R1", "with a count, a weight or a variable", "penalty"),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=list(MISTAKES))
def test_mistakes(text: str, expected: tuple[str, str, str]) -> None:
    m = newsvendor_with_profit()
    m.i.fix(0)
    m.held, m.asleep = pyo.Var(), pyo.Var()
    m.held.fix(1)
    m.off = pyo.Constraint(expr=m.s + m.asleep <= 50)
    m.off.deactivate()
    found = findings(m, "stagedefault 2 stage 1 x held c ev\n" + RISKY + text)[0]
    assert found.code == expected[0]
    assert expected[1] in found.message
    assert expected[2] in found.help
    assert found.span is not None


def test_rows_of_the_first_stage_hold_or_not_whatever_happens() -> None:
    m = newsvendor_with_profit()
    m.early = pyo.Constraint(expr=m.x <= 100)
    assert "`early` belongs to stage 1" in findings(m, RISKY + "chance early 0.9")[0].message
