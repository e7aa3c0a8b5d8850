"""``--write``: what a file name means, and what is written."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.problem_files import PAIR

if TYPE_CHECKING:
    from bilevel_lang.problem import BilevelProblem
    from bilevel_lang.reformulation.options import Options
    from bilevel_lang.reformulation.rewrite import Rewrite


@dataclass(frozen=True, slots=True)
class Saved:
    """``said``: what was written, in words; ``path``: how the engine came to it, empty where it had nothing to choose."""

    said: str
    path: tuple[str, ...] = ()


def files_of(target: Path) -> tuple[Path, ...]:
    """All files that ``--write target`` may make: of an .mps or .aux file both."""
    return _pair_of(target) if target.suffix.lower() in PAIR else (target,)


def save(problem: BilevelProblem, target: Path, asked: Options, aux_format: str | None = None) -> Saved:
    """Write the problem as an MPS file with its .aux file, or the rewritten model, by the suffix of ``target``.

    ``.mps`` means the pair unless the rewritten model was asked for by its method or encoding, or the problem is none that a pair
    can state; ``.aux``, or an ``aux_format`` (``named`` or ``index``), always means the pair. Raises UsageError, RefusedError.
    """
    suffix = target.suffix.lower()
    if suffix not in PAIR and aux_format:
        raise UsageError(f"--aux-format goes with --write of an .mps or .aux file, not {target}")
    rewritten = asked.encoding is not None or asked.method != "auto"
    must = suffix == ".aux" or aux_format is not None
    if must and rewritten:
        raise UsageError("an .aux file states the problem as it is, not the rewritten model", "leave --method and --encoding out")
    if suffix in PAIR and not rewritten:
        try:
            return _save_pair(problem, target, aux_format or "named")
        except RefusedError as error:
            if must:
                raise
            return _save_rewritten(problem, target, asked, f", since {error.diagnostics[0].message}")
    return _save_rewritten(problem, target, asked)


def _save_pair(problem: BilevelProblem, target: Path, aux_format: str) -> Saved:
    from bilevel_lang.mps_files.exchange import write_pair
    from bilevel_lang.mps_files.extraction import extract

    instance = extract(problem)
    mps, aux = _pair_of(target)
    doubts = write_pair(instance, mps, aux, aux_format)
    return Saved(f"wrote {mps} and {aux} ({'; '.join(['the bilevel problem itself', *doubts])})")


def _save_rewritten(problem: BilevelProblem, target: Path, asked: Options, why: str = "") -> Saved:
    from bilevel_lang.files import write_model

    rewrite, path, wanted = _chosen(problem, target, asked)
    made = rewrite.encode(rewrite.apply(problem, wanted), wanted)
    write_model(made.model, target)
    warned = "".join(f"\nwarning: {said}" for said in made.warnings)
    return Saved(f"wrote {target} ({made.method} + {made.encoding or 'no encoding'}{why}){warned}", (*path, *made.why))


def _chosen(problem: BilevelProblem, target: Path, asked: Options) -> tuple[Rewrite, list[str], Options]:
    """The rewrite, how it was chosen, and the options with the encoding that the format needs; that is for kkt, which alone
    makes conditions to encode.
    """
    from bilevel_lang.files import encoding_for
    from bilevel_lang.reformulation.registry import choose

    needed = encoding_for(target)
    if asked.encoding is None and needed is not None and problem.stochastic is None:
        encoded = replace(asked, encoding=needed)
        with contextlib.suppress(RefusedError):  # what follows asks without it, and says what stands in the way
            rewrite, path = choose(problem, encoded)
            if rewrite.name == "kkt":
                return rewrite, path, encoded
    return *choose(problem, asked), asked


def _pair_of(target: Path) -> tuple[Path, Path]:
    return (target, target.with_suffix(".aux")) if target.suffix.lower() == ".mps" else (target.with_suffix(".mps"), target)
