from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import bilevel_lang as bl
from bilevel_lang.cli import main
from bilevel_lang.errors import UsageError
from tests.smps_files.files import CORE, INDEPENDENT, TIME


def written(folder: Path) -> Path:
    (folder / "small.cor").write_text(CORE, encoding="utf-8")
    (folder / "small.tim").write_text(TIME, encoding="utf-8")
    (folder / "small.sto").write_text(INDEPENDENT, encoding="utf-8")
    return folder / "small.cor"


def by_hand() -> float:
    """Each x on a grid of halves: what is short of a demand is bought at twice the price."""
    best = float("inf")
    for x1, x2 in itertools.product([k / 2 for k in range(21)], repeat=2):
        if x1 + x2 <= 10:
            short1 = 0.5 * max(0, 2 - x1) + 0.5 * max(0, 6 - x1)
            short2 = 0.25 * max(0, 1 - x2) + 0.75 * max(0, 5 - x2)
            best = min(best, x1 + x2 + 2 * (short1 + short2))
    return best


def test_three_files_are_a_stochastic_program(tmp_path: Path) -> None:
    model, info = bl.read_smps(written(tmp_path))
    answer = bl.solve(model, info)
    assert answer.status.value == "optimal"
    assert answer.objective == pytest.approx(by_hand())
    assert answer.stochastic is not None
    assert answer.stochastic.scenarios == 4


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    core = written(tmp_path)
    assert main([str(core), str(core.with_suffix(".sto"))]) == 0
    assert "scenarios  4 (all)" in capsys.readouterr().out
    other = core.with_suffix(".tim").rename(tmp_path / "other.tim")
    assert main([str(core), str(core.with_suffix(".sto"))]) == 2
    assert "there is no" in capsys.readouterr().err
    assert main([str(core), str(other), str(core.with_suffix(".sto"))]) == 0


def test_files_in_the_wrong_order_or_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    core = written(tmp_path)
    assert main([str(core.with_suffix(".sto")), str(core)]) == 2
    assert "the core file comes first" in capsys.readouterr().err
    with pytest.raises(UsageError, match="cannot read"):
        bl.read_smps(core, tmp_path / "nothing.sto")
    with pytest.raises(UsageError, match=r"cannot read .*nothing\.cor"):  # and not that its time file is missing
        bl.read_smps(tmp_path / "nothing.cor")
    core.with_suffix(".sto").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        bl.read_smps(core)
