"""Probability laws of one number, by the names that GAMS and scipy have for them.

The names of :data:`LAWS` have the parameters that are usual for them in stochastic programming systems (GAMS EMP, LINDO);
every other name is looked up among the distributions of ``scipy.stats`` and takes their shape parameters, then ``loc`` and
``scale``.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LawError(ValueError):
    """A law that there is not, or numbers that it cannot have; ``mend`` says what would do."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.mend = mend


@dataclass(frozen=True, slots=True)
class KnownLaw:
    """A law of the language: its parameters in order, what it is in ``scipy.stats``, and how that takes them.

    ``optional`` parameters at the end may be left out.
    """

    parameters: tuple[str, ...]
    scipy_name: str
    arguments: Callable[..., tuple[tuple[float, ...], dict[str, float]]]


def _shapes(*numbers: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return numbers, {}


def _location_scale(location: float, scale: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return (), {"loc": location, "scale": scale}


def _shape_scale(shape: float, scale: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return (shape,), {"scale": scale}


def _interval(low: float, high: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return (), {"loc": low, "scale": high - low}


def _triangle(low: float, mode: float, high: float) -> tuple[tuple[float, ...], dict[str, float]]:
    width = high - low
    return ((mode - low) / width if width > 0 else np.nan,), {"loc": low, "scale": width}


def _rate(rate: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return (), {"scale": 1.0 / rate if rate > 0 else np.nan}


def _log_scale(mu: float, sigma: float) -> tuple[tuple[float, ...], dict[str, float]]:
    return (sigma,), {"scale": float(np.exp(mu))}


LAWS: dict[str, KnownLaw] = {
    "normal": KnownLaw(("mean", "standard deviation"), "norm", _location_scale),
    "uniform": KnownLaw(("least value", "largest value"), "uniform", _interval),
    "lognormal": KnownLaw(("mean of the logarithm", "standard deviation of the logarithm"), "lognorm", _log_scale),
    "exponential": KnownLaw(("rate",), "expon", _rate),
    "gamma": KnownLaw(("shape", "scale"), "gamma", _shape_scale),
    "beta": KnownLaw(("alpha", "beta"), "beta", _shapes),
    "weibull": KnownLaw(("shape", "scale"), "weibull_min", _shape_scale),
    "triangular": KnownLaw(("least value", "mode", "largest value"), "triang", _triangle),
    "logistic": KnownLaw(("location", "scale"), "logistic", _location_scale),
    "laplace": KnownLaw(("location", "scale"), "laplace", _location_scale),
    "gumbel": KnownLaw(("location", "scale"), "gumbel_r", _location_scale),
    "cauchy": KnownLaw(("location", "scale"), "cauchy", _location_scale),
    "chisquare": KnownLaw(("degrees of freedom",), "chi2", _shapes),
    "studentt": KnownLaw(("degrees of freedom",), "t", _shapes),
    "pareto": KnownLaw(("shape", "scale"), "pareto", _shape_scale),
    "poisson": KnownLaw(("mean",), "poisson", _shapes),
    "binomial": KnownLaw(("trials", "probability"), "binom", _shapes),
    "negbinomial": KnownLaw(("successes", "probability"), "nbinom", _shapes),
    "geometric": KnownLaw(("probability",), "geom", _shapes),
}
"""Laws of the language, by name."""


SPREADS = ("standard deviation", "standard deviation of the logarithm", "scale")

POSITIVE = (*SPREADS, "rate", "shape", "alpha", "beta", "degrees of freedom", "successes")
"""Parameters of :data:`LAWS` that have to be greater than 0; those that measure a spread first."""


@dataclass(frozen=True, slots=True)
class Law:
    """A law with its numbers, as it was written; :func:`law` checks both."""

    name: str
    numbers: tuple[float, ...]

    def quantiles(self, shares: Floats) -> Floats:
        """The values below which the ``shares`` (each in (0, 1)) of the probability lie."""
        return np.asarray(_frozen(self.name, self.numbers).ppf(shares), dtype=float)

    def mean(self) -> float:
        """The expected value; not finite for laws that have none."""
        return float(_frozen(self.name, self.numbers).mean())

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{n:g}" for n in self.numbers)])


def law(name: str, numbers: tuple[float, ...]) -> Law:
    """The law of that name (in lower case) with these numbers. Raises LawError for an unknown name, or numbers it cannot have."""
    known = LAWS.get(name)
    if known is not None and len(numbers) != len(known.parameters):
        raise LawError(
            f"`{name}` takes {_count(known.parameters)}, {len(numbers)} given", f"write `{name}` with {_count(known.parameters)}"
        )
    if known is None:
        _check_scipy(name, numbers)
    with np.errstate(invalid="ignore"):
        quartiles = _frozen(name, numbers).ppf(np.array([0.25, 0.75]))
    if not np.all(np.isfinite(quartiles)):
        mend = _asked(known.parameters, numbers) if known else "its parameters are those of scipy.stats"
        raise LawError(f"`{name}` cannot have the numbers {' '.join(f'{n:g}' for n in numbers)}", mend)
    return Law(name, numbers)


def _asked(parameters: tuple[str, ...], numbers: tuple[float, ...]) -> str:
    """What is wrong with the numbers of a law of the language, where that is one of the usual mistakes."""
    values = dict(zip(parameters, numbers, strict=True))
    least, largest = values.get("least value"), values.get("largest value")
    if least is not None and largest is not None and not least < largest:
        return f"its largest value, here {largest:g}, has to be greater than its least one, here {least:g}"
    wrong = next(((name, value) for name, value in values.items() if name in POSITIVE and not value > 0), None)
    if wrong is not None:
        constant = "; a parameter that is always the same needs no law" if wrong[1] == 0 and wrong[0] in SPREADS else ""
        return f"it takes {wrong[0]} > 0, not {wrong[1]:g}{constant}"
    return f"its parameters are: {', '.join(parameters)}"


def _count(parameters: tuple[str, ...]) -> str:
    return f"{len(parameters)} number{'s' if len(parameters) > 1 else ''} ({', '.join(parameters)})"


def _check_scipy(name: str, numbers: tuple[float, ...]) -> None:
    from scipy import stats

    found = getattr(stats, name, None)
    if not isinstance(found, (stats.rv_continuous, stats.rv_discrete)):
        near = difflib.get_close_matches(name, [*LAWS, "discrete", *_scipy_names()], n=1)
        mend = "did you mean " + " or ".join(f"`{n}`" for n in near) + "?" if near else "there are discrete, " + ", ".join(LAWS)
        raise LawError(f"no law is called `{name}`", mend)
    shapes = [s.strip() for s in found.shapes.split(",")] if found.shapes else []
    tail = ["loc"] if isinstance(found, stats.rv_discrete) else ["loc", "scale"]
    if not len(shapes) <= len(numbers) <= len(shapes) + len(tail):
        mend = f"the parameters of scipy.stats.{name} are: {', '.join([*shapes, *tail])}"
        raise LawError(f"`{name}` takes {len(shapes)} to {len(shapes) + len(tail)} numbers, {len(numbers)} given", mend)


def _scipy_names() -> list[str]:
    from scipy import stats

    kinds = (stats.rv_continuous, stats.rv_discrete)
    return [name for name, value in inspect.getmembers(stats) if isinstance(value, kinds)]


def _frozen(name: str, numbers: tuple[float, ...]) -> Any:
    from scipy import stats

    known = LAWS.get(name)
    if known is None:
        return getattr(stats, name)(*numbers)
    shapes, named = known.arguments(*numbers)
    return getattr(stats, known.scipy_name)(*shapes, **named)
