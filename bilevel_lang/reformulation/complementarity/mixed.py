"""A choice of encoding for each row and bound: some pairs by one encoding, the others by another, in one model.

Formulation: that of the encodings chosen. Accepts: choices that one model can hold, ``sos1`` with ``big-m`` (a MIP for SCIP), or
any of the encodings for NLP solvers among themselves, with one mu. Produces: the components of each, for its own pairs.
Exactness: the weakest of those chosen.
Reference: GAMS/NLPEC manual, ``refType`` (a reformulation for each kind of pair); BilevelJuMP's mixed mode does it row by row.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bilevel_lang.errors import Diagnostic, RefusedError, UsageError
from bilevel_lang.reformulation.complementarity.big_m import BigM
from bilevel_lang.reformulation.complementarity.encoding import Encoded, Encoding
from bilevel_lang.reformulation.complementarity.homotopy import Starter
from bilevel_lang.reformulation.complementarity.pairs import Pair, take_pairs
from bilevel_lang.reformulation.complementarity.piece import polished
from bilevel_lang.reformulation.complementarity.relaxation import NlpEncoding, refuse_integers, relax
from bilevel_lang.reformulation.complementarity.second_opinion import run_with_second_opinion
from bilevel_lang.reformulation.complementarity.sos1 import Sos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.solver import Solver, SolverRun

REST = "*"
"""The name that stands for all pairs without a choice of their own."""

_FORM = "write NAME=ENCODING,NAME=ENCODING,*=ENCODING, or a mapping in Python"


def parse_choice(text: str) -> dict[str, str]:
    """``e1=sos1,x[1,2]=big-m,*=sos1`` as a mapping. Raises UsageError."""
    choice: dict[str, str] = {}
    for part in re.split(r",(?![^\[(]*[\])])", text):
        name, equals, encoding = (word.strip() for word in part.rpartition("="))
        if not (name and equals and encoding):
            raise UsageError(f"`{part.strip()}` chooses no encoding for a name", _FORM)
        if name in choice:
            raise UsageError(f"`{name}` has two encodings", _FORM)
        choice[name] = encoding
    return choice


class Mixed:
    """Pairs by the encodings of ``choice``: names of rows, variables or pairs, and ``*`` for the rest."""

    def __init__(self, choice: Mapping[str, Encoding]) -> None:
        """Raises RefusedError where no model can hold all of them."""
        self._choice = dict(choice)
        kinds = {e.name: e for e in choice.values()}
        self.name = ",".join(f"{name}={encoding.name}" for name, encoding in choice.items())
        self._local = all(isinstance(e, NlpEncoding) for e in kinds.values())
        if not self._local and not kinds.keys() <= {"sos1", "big-m"}:
            said = f"{', '.join(f'`{n}`' for n in kinds)} cannot be in one model"
            raise RefusedError(said, "mix `sos1` with `big-m`, or encodings for ipopt with each other")
        self.solver = next(iter(kinds.values())).solver if len(kinds) == 1 or self._local else "scip"

    @property
    def local(self) -> bool:
        """Whether all of it is for NLP solvers."""
        return self._local

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """Encode every pair in its own way. Raises RefusedError for names that fit no pair and for pairs without a choice."""
        if self._local:
            refuse_integers(model, self.name)
        block, pairs = take_pairs(model)
        chosen = assigned(pairs, self._choice)
        if self._local:
            return relax(model, block, [(p, e) for p, e in chosen if isinstance(e, NlpEncoding)], options, starter)
        return _discrete(model, block, chosen, options)


def assigned(pairs: Sequence[Pair], choice: Mapping[str, Encoding]) -> list[tuple[Pair, Encoding]]:
    """Each pair with its encoding: the most specific of the names that fit it decides."""
    chosen: list[tuple[Pair, Encoding]] = []
    without: list[str] = []
    used = {REST}
    for pair in pairs:
        fitting = [name for name in choice if name != REST and _fits(name, pair.name)]
        used.update(fitting)
        name = max(fitting, key=len, default=REST)
        if name in choice:
            chosen.append((pair, choice[name]))
        else:
            without.append(pair.name)
    wrong = [_unknown(name, pairs) for name in choice if name not in used]
    if without:
        shown = ", ".join(f"`{n}`" for n in without[:4]) + (f" and {len(without) - 4} more" if len(without) > 4 else "")
        wrong.append(Diagnostic("R1", f"no encoding is chosen for {shown}", "name them too, or choose for all others with `*`"))
    if wrong:
        raise RefusedError(wrong)
    return chosen


def _fits(name: str, pair: str) -> bool:
    """Whether a name is that of the pair, its row or variable (``e1`` for ``e1.lower``), or its family (``e`` for ``e[1]``)."""
    return pair == name or pair.startswith((f"{name}.", f"{name}["))


def _unknown(name: str, pairs: Sequence[Pair]) -> Diagnostic:
    known = sorted({p.name for p in pairs} | {p.name.rpartition(".")[0] for p in pairs} - {""})
    near = difflib.get_close_matches(name, known, n=1)
    help = f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(f"`{p.name}`" for p in pairs[:8])
    return Diagnostic("R1", f"no complementarity belongs to `{name}`", help)


def _discrete(model: Any, block: Any, chosen: Sequence[tuple[Pair, Encoding]], options: Options) -> Encoded:
    """SOS1 sets and big-M rows side by side."""
    members = Sos1().state(block, [p for p, e in chosen if isinstance(e, Sos1)])
    stated = BigM().state(model, block, [p for p, e in chosen if isinstance(e, BigM)], options)

    def run(solver: Solver, wanted: Options) -> SolverRun:
        return stated.doubted(polished(model, members, run_with_second_opinion(model, block, solver, wanted), wanted))

    return Encoded(stated.exactness, run, stated.notes)
