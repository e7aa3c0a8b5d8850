"""Sets of scenarios that are drawn anew are read as what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bilevel_lang as bl
from benchmarks.two_stage.instances import named
from benchmarks.two_stage.sslp import random_rows, stochastic_file, write_set
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from tests.smps_files.files import CORE, TIME

SCENARIOS = """STOCH         SMALL
SCENARIOS     DISCRETE
 SC SCEN1     ROOT      0.5       STAGE-2
    RHS       serve     1   limit 0
 SC SCEN2     ROOT      0.5       STAGE-2
    RHS       limit     1
ENDATA
"""


def test_scenarios_are_equally_likely_and_a_client_comes_to_half_of_them(tmp_path: Path) -> None:
    for suffix, text in ((".cor", CORE), (".tim", TIME.replace("TWO", "STAGE-2")), (".sto", SCENARIOS)):
        (tmp_path / f"sslp_1_2_2{suffix}").write_text(text, encoding="utf-8")
    core = write_set(tmp_path / "sslp_1_2_2", 400, 3, tmp_path / "sets")
    assert core.name == "sslp_1_2_400_s3.cor"
    problem = bl.resolve(*bl.read_smps(core))
    assert problem.stochastic is not None
    arrays = compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays
    assert arrays.probabilities == pytest.approx(np.full(400, 1 / 400))
    comes = arrays.varying["row_lower"].values
    assert set(comes.ravel().tolist()) == {0.0, 1.0}
    # Four standard deviations of the mean of 400 halves.
    assert comes.mean(axis=0) == pytest.approx(0.5, abs=0.1)
    assert named("SSLP_1_2_400_S3", core.parent).smps == core


def test_a_seed_gives_the_same_set_and_another_one_another() -> None:
    rows = random_rows(SCENARIOS)
    assert rows == ["serve", "limit"]
    assert stochastic_file("A", rows, 20, 1) == stochastic_file("A", rows, 20, 1) != stochastic_file("A", rows, 20, 2)


def test_a_file_without_scenarios_is_refused() -> None:
    with pytest.raises(ValueError, match="no scenario"):
        random_rows("STOCH  A\nINDEP  DISCRETE\nENDATA\n")
