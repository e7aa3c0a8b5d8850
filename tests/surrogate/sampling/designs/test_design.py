"""What every design has to keep."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.surrogate.sampling.designs.around import Around
from bilevel_lang.surrogate.sampling.designs.csv_file import CsvFile
from bilevel_lang.surrogate.sampling.designs.design import Design
from bilevel_lang.surrogate.sampling.designs.feasible import Feasible
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube
from bilevel_lang.surrogate.sampling.designs.listed import Listed
from bilevel_lang.surrogate.sampling.designs.registry import DESIGNS
from bilevel_lang.surrogate.sampling.designs.sobol import Sobol
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace

SPACE = InputSpace(("x", "n"), np.array([-1.0, 0.0]), np.array([1.0, 6.0]), np.array([False, True]))


def as_it_is(points: np.ndarray) -> np.ndarray:
    return points


def every_design(folder: Path) -> list[Design]:
    rows = "\n".join(f"{k / 50},{k % 7}" for k in range(50))
    (folder / "p.csv").write_text(f"x,n\n{rows}\n")
    return [
        LatinHypercube(),
        Sobol(),
        Feasible(as_it_is, "box"),
        CsvFile.read(folder / "p.csv"),
        Around((0.0, 3.0)),
        Listed(np.array([[k / 30, k % 7] for k in range(27)])),
    ]


@pytest.mark.parametrize("number", range(len(DESIGNS)), ids=[d.name for d in DESIGNS])
def test_points_are_of_the_box_repeatable_and_travel(number: int, tmp_path: Path) -> None:
    design = every_design(tmp_path)[number]
    assert isinstance(design, DESIGNS[number])
    for shard in (Shard(0, 0, 20, 9), Shard(1, 20, 7, 9)):
        points = design.points(SPACE, shard)
        assert points.shape == (shard.count, 2) and SPACE.contains(points).all()
        assert np.array_equal(pickle.loads(pickle.dumps(design)).points(SPACE, shard), points)
    assert json.loads(json.dumps(design.key()))["name"] == design.name
