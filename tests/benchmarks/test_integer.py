from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.integer.peers import MIBS, shifted_mean
from benchmarks.integer.run import Instance, instances, known, line, run, score, summary
from benchmarks.table_file import append

MPS = """NAME moore90
ROWS
 N COST
 L R1
 L R2
 L R3
 L R4
COLUMNS
 M1 'MARKER' 'INTORG'
 x COST -1 R1 -25
 x R2 1 R3 2
 x R4 -2
 y COST -10 R1 20
 y R2 2 R3 -1
 y R4 -10
 M2 'MARKER' 'INTEND'
RHS
 RHS R1 30 R2 10
 RHS R3 15 R4 -15
BOUNDS
 UI BND x 10
 UI BND y 10
ENDATA
"""
AUX = "N 1\nM 4\nLC 1\nLR 0\nLR 1\nLR 2\nLR 3\nLO 1\nOS 1\n"
INDEX = """name,file,set,nvars_upper,best_known_objective,status
moore90,misc/moore90.mps + .aux,misc,1,-22.0,optimal
K1,inter-kp/K1.mps + .aux,inter-kp,30,7.0,open with feasible point
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "misc").mkdir()
    (tmp_path / "misc" / "moore90.mps").write_text(MPS)
    (tmp_path / "misc" / "moore90.aux").write_text(AUX)
    (tmp_path / "index.csv").write_text(INDEX)
    return tmp_path


def test_the_index(folder: Path) -> None:
    first, second = instances(folder)
    assert first == Instance("moore90", "misc", "misc/moore90.mps", -22.0, True)
    assert (second.family, second.proven) == ("inter-kp-30", False)


def test_an_instance_is_solved_once(folder: Path) -> None:
    first, _ = instances(folder)
    result = run(first, folder, 20.0)
    assert (result.score, result.objective, result.verified) == ("solved", -22.0, True)
    # So small a problem is listed: there is no search.
    assert (result.nodes, result.follower_solves) == (0, 0)
    table = folder / "table.csv"
    append(table, result)
    append(table, replace(result, name="other", gap=None))
    assert known(table) == {"moore90": result, "other": replace(result, name="other", gap=None)}
    assert "moore90" in line(result)
    text = "\n".join(summary([result, replace(result, cpu=99.0)], 60.0))
    assert "misc             1 of  2" in text
    assert f"{MIBS['misc'].solved} of {MIBS['misc'].of}" in text


@pytest.mark.parametrize(
    ("status", "objective", "bound", "proven", "expected"),
    [
        ("optimal", -22.0, -22.0, True, "solved"),
        ("optimal", -21.0, -21.0, True, "WRONG"),
        ("optimal", -23.0, -23.0, True, "WRONG"),
        ("optimal", -23.0, -23.0, False, "solved"),
        ("limit", -20.0, -23.0, True, "bracket"),
        ("limit", -20.0, -40.0, True, "open"),
        ("limit", None, -23.0, True, "open"),
        ("limit", -20.0, -21.0, True, "WRONG"),
    ],
)
def test_scores(status: str, objective: float | None, bound: float, proven: bool, expected: str) -> None:
    assert score(Instance("moore90", "misc", "", -22.0, proven), status, objective, bound) == expected


def test_the_mean_is_shifted_by_a_second() -> None:
    # (1 + 1)(7 + 1) = 16 = 4 * 4.
    assert shifted_mean([1.0, 7.0]) == pytest.approx(3.0)
