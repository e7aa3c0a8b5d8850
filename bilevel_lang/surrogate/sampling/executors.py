"""Who does the work: this process, processes of this machine, a Dask cluster; anything that ``concurrent.futures`` describes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from bilevel_lang.errors import SolverMissingError, UsageError

CONNECT_SECONDS = 10
"""How long a Dask scheduler may take to answer."""


class ThisProcess(Executor):
    """Does each piece of work at once, when it is handed in."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """A future that is done already."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def executor_for(workers: int = 1, cluster: str | None = None) -> Iterator[Executor]:
    """``workers`` processes of this machine (1: this one), or the Dask ``cluster`` at an address like ``tcp://host:8786``.

    Processes are spawned and not forked, for solvers have threads: a script of yours that samples with several of them needs
    ``if __name__ == "__main__":``. Raises UsageError for no workers and for a scheduler that does not answer, SolverMissingError
    where Dask is not installed.
    """
    if cluster is not None:
        with _dask(cluster) as executor:
            yield executor
    elif workers < 1:
        raise UsageError(f"{workers} workers cannot work", "ask for 1 or more")
    elif workers == 1:
        yield ThisProcess()
    else:
        pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        try:
            yield pool
        finally:
            # After Ctrl-C or an error nobody waits for what has not begun.
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError as error:
        raise SolverMissingError("Dask is not installed", 'pip install "bilevel-lang[dask]"') from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        said = f"no Dask scheduler answers at {address}: {error}"
        raise UsageError(said, "give the address that the scheduler prints when it starts") from error
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()
