"""README does what it says: its commands exist, its snippets run, its output is what comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pyomo.environ as pyo
import pytest

from bilevel_lang import BilevelError, solve
from bilevel_lang.solution import EXIT_CODES
from tests.pages import ROOT, bilevel_solve, blocks, console, run_page, without_noise

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_everything_that_is_meant_to_run_runs(tmp_path: Path) -> None:
    run_page(README, tmp_path)


def test_the_first_output_is_what_the_first_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = [b for b in blocks(README) if b.note.startswith("output: ")]
    assert len(shown) == 1
    printed, code = bilevel_solve(shown[0].note.removeprefix("output: "))
    assert code == 0
    assert without_noise(printed) == without_noise(shown[0].text)


def test_the_two_commands_come_first_and_dev_knows_them() -> None:
    commands = console(next(b for b in blocks(README) if b.language == "console").text)
    assert [command for command, _ in commands] == ["python3 dev.py example", "python3 dev.py test"]
    dev = (ROOT / "dev.py").read_text(encoding="utf-8")
    assert {"example", "test"} <= set(re.findall(r'"(\w+)"', re.search(r'"task", choices=\(([^)]*)\)', dev)[1]))  # type: ignore[index]
    assert re.search(r'EXAMPLE = "(.*)"', dev)[1] in blocks_note()  # type: ignore[index]


def blocks_note() -> str:
    return next(b.note for b in blocks(README) if b.note.startswith("output: "))


def test_the_numbers_of_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By hand: the firm makes min(6, 8 - tax), so output <= 5 needs tax >= 3.
    monkeypatch.chdir(tmp_path)
    for block in blocks(README):
        if block.note.startswith("file: "):
            Path(block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
    printed, code = bilevel_solve("bilevel-solve model.py model.emp")
    assert code == 0
    assert re.search(r"^  tax +3$", printed, re.MULTILINE)
    assert re.search(r"^  output +5$", printed, re.MULTILINE)
    assert bilevel_solve("bilevel-solve model.py mistakes.emp")[1] == 3


def test_the_example_that_fails_verification_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command = re.search(r"`(bilevel-solve \S*mirrlees[^`]*)`", TEXT.replace("\n", " "))
    assert command is not None
    assert bilevel_solve(command[1])[1] == 7


def test_the_table_names_everything_registered() -> None:
    from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
    from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS
    from bilevel_lang.reformulation.registry import REWRITES
    from bilevel_lang.solvers.registry import SOLVERS

    names = [entry.name for registry in (REWRITES, ENCODINGS, LINEAR_ENCODINGS, SOLVERS) for entry in registry]
    assert [name for name in names if f"`{name}`" not in TEXT] == []


def test_what_is_named_as_not_yet_is_refused_by_name() -> None:
    assert "problems of more than two stages" in TEXT
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1, mutable=True)
    m.y = pyo.Var(bounds=(0, 1))
    m.c, m.leader = pyo.Constraint(expr=m.y >= m.d / 4), pyo.Objective(expr=m.y)
    with pytest.raises(BilevelError) as caught:
        solve(m, "randvar d discrete 0.5 1 0.5 2\nstage 3 y c")
    assert caught.value.exit_code == 3
    assert [d for d in caught.value.diagnostics if d.code == "R1" and "more than two stages" in d.message]


def test_every_exit_code_is_named() -> None:
    paragraph = re.search(r"\*\*Exit codes:\*\*(.*?)\n\n", TEXT, re.DOTALL)
    assert paragraph is not None
    named = {int(n) for n in re.findall(r"(?:^|· )\s*(\d+)\b", paragraph[1].replace("\n", " "))}
    assert named == {0, 1, 2, 3, 6} | set(EXIT_CODES.values())


def test_the_layout_heading_says_that_the_parts_are_in_one_package() -> None:
    heading = re.search(r"^## Layout: (.*)$", TEXT, re.MULTILINE)
    assert heading is not None
    assert heading[1].startswith("`grammar`, `surrogate` and `reformulation` are parts of the one import package")
