"""Groups of random parameters that are independent of each other, and samples drawn from them.

Sampling is by inversion: uniform numbers (plain, in Latin hypercubes or in antithetic pairs) go through the quantile function
of each law. Correlation is that of a Gaussian copula (NORTA; Cario & Nelson, 1997): ``rho`` is the correlation of the normal
scores, which for two normal laws is Pearson's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from bilevel_lang.uncertainty.laws import Floats, Law
from bilevel_lang.uncertainty.scenario_set import ScenarioSet, product

WAYS = ("montecarlo", "latinhypercube", "antithetic")
"""How the uniform numbers of a sample are drawn."""

MOST = 1_000_000
"""Scenarios of a product of independent laws that are still listed one by one."""


@dataclass(frozen=True, eq=False)
class Discrete:
    """Parameters (numbers among all random ones) with a finite joint law: ``values`` (n, k), ``probabilities`` (n,)."""

    parameters: tuple[int, ...]
    values: Floats
    probabilities: Floats
    names: tuple[str, ...] = ()

    def draw(self, count: int, generator: np.random.Generator) -> Floats:
        """``count`` independent draws (count, k)."""
        return self.values[generator.choice(len(self.probabilities), size=count, p=self.probabilities)]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Parameters with laws of their own, together because they are correlated or drawn as one sample.

    ``correlation`` (k, k) or None; ``size`` of the sample that replaces the law, None where the annotation gives none;
    ``way``: one of :data:`WAYS`.
    """

    parameters: tuple[int, ...]
    laws: tuple[Law, ...]
    correlation: Floats | None = None
    size: int | None = None
    way: str = "montecarlo"

    def draw(self, count: int, generator: np.random.Generator, way: str = "montecarlo") -> Floats:
        """``count`` draws (count, k)."""
        shares = _uniform(count, len(self.laws), generator, way)
        if self.correlation is not None:
            from scipy.stats import norm

            factor = np.linalg.cholesky(self.correlation)
            shares = norm.cdf(norm.ppf(shares) @ factor.T)
        return np.column_stack([law.quantiles(shares[:, k]) for k, law in enumerate(self.laws)])


Group: TypeAlias = Discrete | Sampled


def _uniform(count: int, width: int, generator: np.random.Generator, way: str) -> Floats:
    """Numbers inside (0, 1): quantile functions are infinite at the ends."""
    if way == "latinhypercube":
        strata = np.column_stack([generator.permutation(count) for _ in range(width)])
        drawn = (strata + generator.random((count, width))) / count
    elif way == "antithetic":
        half = generator.random(((count + 1) // 2, width))
        drawn = np.vstack([half, 1.0 - half])[:count]
    else:
        drawn = generator.random((count, width))
    return np.clip(drawn, 1e-15, 1 - 1e-15)


def listed(groups: tuple[Group, ...], seed: tuple[int, ...]) -> ScenarioSet:
    """All combinations of the discrete laws and of the samples that the annotation asks for, parameters in their own order.

    ``seed`` makes the samples the same again. Every :class:`Sampled` must have a size, and the product at most :data:`MOST`
    members:
    :func:`why_not_listed` looks before.
    """
    parts = []
    for stream, group in enumerate(groups):
        if isinstance(group, Discrete):
            parts.append(ScenarioSet(group.values, group.probabilities, False, group.names))
        else:
            assert group.size is not None
            values = group.draw(group.size, _generator(seed, 0, stream), group.way)
            parts.append(ScenarioSet(values, np.full(group.size, 1.0 / group.size), True))
    return _in_order(groups, product(parts))


def why_not_listed(groups: tuple[Group, ...]) -> str | None:
    """Why the scenarios cannot be listed, None where they can."""
    if any(isinstance(g, Sampled) and g.size is None for g in groups):
        return "it has a law with infinitely many values or without a `sample`"
    count = 1
    for group in groups:
        count *= len(group.probabilities) if isinstance(group, Discrete) else group.size or 1
    return f"its independent laws make {count:,} scenarios together" if count > MOST else None


def drawn(groups: tuple[Group, ...], count: int, seed: tuple[int, ...], stream: int) -> ScenarioSet:
    """``count`` scenarios drawn from the laws themselves, equally likely; ``stream`` tells samples of one seed apart."""
    values = [g.draw(count, _generator(seed, stream, k)) for k, g in enumerate(groups)]
    return _in_order(groups, ScenarioSet(np.hstack(values), np.full(count, 1.0 / count), True))


def _generator(seed: tuple[int, ...], stream: int, group: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([*seed, stream, group])))


def _in_order(groups: tuple[Group, ...], found: ScenarioSet) -> ScenarioSet:
    order = np.argsort([p for g in groups for p in g.parameters])
    return ScenarioSet(found.values[:, order], found.probabilities, found.sampled, found.names)
