"""What is written is read as the same problem."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings

from bilevel_lang.errors import UsageError
from bilevel_lang.mps_files.instance import BilevelInstance, Column, Follower, MpsInstance, Row
from bilevel_lang.mps_files.writing import aux_text, mps_text, rounded_ranges
from tests.mps_files.instances import AUX, MPS, instances, read


@settings(max_examples=60)
@given(instances())
def test_both_files_are_read_as_they_were_written(instance: BilevelInstance) -> None:
    assert read(mps_text(instance.mps), aux_text(instance, "index")) == instance


@settings(max_examples=40)
@given(instances())
def test_the_named_dialect_has_no_sense_and_negates_the_objective(instance: BilevelInstance) -> None:
    found = read(mps_text(instance.mps), aux_text(instance, "named", "tiny.mps"))
    follower = instance.follower
    costs = tuple(follower.sense * c for c in follower.costs)
    assert found == BilevelInstance(instance.mps, replace(follower, sense=1, costs=costs))


@settings(max_examples=25)
@given(instance=instances())
def test_highs_reads_the_same_matrix(instance: BilevelInstance, tmp_path_factory: pytest.TempPathFactory) -> None:
    mps = replace(instance.mps, columns=tuple(replace(c, lower=min(c.lower, 0.0)) for c in instance.mps.columns))
    path: Path = tmp_path_factory.mktemp("highs") / "tiny.mps"
    path.write_text(mps_text(mps), encoding="utf-8")
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(path)) != highspy.HighsStatus.kError
    lp = highs.getLp()
    assert [*lp.col_names_] == [c.name for c in mps.columns]
    assert [*lp.row_names_] == [r.name for r in mps.rows]
    assert [*zip(lp.col_lower_, lp.col_upper_, lp.col_cost_, strict=True)] == [(c.lower, c.upper, c.cost) for c in mps.columns]
    assert [*zip(lp.row_lower_, lp.row_upper_, strict=True)] == [(r.lower, r.upper) for r in mps.rows]
    whole = [t == highspy.HighsVarType.kInteger for t in lp.integrality_] or [False] * len(mps.columns)
    assert whole == [c.integer for c in mps.columns]
    assert lp.offset_ == mps.constant
    assert (lp.sense_ == highspy.ObjSense.kMinimize) == (mps.sense == 1)
    theirs = sp.csc_matrix((lp.a_matrix_.value_, lp.a_matrix_.index_, lp.a_matrix_.start_), (len(mps.rows), len(mps.columns)))
    ours = np.zeros(theirs.shape)
    for i, row in enumerate(mps.rows):
        for j, coefficient in row.terms:
            ours[i, j] = coefficient
    assert (theirs.toarray() == ours).all()


def test_ranges_that_no_distance_gives_exactly_are_named() -> None:
    sides = [(-1.46, 1.39), (0.1, 1.0), (-0.5, 0.25), (-1.0, 1e15), (-np.inf, 0.1), (0.3, 0.3), (-0.22, 0.89)]
    rows = tuple(Row(f"r{k}", lower, upper, ((0, 1.0),)) for k, (lower, upper) in enumerate(sides))
    mps = MpsInstance("", 1, 0.0, (Column("x", 0.0, 9.0, False, 1.0), Column("y", 0.0, 9.0, False, 1.0)), rows)
    found = read(mps_text(mps), aux_text(BilevelInstance(mps, Follower((1,), (1.0,), ())), "index")).mps.rows
    assert rounded_ranges(mps) == [a.name for a, b in zip(rows, found, strict=True) if a != b] == ["r0", "r6"]
    for row, back in zip(rows, found, strict=True):
        assert back.lower == pytest.approx(row.lower, rel=1e-15)
        assert back.upper == pytest.approx(row.upper, rel=1e-15)


def test_a_leader_that_minimises_has_no_sense_section() -> None:
    instance = read(MPS, AUX)
    assert "OBJSENSE" not in mps_text(instance.mps)
    assert "OBJSENSE\n    MAX\n" in mps_text(replace(instance.mps, sense=-1))


@pytest.mark.parametrize("name", ["a b", "", "'MARKER'", "@x", "*x"])
def test_names_that_a_file_cannot_hold(name: str) -> None:
    with pytest.raises(UsageError):
        mps_text(MpsInstance("", 1, 0.0, (Column(name, 0.0, 1.0, False, 1.0),), ()))


def test_an_unknown_dialect() -> None:
    empty = BilevelInstance(MpsInstance("", 1, 0.0, (), ()), Follower((), (), ()))
    with pytest.raises(UsageError, match="named, index"):
        aux_text(empty, "json")
