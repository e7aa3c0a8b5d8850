"""Who works: this process, processes, a real Dask scheduler with two workers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from bilevel_lang.errors import RefusedError, SolverMissingError, UsageError
from bilevel_lang.surrogate.sampling.executors import ThisProcess, executor_for
from bilevel_lang.surrogate.sampling.run import sample
from bilevel_lang.surrogate.sampling.space import box
from tests.surrogate.sampling.recipes import Square
from tests.surrogate.sampling.test_run import PLAN


def test_this_process_works_at_once() -> None:
    with executor_for() as executor:
        assert isinstance(executor, ThisProcess)
        assert executor.submit(os.getpid).result() == os.getpid()
        assert isinstance(executor.submit(int, "x").exception(), ValueError)


def test_processes_are_others_and_errors_travel() -> None:
    with executor_for(2) as executor:
        assert executor.submit(os.getpid).result() != os.getpid()
        with pytest.raises(RefusedError) as caught:
            executor.submit(box(["x0"], upper=float("inf")).require_bounds).result()
    assert caught.value.diagnostics[0].help and "`x0` has no upper bound" in str(caught.value)


def test_no_worker_cannot_work() -> None:
    with pytest.raises(UsageError, match="0 workers"), executor_for(0):
        pass


@pytest.fixture
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'bilevel-lang[dask]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as running:
        yield running.scheduler_address


@pytest.mark.slow
def test_dask_gives_the_same_samples(cluster: str) -> None:
    assert cluster.startswith("tcp://")
    with executor_for(cluster=cluster) as executor:
        found = sample(Square(slow=0.05), PLAN, executor)
        again = sample(Square(slow=0.05), PLAN, executor)
    assert found.data.content_hash() == again.data.content_hash() == sample(Square(), PLAN).data.content_hash()


def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: pip install 'bilevel-lang[dask]'")
    monkeypatch.setattr("bilevel_lang.surrogate.sampling.executors.CONNECT_SECONDS", 0.5)
    with pytest.raises(UsageError, match="no Dask scheduler answers"), executor_for(cluster="tcp://127.0.0.1:9"):
        pass


def test_without_dask_the_mend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SolverMissingError, match="not installed") as caught, executor_for(cluster="tcp://127.0.0.1:9"):
        pass
    assert "bilevel-lang[dask]" in caught.value.diagnostics[0].help
