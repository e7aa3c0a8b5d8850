"""A run: shards drawn and labelled by any executor, kept in files, resumed where they are.

What the samples are depends on problem, box, design, seed and size of the shards; not on who worked, how many, or how often they
were stopped.
"""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.surrogate.dataset import DataSet, Floats, concatenated
from bilevel_lang.surrogate.sampling.designs.design import Design
from bilevel_lang.surrogate.sampling.executors import ThisProcess
from bilevel_lang.surrogate.sampling.manifest import Manifest, described
from bilevel_lang.surrogate.sampling.shard_files import read_shard, write_shard
from bilevel_lang.surrogate.sampling.shards import SHARD_SIZE, Shard, cut
from bilevel_lang.surrogate.sampling.space import InputSpace


class Recipe(Protocol):
    """How to make labels, in a form that travels to a worker: it is pickled."""

    def fingerprint(self) -> str:
        """Another one means other labels for the same points."""

    def build(self) -> Callable[[Floats], DataSet]:
        """What labels points (k, n); made once for each worker. Labels must depend on the points of the call alone."""


@dataclass(frozen=True)
class Plan:
    """What is to be drawn: ``samples`` of ``space`` by ``design`` with ``seed``, in shards of ``shard_size``."""

    space: InputSpace
    design: Design
    samples: int
    seed: int = 0
    shard_size: int = SHARD_SIZE

    def manifest(self, recipe: Recipe) -> Manifest:
        """What the samples depend on."""
        return Manifest(recipe.fingerprint(), described(self.space), self.design.key(), self.seed, self.shard_size)


@dataclass(frozen=True)
class Sampling:
    """``data`` in the order of the shards; ``drawn`` of the samples were labelled now, in ``seconds``, the others read."""

    data: DataSet
    drawn: int
    seconds: float

    @property
    def rate(self) -> float:
        """Samples labelled in a second; 0 where none were."""
        return self.drawn / self.seconds if self.drawn else 0.0


def sample(
    recipe: Recipe,
    plan: Plan,
    executor: Executor | None = None,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    over: Callable[[], bool] = lambda: False,
    worth_keeping: Callable[[DataSet], bool] = lambda data: True,
) -> Sampling:
    """Draw and label ``plan``; None as ``executor`` is this process, None as ``folder`` keeps nothing.

    In ``folder`` every shard is a file, written whole by this process when it is done; what is there is checked and taken.
    ``progress`` hears (samples done, samples in all). Once ``over`` says so no further shard is begun, and ``data`` holds those
    that were, the first one at least. A shard that is not ``worth_keeping`` gets no file.

    Raises SampleFileError for a file that is damaged or of another run, SolverFailedError where a worker died, and what design
    and labels raise.
    """
    began = time.perf_counter()
    shards = cut(plan.samples, plan.shard_size, plan.seed)
    run = plan.manifest(recipe).run
    done = _found(plan.manifest(recipe), shards, folder)
    missing = [shard for shard in shards if shard.number not in done]
    report = progress or (lambda count, total: None)
    finished = plan.samples - sum(shard.count for shard in missing)
    report(finished, plan.samples)
    for shard, data in _drawn(recipe, plan, missing, executor or ThisProcess(), lambda: bool(done) and over()):
        if folder is not None and worth_keeping(data):
            write_shard(folder / shard.file_name, data, run)
        done[shard.number] = data
        finished += shard.count
        report(finished, plan.samples)
    data = concatenated(done[shard.number] for shard in shards if shard.number in done)
    drawn = sum(shard.count for shard in missing if shard.number in done)
    return Sampling(data, drawn, time.perf_counter() - began)


def _found(manifest: Manifest, shards: Sequence[Shard], folder: Path | None) -> dict[int, DataSet]:
    """The shards that are in ``folder`` already."""
    if folder is None:
        return {}
    manifest.agree(folder)
    paths = {shard.number: folder / shard.file_name for shard in shards}
    return {number: read_shard(path, manifest.run) for number, path in paths.items() if path.exists()}


def _drawn(
    recipe: Recipe, plan: Plan, shards: Sequence[Shard], executor: Executor, over: Callable[[], bool]
) -> Iterator[tuple[Shard, DataSet]]:
    """The shards as they get done, those that are begun before ``over``.

    Few more than there are workers are handed in at once: results wait in memory.
    """
    packed = pickle.dumps(recipe)
    key = hashlib.sha256(packed).hexdigest()
    waiting = list(reversed(shards))
    running: dict[Future[DataSet], Shard] = {}
    ahead = 1 if isinstance(executor, ThisProcess) else 2 * _workers(executor)
    try:
        while waiting or running:
            if over():
                waiting.clear()
            while waiting and len(running) < ahead:
                shard = waiting.pop()
                running[executor.submit(label_shard, key, packed, plan.space, plan.design, shard)] = shard
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as error:
        said = "a worker died while it was sampling (killed, or out of memory)"
        raise SolverFailedError(said, "run the same again: finished shards are kept where there is a folder") from error
    finally:
        for future in running:
            future.cancel()


def _workers(executor: Executor) -> int:
    """How many workers an executor has, as far as it tells."""
    known = getattr(executor, "_max_workers", None)
    if known is None and hasattr(executor, "_client"):
        known = sum(executor._client.nthreads().values())
    return max(1, int(known or 8))


_BUILT: dict[str, Callable[[Floats], DataSet]] = {}
"""In a worker: what labels, by the hash of its pickled recipe. One is kept, as it may hold a large model in a solver."""


def label_shard(key: str, packed: bytes, space: InputSpace, design: Design, shard: Shard) -> DataSet:
    """Draw and label one shard; runs in a worker."""
    if key not in _BUILT:
        _BUILT.clear()
        _BUILT[key] = pickle.loads(packed).build()
    return _BUILT[key](design.points(space, shard))
