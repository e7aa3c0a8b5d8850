"""What the user may ask of a rewrite and its solve.

Loads nothing of ``pyomo.environ``: what is registered in Pyomo's factories needs this module while Pyomo itself is being loaded.
"""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.nlp_options import NlpOptions
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.solvers.solver import SolverOptions

_RANGES = (
    ("time_limit", 0, True),
    ("gap", 0, False),
    ("threads", 1, False),
    ("seed", 0, False),
    ("big_m", 0, True),
    ("starts", 1, False),
    ("tolerance", 0, True),
    ("scenarios", 1, False),
    ("evaluate", 2, False),
)
"""Option, least value, whether that value itself is out."""

_WHOLE = ("threads", "seed", "starts", "scenarios", "evaluate")

_KINDS: tuple[tuple[str, Any, str], ...] = (
    ("method", str, "the name of a method"),
    ("encoding", (str, Mapping, type(None)), "a name, or a mapping from names of rows to names of encodings"),
    ("solver", (str, type(None)), "the name of a solver"),
    ("solver_options", Mapping, "a mapping from the solver's names to values"),
    ("nlp", NlpOptions, "an `NlpOptions`"),
    ("nn", NnOptions, "an `NnOptions`"),
)
"""Option, its type, and that type in words."""

MOST_THREADS = 1024
"""More than that no machine has, and HiGHS would start them."""

MOST_SCENARIOS = 1_000_000
"""To be drawn: what independent laws may make together, too."""

LOOSEST = 0.1
"""A tolerance of that size or more would call anything verified."""

POSITIONS = ("optimistic", "pessimistic")
"""Who wins ties among the followers' answers."""

IMPLICIT_WAYS = ("switching", "replication", "substitution")
"""How `implicit` is carried out; docs/language.md describes them."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user may ask of a rewrite and its solve. None = chosen by the engine.

    ``encoding`` is a name, or a mapping from names of rows, variables or pairs (``*``: all others) to names of encodings; such a
    mapping is kept as text, ``e1=sos1,*=big-m``.
    ``time_limit`` seconds, ``gap`` relative, ``big_m`` the bound to use for sides without a proven one (a number, or a
    mapping from names of rows and variables to numbers, ``*`` for all others), ``starts`` how many
    points a local method starts from, ``implicit`` the way with state variables (``switching``, ``replication`` or
    ``substitution``), ``tolerance`` of the certificate (relative). ``nlp``: options of the encodings for NLP
    solvers; ``nn``: of nn-embed. Of stochastic programs: ``scenarios`` to draw from the laws and solve (None: all that are
    stated), ``evaluate``: fresh ones on which the answer is tried out.
    """

    method: str = "auto"
    encoding: str | None = None
    solver: str | None = None
    position: str = "optimistic"
    time_limit: float | None = None
    gap: float | None = None
    threads: int | None = None
    seed: int = 0
    big_m: float | Mapping[str, float] | None = None
    starts: int = 8
    tolerance: float = 1e-5
    verbose: bool = False
    solver_options: Mapping[str, Any] = field(default_factory=dict)
    nlp: NlpOptions = field(default_factory=NlpOptions)
    implicit: str = "switching"
    nn: NnOptions = field(default_factory=NnOptions)
    scenarios: int | None = None
    evaluate: int | None = None

    def __new__(cls, *args: Any, **named: Any) -> Options:
        """Name a mistyped option: the dataclass would speak of ``__init__`` and know no mend."""
        known = [f.name for f in fields(cls)]
        for name in named:
            if name not in known:
                raise UsageError(f"no option `{name}`", _mend(name, known))
        return object.__new__(cls)

    def __post_init__(self) -> None:
        """Raises UsageError for a value of the wrong type, a number outside its range, or an unknown word."""
        for name, kind, words in _KINDS:
            if not isinstance(getattr(self, name), kind):
                raise UsageError(f"option `{name}` is {words}, not {getattr(self, name)!r}")
        if self.implicit not in IMPLICIT_WAYS:
            raise UsageError(
                f"option `implicit`: no way {self.implicit!r} with state variables", _nearest(self.implicit, IMPLICIT_WAYS)
            )
        if self.position not in POSITIONS:
            raise UsageError(f"option `position`: no position {self.position!r}", _nearest(self.position, POSITIONS))
        for name, least, strict in _RANGES:
            value = getattr(self, name)
            if name == "big_m" and isinstance(value, Mapping):
                for row, number in value.items():
                    _check_number(f"{name}[{row}]", number, least, strict)
            elif value is not None:
                _check_number(name, value, least, strict)
        for name in _WHOLE:
            count = getattr(self, name)
            if count is not None and count != int(count):
                raise UsageError(f"option `{name}` is a whole number, not {count!r}")
        if self.threads is not None and self.threads > MOST_THREADS:
            raise UsageError(f"option `threads` must be <= {MOST_THREADS}, not {self.threads!r}")
        for name in ("scenarios", "evaluate"):
            if (getattr(self, name) or 0) > MOST_SCENARIOS:
                said = f"option `{name}` must be <= {MOST_SCENARIOS:,}, not {getattr(self, name):,}"
                raise UsageError(
                    said, "the error of a sample falls with the square root of its size: 10000 are much for most laws"
                )
        if self.tolerance >= LOOSEST:
            raise UsageError(
                f"option `tolerance` must be < {LOOSEST:g}, not {self.tolerance!r}", "it is relative: 1e-5 is the default"
            )
        if isinstance(self.encoding, Mapping):
            # As it is typed on the command line and printed in reports.
            object.__setattr__(self, "encoding", ",".join(f"{name}={each}" for name, each in self.encoding.items()))

    def for_solver(self, time_limit: float | None = None) -> SolverOptions:
        """The part that a solver understands; ``time_limit`` overrides (what is left of it)."""
        limit = self.time_limit if time_limit is None else time_limit
        return SolverOptions(limit, self.gap, self.threads, self.seed, self.verbose, self.solver_options)


def _mend(name: str, known: list[str]) -> str:
    """What to write for an option that there is not."""
    for group, options in (("nn", NnOptions), ("nlp", NlpOptions)):
        if name in (f.name for f in fields(options)):
            return f"it is one of {options.__name__}: `{group}={options.__name__}({name}=...)`"
    return _nearest(name, known)


def _nearest(word: object, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(known)


def _check_number(name: str, value: Any, least: int, strict: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UsageError(f"option `{name}` is a number, not {value!r}")
    number = float(value)
    if not (number > least if strict else number >= least) or math.isinf(number):
        raise UsageError(f"option `{name}` must be {'>' if strict else '>='} {least} and finite, not {value!r}")
