"""What a run found in the folder that was given to it, in words: samples are for all networks, a training is for one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bilevel_lang.reformulation.nn_embed.fitted import STATE


def states_in(folder: Path | None) -> frozenset[Path]:
    """The files with states of trainings in ``folder``; none without one."""
    return frozenset() if folder is None else frozenset(folder.glob(f"{STATE}*.npz"))


def told(folder: Path | None, taken: int, before: frozenset[Path], used: Iterable[Path]) -> tuple[str, ...]:
    """Sentences on ``taken`` samples that were there, and on states of trainings: ``before`` the run, and those it ``used``."""
    if folder is None or not (taken or before):
        return ()
    wanted = set(used)
    gone_on, rest, new = before & wanted, before - wanted, wanted - before
    said = [f"{taken} samples were in {folder} and not drawn again"]
    if gone_on:
        said.append(f"{_trainings(len(gone_on))} found in {folder} and gone on with")
    if rest and new:
        said.append(
            f"{_trainings(len(rest))} in {folder} for other samples or other settings (such as --layers, --network or --seed): "
            f"{_trainings(len(new))} begun anew beside"
        )
    return tuple(said)


def _trainings(count: int) -> str:
    return "1 training was" if count == 1 else f"{count} trainings were"
