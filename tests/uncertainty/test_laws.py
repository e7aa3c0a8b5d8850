"""Laws against the formulas of their textbooks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bilevel_lang.uncertainty.laws import LAWS, LawError, law

MEANS = {
    ("normal", (45.0, 10.0)): 45.0,
    ("uniform", (2.0, 6.0)): 4.0,
    ("lognormal", (1.0, 0.5)): math.exp(1.125),
    ("exponential", (4.0,)): 0.25,
    ("gamma", (3.0, 2.0)): 6.0,
    ("beta", (2.0, 3.0)): 0.4,
    ("weibull", (1.0, 5.0)): 5.0,
    ("triangular", (0.0, 3.0, 6.0)): 3.0,
    ("logistic", (7.0, 2.0)): 7.0,
    ("laplace", (7.0, 2.0)): 7.0,
    ("gumbel", (0.0, 1.0)): 0.5772156649015329,
    ("chisquare", (5.0,)): 5.0,
    ("studentt", (5.0,)): 0.0,
    ("pareto", (3.0, 2.0)): 3.0,
    ("poisson", (4.5,)): 4.5,
    ("binomial", (10.0, 0.3)): 3.0,
    ("negbinomial", (3.0, 0.5)): 3.0,
    ("geometric", (0.25,)): 4.0,
    ("rayleigh", (0.0, 2.0)): 2.0 * math.sqrt(math.pi / 2),
}


@pytest.mark.parametrize(("written", "mean"), MEANS.items(), ids=lambda v: v[0] if isinstance(v, tuple) else "")
def test_means(written: tuple[str, tuple[float, ...]], mean: float) -> None:
    assert law(*written).mean() == pytest.approx(mean, rel=1e-12)


def test_every_law_of_the_language_is_tested_or_has_no_mean() -> None:
    assert LAWS.keys() - {name for name, _ in MEANS} == {"cauchy"}
    assert law("cauchy", (3.0, 2.0)).quantiles(np.array([0.5, 0.75])) == pytest.approx([3.0, 5.0])


def test_quantiles_by_their_formulas() -> None:
    assert law("exponential", (2.0,)).quantiles(np.array([0.5]))[0] == pytest.approx(math.log(2) / 2)
    assert law("normal", (45.0, 10.0)).quantiles(np.array([0.5, 0.975])) == pytest.approx([45.0, 45.0 + 19.59963984540054])
    assert law("triangular", (0.0, 1.0, 2.0)).quantiles(np.array([0.125]))[0] == pytest.approx(0.5)
    assert list(law("binomial", (1.0, 0.3)).quantiles(np.array([0.69, 0.71]))) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("name", "numbers", "said", "mend"),
    [
        ("nromal", (1.0, 2.0), "no law is called `nromal`", "did you mean `normal`"),
        ("xyzzy", (1.0,), "no law is called `xyzzy`", "there are discrete, normal"),
        ("normal", (1.0,), "`normal` takes 2 numbers", "mean, standard deviation"),
        ("normal", (1.0, -2.0), "`normal` cannot have the numbers 1 -2", "it takes standard deviation > 0, not -2"),
        ("normal", (45.0, 0.0), "`normal` cannot have the numbers 45 0", "a parameter that is always the same needs no law"),
        ("uniform", (3.0, 1.0), "cannot have", "its largest value, here 1, has to be greater than its least one, here 3"),
        ("gamma", (0.0, 2.0), "cannot have", "it takes shape > 0, not 0"),
        ("exponential", (0.0,), "cannot have", "rate"),
        ("triangular", (1.0, 5.0, 3.0), "cannot have", "mode"),
        ("binomial", (3.0, 1.5), "cannot have", "probability"),
        ("skewnorm", (), "`skewnorm` takes 1 to 3 numbers, 0 given", "scipy.stats.skewnorm are: a, loc, scale"),
        ("linregress", (1.0,), "no law is called", ""),
    ],
)
def test_mistakes(name: str, numbers: tuple[float, ...], said: str, mend: str) -> None:
    with pytest.raises(LawError) as caught:
        law(name, numbers)
    assert said in str(caught.value)
    assert mend in caught.value.mend


def test_a_law_reads_as_it_is_written() -> None:
    assert str(law("normal", (45.0, 10.0))) == "normal 45 10"
