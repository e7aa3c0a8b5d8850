"""What the user may ask of nn-embed. None = chosen by the engine."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from pathlib import Path

from bilevel_lang.errors import UsageError

NETWORKS = ("auto", "relu", "icnn", "cuts", "encoder", "encoder-relu")
ENCODERS = ("encoder", "encoder-relu")
"""Networks of the expected cost over any set of scenarios, of stochastic programs alone."""
TARGETS = ("auto", "value", "leader", "response")
MOST_SAMPLES = 10_000_000
MOST_ROUNDS = 1000
MOST_WORKERS = 1024
MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class NnOptions:
    """``surrogate``: an ONNX file to use instead of training. ``samples`` of the follower, ``layers`` the hidden widths.

    ``network`` ``relu``, ``icnn``, ``cuts`` (exact pieces of an LP follower's value) or ``auto``; of stochastic programs also
    ``encoder`` and ``encoder-relu``, networks for all sets of scenarios (input-convex, or of ReLUs); ``target`` ``value``,
    ``leader``, ``response`` or ``auto``; ``refine`` rounds of sampling around the best point; ``embedding`` the form of the
    ReLUs; ``workers`` processes that sample, or ``cluster``, the address of a Dask scheduler; ``save_surrogate`` an ONNX file to
    write; ``folder`` keeps samples and training, so that an interrupted run goes on; ``search`` networks of other widths and
    regularisation are tried (successive halving) before one is trained.
    """

    surrogate: Path | None = None
    samples: int | None = None
    layers: tuple[int, ...] | None = None
    network: str = "auto"
    target: str = "auto"
    refine: int = 0
    embedding: str = "split"
    cluster: str | None = None
    save_surrogate: Path | None = None
    folder: Path | None = None
    workers: int = 1
    search: int = 0

    def __post_init__(self) -> None:
        """Raises UsageError for unknown words and for numbers out of range."""
        _one_of("network", self.network, NETWORKS)
        _one_of("target", self.target, TARGETS)
        if self.embedding != "split":
            _check_form(self.embedding)
        if self.surrogate is not None and (self.layers is not None or self.network != "auto"):
            idle = "layers" if self.layers is not None else "network"
            raise UsageError(
                f"option `{idle}` is for a network that is trained, and `surrogate` brings one", "leave one of the two out"
            )
        if isinstance(self.layers, str):
            object.__setattr__(self, "layers", parse_layers(self.layers))
        if self.samples is not None and not (_is_whole(self.samples) and 10 <= self.samples <= MOST_SAMPLES):
            raise UsageError(f"option `samples` is {self.samples!r}", f"take 10 to {MOST_SAMPLES}")
        if not (_is_whole(self.refine) and 0 <= self.refine <= MOST_ROUNDS):
            raise UsageError(f"option `refine` is {self.refine!r}", f"take 0 to {MOST_ROUNDS} rounds")
        if not (_is_whole(self.workers) and 1 <= self.workers <= MOST_WORKERS):
            raise UsageError(f"option `workers` is {self.workers!r}", f"take 1 to {MOST_WORKERS}")
        if self.workers > 1 and self.cluster is not None:
            raise UsageError("`workers` are processes of this machine, and a cluster has its own", "leave one of the two out")
        if not (_is_whole(self.search) and (self.search == 0 or 2 <= self.search <= MOST_TRIED)):
            raise UsageError(f"option `search` is {self.search!r}", f"take 2 to {MOST_TRIED} networks, or 0 for none")
        if self.layers is not None and not _are_widths(self.layers):
            raise UsageError(
                f"option `layers` is {self.layers!r}", "give the widths of the hidden layers: (50, 50), or 50x50 as text"
            )
        for name in ("surrogate", "save_surrogate", "folder"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, (str, Path)):
                raise UsageError(f"option `{name}` is a path, not {value!r}")
            if value is not None:
                object.__setattr__(self, name, Path(value))

    @property
    def encodes(self) -> bool:
        """Whether a stochastic program gets a network of all sets of scenarios: only such a one is kept or brought."""
        return self.network in ENCODERS or self.surrogate is not None or self.save_surrogate is not None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the options that differ from the default."""
        default = NnOptions()
        return tuple(name for name in self.__slots__ if getattr(self, name) != getattr(default, name))


def refuse_idle_nn_options(method: str, options: NnOptions) -> None:
    """Raises UsageError where options of nn-embed are given and ``method`` is another one: they would do nothing."""
    if options.given and method.lower() != "nn-embed":
        name = options.given[0].replace("_", "-")
        raise UsageError(f"`--{name}` means something to nn-embed alone", "add `--method nn-embed`, or leave it out")


def _check_form(embedding: str) -> None:
    from bilevel_lang.surrogate.embedding.registry import FORMS, form_named  # slow to load, and seldom needed

    if not form_named(embedding).rows_only:
        said = f"the form `{embedding}` of embedding has conditions that HiGHS, which nn-embed works with, does not know"
        raise UsageError(said, "use one of " + ", ".join(f.name for f in FORMS if f.rows_only))


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _are_widths(layers: object) -> bool:
    return isinstance(layers, (tuple, list)) and bool(layers) and all(_is_whole(w) and w >= 1 for w in layers)


def _one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        raise UsageError(f"option `{name}` is {' or '.join(f'`{w}`' for w in words)}, not {value!r}")


def parse_layers(text: str) -> tuple[int, ...]:
    """``50x50`` as (50, 50). Raises UsageError."""
    try:
        widths = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        widths = ()
    if not widths or min(widths) < 1:
        raise UsageError(f"layers {text!r}", "give the widths of the hidden layers, as 50x50")
    return widths
