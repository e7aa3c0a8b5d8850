"""Where the follower is asked: all over the box, and around a point."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet

SHARES, EACH = (0.1, 0.03, 0.01, 0.001), 10
"""Boxes around a point, as shares of the width of continuous inputs, and decisions drawn in each."""

LEAPS = (2.0, 3.0, 5.0)
"""Steps of one whole input besides 1."""

PAIRS = 2000
"""Pairs of whole inputs that move together around one point, at most."""

UNEVEN = 400
"""Pairs of whole inputs of which the first moves by 1 and the second by 2, at most: few rows trade inputs one for one."""

SWAPS = 100
"""Pairs of binary inputs that trade places around one point, at most."""


def latin_hypercube(domain: InputSet, count: int, generator: np.random.Generator) -> Floats:
    """(count, n): every input has one value in each of ``count`` equal slices of its range, whole ones rounded down.

    McKay, Beckman and Conover 1979, Technometrics 21:239. Fewer where all inputs are whole and there are no more points.
    """
    n, width = domain.inputs, domain.upper - domain.lower + domain.integer
    if domain.integer.all() and np.prod(width) <= count:
        return every_point(domain)
    cells = np.argsort(generator.random((n, count)), axis=1).T
    points = domain.lower + (cells + generator.random((count, n))) / count * width
    return np.asarray(np.where(domain.integer, np.minimum(np.floor(points), domain.upper), points))


def every_point(domain: InputSet) -> Floats:
    """All points (k, n) of a box of whole inputs; of none the one point without coordinates."""
    axes = [np.arange(low, up + 0.5) for low, up in zip(domain.lower, domain.upper, strict=True)]
    return np.array(list(itertools.product(*axes)), dtype=float)


def whole_steps(x: Floats, domain: InputSet, generator: np.random.Generator) -> Floats:
    """Points (k, n) in the box with one or two whole inputs moved: both by 1, or one of them by one of :data:`LEAPS`.

    Of more than :data:`PAIRS` pairs so many at random.
    """
    eye = np.eye(len(x))
    whole = np.flatnonzero(domain.integer & (domain.upper > domain.lower))
    one, other = (whole[k] for k in np.triu_indices(len(whole), 1))
    steps = [sign * leap * eye[whole] for leap in (1.0, *LEAPS) for sign in (-1.0, 1.0)]
    return _inside(x, domain, [*steps, *_together(eye, one, other, 1.0, PAIRS, generator)])


def trades(x: Floats, domain: InputSet, generator: np.random.Generator) -> Floats:
    """Points (k, n) in the box with one whole input moved by 1 and another by 2; of more than :data:`UNEVEN` so many pairs."""
    width = domain.upper - domain.lower
    whole, wide = (np.flatnonzero(domain.integer & (width > least)) for least in (0.0, 1.0))
    one, other = (a.ravel() for a in np.meshgrid(whole, wide, indexing="ij"))
    distinct = one != other
    return _inside(x, domain, _together(np.eye(len(x)), one[distinct], other[distinct], 2.0, UNEVEN, generator))


def _together(
    eye: Floats, one: Ints, other: Ints, far: float, most: int, generator: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats]:
    """Steps of pairs of inputs, ``one`` by 1 and the ``other`` by ``far``, in all directions; ``most`` pairs at random."""
    if len(one) > most:
        chosen = np.sort(generator.permutation(len(one))[:most])
        one, other = one[chosen], other[chosen]
    first, second = eye[one], far * eye[other]
    return -first - second, second - first, first - second, first + second


def _inside(x: Floats, domain: InputSet, steps: Sequence[Floats]) -> Floats:
    found = x + np.vstack(steps)
    return np.asarray(found[((found >= domain.lower) & (found <= domain.upper)).all(axis=1)])


def neighbours(x: Floats, domain: InputSet, generator: np.random.Generator) -> Floats:
    """Points (k, n) around ``x`` (n,): whole inputs one up and one down, binary ones swapped, continuous ones in small boxes."""
    n = len(x)
    steps = [np.diag(np.where(domain.integer, sign, 0.0)) for sign in (-1.0, 1.0)]
    loose = np.where(domain.integer, 0.0, domain.upper - domain.lower)
    if loose.any():
        steps += [share * loose * generator.uniform(-1, 1, (EACH, n)) for share in SHARES]
    found = np.clip(x + np.vstack(steps), domain.lower, domain.upper)
    return np.vstack([found[(found != x).any(axis=1)], swaps(x, domain, generator)])


def swaps(x: Floats, domain: InputSet, generator: np.random.Generator) -> Floats:
    """Points (k, n) at which two binary inputs have traded places, at most :data:`SWAPS`: a budget may allow no other move."""
    binary = domain.integer & (domain.upper - domain.lower == 1.0)
    on, off = np.flatnonzero(binary & (x > domain.lower)), np.flatnonzero(binary & (x < domain.upper))
    pairs = np.stack([a.ravel() for a in np.meshgrid(on, off)], axis=1)
    if len(pairs) > SWAPS:
        pairs = pairs[np.sort(generator.permutation(len(pairs))[:SWAPS])]
    found = np.repeat(x[None, :], len(pairs), axis=0)
    each = np.arange(len(pairs))
    found[each, pairs[:, 0]] -= 1.0
    found[each, pairs[:, 1]] += 1.0
    return found


def mutated(parents: Floats, domain: InputSet, count: int, generator: np.random.Generator) -> Floats:
    """(count, n): random ``parents`` (k, n) with one to three inputs moved: binary ones flipped, half of the time one on and one
    off, other whole ones by up to a quarter of their range, continuous ones by up to a tenth of theirs."""
    width = domain.upper - domain.lower
    found = parents[generator.integers(0, len(parents), count)].copy()
    for x in found:
        moved = generator.permutation(domain.inputs)[: generator.integers(1, 4)]
        binary = domain.integer & (width == 1.0)
        if binary.any() and generator.random() < 0.5:
            on, off = np.flatnonzero(binary & (x > domain.lower)), np.flatnonzero(binary & (x < domain.upper))
            moved = np.concatenate([generator.permutation(part)[:1] for part in (on, off)])
        for j in moved.tolist():
            if binary[j]:
                x[j] = domain.lower[j] + domain.upper[j] - x[j]
            elif domain.integer[j]:
                x[j] += generator.choice([-1.0, 1.0]) * generator.integers(1, 2 + int(width[j] // 4))
            else:
                x[j] += 0.1 * width[j] * generator.uniform(-1, 1)
    return np.asarray(np.clip(found, domain.lower, domain.upper))
