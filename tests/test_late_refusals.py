"""Annotations whose mistake shows only when there are numbers, through the command line: place, exit code and mend of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilevel_lang import cli

MODEL = """
import pyomo.environ as pyo

model = m = pyo.ConcreteModel("newsvendor")
m.d = pyo.Param(initialize=60, mutable=True, within=pyo.NonNegativeReals)
m.r = pyo.Param(initialize=60, mutable=True)
m.w = pyo.Param(initialize=1, mutable=True)
m.x = pyo.Var(bounds=(0, 200))
m.c = pyo.Var()
m.near = pyo.Var(bounds=(-10000, 10000))
m.b = pyo.Var(within=pyo.Binary)
m.sold = pyo.Var(bounds=(0, None))
m.lost = pyo.Var(bounds=(0, None))
m.left = pyo.Var(bounds=(0, None))
m.cost = pyo.Var()
m.over = pyo.Var(bounds=(0, None))
m.demand = pyo.Constraint(expr=m.sold + m.lost == m.d)
m.stock = pyo.Constraint(expr=m.sold + m.left == m.x)
m.defcost = pyo.Constraint(expr=m.cost == 30 * m.x + 10 * m.left + 5 * m.lost - m.r * m.sold)
m.two = pyo.Constraint(expr=pyo.inequality(0, m.sold, 50))
m.free = pyo.Constraint(expr=m.c >= m.sold + m.lost - 70)
m.excess = pyo.Constraint(expr=m.over >= m.cost - 1000)
m.total = pyo.Objective(expr={objective}, sense=pyo.minimize)
"""
LATE = "stage 2 sold lost left cost over demand stock defcost two free excess\n"
THREE = "randvar d discrete 0.4 90 0.3 60 0.3 30\n"

# What follows the annotation's first lines, the objective, arguments; then place, exit code, the message's and the mend's words.
CASES = {
    "upper tail of what is wanted large": (
        (THREE + LATE + "\n  cvarup cost 0.1\n", "-m.cost", ()),
        ("4:3", 3, "`cvarup` of `cost` is exact only where the model wants it small", "measure the other tail"),
    ),
    "lower tail of what is wanted small": (
        (THREE + LATE + "cvarlo cost 0.1\n", "m.cost", ()),
        ("3:1", 3, "`cvarlo` of `cost` is exact only where the model wants it large", "measure the other tail"),
    ),
    "quantile in the wrong direction": (
        (THREE + LATE + "expectedvalue sold varlo cost 0.1\n", "m.cost", ()),
        ("3:20", 3, "`varlo` of `cost` is exact only where the model wants it large", "measure the other tail"),
    ),
    "a result in the wrong direction": (
        (THREE + LATE + "cvarlo cost c 0.1\n", "m.cost + m.c", ()),
        ("3:1", 3, "`cvarlo` of `cost` is exact only where the model wants it large", "measure the other tail"),
    ),
    "a result with a bound on the wrong side": (
        (THREE + LATE + "cvarup cost near 0.1\n", "m.near", ()),
        ("3:1", 3, "and here the lower bound of `near` does not", "take the bound away"),
    ),
    "a measure of what the objective does not have": (
        (THREE + LATE + "cvarup sold 0.1\n", "m.cost", ()),
        ("3:1", 3, "`sold` is not in the objective", "`cvarup sold c 0.1`"),
    ),
    "a measure with a random price": (
        (THREE + LATE + "randvar w discrete 0.5 1 0.5 2\ncvarup cost 0.1\n", "m.w * m.cost", ()),
        ("4:1", 3, "the coefficient of `cost` in the objective is random", "a variable that holds the whole product"),
    ),
    "a quantile of what nothing bounds": (
        (THREE + LATE + "varup over 0.1\n", "m.cost + m.over", ()),
        ("3:1", 3, "VaR of `over` needs a bound", "give `over` bounds"),
    ),
    "a chance of a row with two sides": (
        (THREE + LATE + "chance two 0.9\n", "m.cost", ()),
        ("3:1", 3, "row `two` has two sides", "write two rows"),
    ),
    "a chance of a row that nothing bounds": (
        (THREE + LATE + "chance\n  free 0.9\n", "m.cost", ()),
        ("3:1", 3, "chance constraint on `free` needs a big-M", "give the variables of the row bounds"),
    ),
    "a chance by a method that takes scenarios one by one": (
        (THREE + LATE + "chance two 0.9\n", "m.cost", ("--method", "l-shaped")),
        ("3:1", 3, "l-shaped: measures of risk and chance constraints tie the scenarios", "--method extensive-form"),
    ),
    "a measure by a method of expected costs": (
        (THREE + LATE + "chance two 0.9\ncvarup cost 0.1\n", "m.cost", ("--method", "nn-embed")),
        ("4:1", 3, "nn-embed: measures of risk and chance constraints tie the scenarios together", "--method extensive-form"),
    ),
    "a measure as Pyomo components": (
        (THREE + LATE + "cvarup cost 0.1\n", "m.cost", ("--write", "written.nl")),
        ("3:1", 3, "measures of risk and chance constraints go to the solver as arrays", "`--write FILE.mps`"),
    ),
    "a value outside the domain": (
        ("randvar d discrete 0.4 90 0.6 -3\n" + LATE, "m.cost", ()),
        ("1:9", 3, "`d` is to be -3, and is declared to be in NonNegativeReals", "a wider domain"),
    ),
    "a value outside the domain in a joint law": (
        ("jrandvar r d\n  0.4 60 90\n  0.6 70 -3\n" + LATE, "m.cost", ("--check",)),
        ("1:10", 3, "`d` is to be -3, and is declared to be in NonNegativeReals", "a wider domain"),
    ),
    "a value outside the domain in a table": (
        ("scenarios 'table.csv'\n" + LATE, "m.cost", ("--check",)),
        ("1:1", 3, "in scenario dry `d` is to be -4", "a wider domain"),
    ),
    "a sample outside the domain": (
        ("sample d 20\nrandvar d normal 0 1\n" + LATE, "m.cost", ()),
        ("2:9", 3, "in scenario ", "a wider domain"),
    ),
    "a sample outside the domain when the answer is tried out": (
        ("randvar d uniform -0.001 1\nsample d 1\n" + LATE, "m.cost", ("--evaluate", "20000")),
        ("1:9", 3, "in scenario ", "a wider domain"),
    ),
    "a law without a sample": (
        ("randvar r discrete 0.5 60 0.5 70\nrandvar d normal 60 1\n" + LATE, "m.cost", ()),
        ("2:9", 3, "the scenarios cannot be listed", "`--scenarios 1000`"),
    ),
    "laws with too many values together": (
        ("randvar d uniform 0 1\nrandvar r uniform 0 1\nsample d 2000\nsample r 2000\n" + LATE, "m.cost", ()),
        ("1:9", 3, "4,000,000 scenarios together", "`--scenarios 1000`"),
    ),
    "a type of model beside scenarios": (
        ("modeltype mip\n" + THREE + LATE, "m.cost", ()),
        ("2:1", 3, "`randvar` is not allowed beside `modeltype`", "take it out"),
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=list(CASES))
def test_the_place_is_named(
    given: tuple[str, str, tuple[str, ...]],
    expected: tuple[str, int, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (annotation, objective, arguments), (place, code, said, mend) = given, expected
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(MODEL.format(objective=objective), encoding="utf-8")
    Path("model.emp").write_text(annotation, encoding="utf-8")
    Path("table.csv").write_text("scenario,d\nwet,60\ndry,-4\n", encoding="utf-8")
    assert cli.main(["model.py", "model.emp", *arguments]) == code
    first, line, caret, help = capsys.readouterr().err.strip().split("\n")  # one finding, and nothing after it
    assert first.startswith(f"model.emp:{place}: error[")
    assert said in first
    number, column = map(int, place.split(":"))
    assert line == f"{number:>5} | {annotation.splitlines()[number - 1]}"
    assert caret.index("^") == len("    1 | ") + column - 1
    assert help.startswith("help: ")
    assert mend in help
