"""Runs: the same samples whoever works and however often they are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bilevel_lang.errors import RefusedError, SampleFileError, SolverFailedError
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube
from bilevel_lang.surrogate.sampling.designs.sobol import Sobol
from bilevel_lang.surrogate.sampling.executors import executor_for
from bilevel_lang.surrogate.sampling.run import Plan, sample
from bilevel_lang.surrogate.sampling.space import box
from tests.surrogate.sampling.recipes import Square

PLAN = Plan(box(["x0", "x1"]), LatinHypercube(), samples=45, seed=5, shard_size=10)
ROOT = Path(__file__).resolve().parents[3]


def test_samples_are_those_of_the_design_in_order() -> None:
    found = sample(Square(), PLAN)
    assert len(found.data) == found.drawn == 45 and found.rate > 0
    assert 0 < (~found.data.feasible).sum() < 45
    again = sample(Square(), replace(PLAN, samples=20))
    assert (again.data.inputs == found.data.inputs[:20]).all()


def test_the_number_and_kind_of_workers_does_not_matter(tmp_path: Path) -> None:
    alone = sample(Square(), PLAN).data.content_hash()
    with ThreadPoolExecutor(3) as threads:
        assert sample(Square(slow=0.01), PLAN, threads).data.content_hash() == alone
    with executor_for(2) as processes:
        assert sample(Square(trace=tmp_path), PLAN, processes).data.content_hash() == alone
    # Compiled once for each process.
    assert 1 <= len(list(tmp_path.glob("built-*"))) <= 2


def test_what_is_in_the_folder_is_not_drawn_again(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    whole = sample(Square(), PLAN, folder=tmp_path, progress=lambda *now: heard.append(now))
    assert heard == [(0, 45), (10, 45), (20, 45), (30, 45), (40, 45), (45, 45)]
    (tmp_path / "shard-000002-10.samples").unlink()
    again = sample(Square(), PLAN, folder=tmp_path)
    assert again.drawn == 10 and again.data.content_hash() == whole.data.content_hash()
    longer = sample(Square(), replace(PLAN, samples=60), folder=tmp_path)
    assert longer.drawn == 20 and longer.data.content_hash() == sample(Square(), replace(PLAN, samples=60)).data.content_hash()
    assert sample(Square(), PLAN, folder=tmp_path).rate == 0.0


def test_what_does_not_belong_there_is_said(tmp_path: Path) -> None:
    sample(Square(), PLAN, folder=tmp_path)
    for recipe, plan, words in [
        (Square(slope=2.0), PLAN, "problem has changed"),
        (Square(), replace(PLAN, design=Sobol()), "design"),
        (Square(), replace(PLAN, seed=6), "seed"),
    ]:
        with pytest.raises(SampleFileError, match=words):
            sample(recipe, plan, folder=tmp_path)
    shard = tmp_path / "shard-000001-10.samples"
    shard.write_bytes(shard.read_bytes()[:-7])
    with pytest.raises(SampleFileError, match="cut off"):
        sample(Square(), PLAN, folder=tmp_path)


def test_errors_of_design_and_labels_come_through() -> None:
    with pytest.raises(ValueError, match="no labels here"):
        sample(Square(wrong=True), PLAN)
    with pytest.raises(RefusedError, match="`x0` has no upper bound"):
        sample(Square(), replace(PLAN, space=box(["x0"], upper=float("inf"))))


def test_a_worker_that_dies_is_an_error_and_finished_shards_stay(tmp_path: Path) -> None:
    sample(Square(), replace(PLAN, samples=10), folder=tmp_path)
    with executor_for(2) as processes, pytest.raises(SolverFailedError, match="a worker died"):
        sample(Square(deadly=True), PLAN, processes, tmp_path)
    assert sample(Square(), PLAN, folder=tmp_path).drawn <= 35


PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from bilevel_lang.surrogate.sampling.run import sample
from tests.surrogate.sampling.recipes import Square
from tests.surrogate.sampling.test_run import PLAN
sample(Square(slow=0.2), PLAN, folder=Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a thing of POSIX")
def test_after_kill_9_the_same_command_goes_on(tmp_path: Path) -> None:
    running = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("shard-*"))) < 2:
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
    finally:
        running.kill()
        running.wait()
    kept = len(list(tmp_path.glob("shard-*")))
    assert 2 <= kept < 5
    found = sample(Square(), PLAN, folder=tmp_path)
    # Nothing is lost but the shard at work.
    assert found.drawn == 45 - 10 * kept
    assert found.data.content_hash() == sample(Square(), PLAN).data.content_hash()
