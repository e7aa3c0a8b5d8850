from __future__ import annotations

import pytest

from bilevel_lang.reformulation.value_function.integer.progress import HEADER, Progress, line
from bilevel_lang.solvers.tree_judge import TreeState


def test_lines_come_at_a_readable_rate(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(True)
    for tenth in range(100):
        progress.tell(TreeState(tenth / 10, tenth, 3, None, -5.0), 7, 9)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(HEADER)
    assert captured.err.count("\n") == 11


def test_silent_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    Progress(False).tell(TreeState(100.0, 1, 1, None, None), 0, 0)
    assert capsys.readouterr().err == ""


def test_a_line_has_the_gap() -> None:
    said = line(TreeState(1.5, 10, 2, -20.0, -25.0), 3, 4).split()
    assert said == ["1.5s", "10", "2", "-20", "-25", "25.00%", "3", "4"]
    assert line(TreeState(1.5, 10, 2, None, None), 3, 4).split()[3:6] == ["-", "-", "-"]
