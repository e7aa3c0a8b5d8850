"""What a claim is worth beside the enumeration: solved, refused, open, or wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.agreement.enumeration import Answer, enumerate_optimum
from benchmarks.agreement.instances import Floats, Instance
from benchmarks.agreement.methods import METHODS, Claim, claims

TOLERANCE = 1e-6
"""Of objectives and bounds, relative to max(1, |objective|)."""

LOOSE = 1e-5
"""Of rows and of conditions with multipliers, relative to max(1, size): the tolerance of the package's own certificates."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """``outcome``: ``solved`` (a right claim), ``refused``, ``open`` (no claim) or ``wrong`` with ``why``.

    ``deviation``: of the objective, relative to max(1, |objective|), where an optimum was claimed.
    """

    instance: str
    method: str
    outcome: str
    deviation: float = 0.0
    why: str = ""


def judge(instance: Instance, methods: tuple[str, ...] = METHODS) -> list[Verdict]:
    """Enumerate, run every method, and compare."""
    answer = enumerate_optimum(instance)
    return [verdict(instance, answer, claim) for claim in claims(instance, methods)]


def verdict(instance: Instance, answer: Answer, claim: Claim) -> Verdict:
    """What the claim is worth beside the enumeration's answer."""
    faults = list(_faults(instance, answer, claim))
    deviation = 0.0
    if claim.verdict == "optimal" and claim.objective is not None and answer.value is not None:
        deviation = abs(claim.objective - answer.value) / max(1.0, abs(answer.value))
    if faults:
        return Verdict(instance.name, claim.method, "wrong", deviation, f"{'; '.join(faults)} [{claim.said}]")
    outcome = claim.verdict if claim.verdict in ("refused", "open") else "solved"
    return Verdict(instance.name, claim.method, outcome, deviation, claim.said if outcome != "solved" else "")


def _faults(instance: Instance, answer: Answer, claim: Claim) -> Iterator[str]:
    """Everything that a claim says and that is not so."""
    if claim.verdict in ("optimal", "infeasible", "unbounded") and claim.verdict != answer.status:
        yield f"claims {claim.verdict} ({claim.objective}), enumeration says {answer.status} ({answer.value})"
        return
    if answer.value is not None:
        size = max(1.0, abs(answer.value))
        sign = 1.0 if instance.sense == "min" else -1.0
        if claim.bound is not None and sign * (claim.bound - answer.value) > TOLERANCE * size:
            yield f"bound {claim.bound!r} cuts off the optimum {answer.value!r}"
        if claim.verdict == "optimal":
            assert claim.objective is not None
            if abs(claim.objective - answer.value) > TOLERANCE * size:
                yield f"objective {claim.objective!r}, enumeration says {answer.value!r}"
    if claim.verdict == "optimal":
        yield from point_faults(instance, claim)


def point_faults(instance: Instance, claim: Claim) -> Iterator[str]:
    """What is wrong with a claim's point and multipliers: rows, bounds, and every follower's optimality conditions."""
    z = claim.z
    if z is None or claim.objective is None or claim.multipliers is None:
        yield "claims an optimum without a point"
        return
    used = np.isfinite(z)
    if not used.all():
        # A variable that stands nowhere has no value; any will do.
        z = np.where(used, z, np.clip(0.0, instance.lower, instance.upper))
    size = max(1.0, float(np.abs(z).max()))
    if _violation(np.eye(len(z)), instance.lower, instance.upper, z) > LOOSE * size:
        yield "a bound is violated"
    for rows in (instance.rows, *(f.rows for f in instance.followers)):
        if _violation(rows.matrix, rows.lower, rows.upper, z) > LOOSE * size:
            yield "a row is violated"
    if abs(instance.objective(z) - claim.objective) > LOOSE * max(1.0, abs(claim.objective)):
        yield f"the objective at the point is {instance.objective(z)!r}, not {claim.objective!r}"
    for number in range(len(instance.followers)):
        worst = conditions_residual(instance, number, z, claim.multipliers)
        if worst > 1e-4 * size:
            yield f"the multipliers of follower {number} miss its conditions by {worst:.2g}"
    for k, price in enumerate(instance.prices):
        reported = claim.multipliers.get(f"e{price.follower}[{price.row}]")
        if reported is not None and abs(reported - z[price.column]) > LOOSE * max(1.0, abs(reported)):
            yield f"p[{k}] is {z[price.column]!r}, the multiplier is reported as {reported!r}"


def _violation(matrix: Floats, lower: Floats, upper: Floats, z: Floats) -> float:
    body = matrix @ z
    return float(max((lower - body).max(initial=0.0), (body - upper).max(initial=0.0)))


def conditions_residual(instance: Instance, number: int, z: Floats, multipliers: dict[str, float]) -> float:
    """How far a follower's rows' reported multipliers are from its optimality conditions at z.

    Signs: a ``min`` agent's multiplier is >= 0 on the lower side, <= 0 on the upper one; ``max`` the other way round. What is
    left of the gradient has to be >= 0 at a lower bound, <= 0 at an upper one, 0 between them. Complementarity is measured as
    the smaller one of slack and multiplier.
    """
    f = instance.followers[number]
    own = list(f.columns)
    sign = 1.0 if f.sense == "min" else -1.0
    inner = np.array([sign * multipliers.get(f"e{number}[{k}]", 0.0) for k in range(len(f.rows))])
    body = f.rows.matrix @ z
    rest = f.hessian @ z[own] + f.cost + f.cross @ z - f.rows.matrix[:, own].T @ inner
    worst = 0.0
    for part, at, low, up in (
        (inner, body, f.rows.lower, f.rows.upper),
        (rest, z[own], instance.lower[own], instance.upper[own]),
    ):
        for value, here, below, above in zip(part, at, low, up, strict=True):
            if below == above:
                continue
            room = here - below if value > 0 else above - here
            worst = max(worst, min(abs(value), max(room, 0.0) if math.isfinite(room) else math.inf))
    return worst


def independent(instance: Instance, z: Floats) -> bool:
    """Whether the active rows and bounds of every follower are independent at z, so that multipliers are unique."""
    for f in instance.followers:
        own = list(f.columns)
        rows = np.vstack([f.rows.matrix[:, own], np.eye(len(own))])
        body = np.concatenate([f.rows.matrix @ z, z[own]])
        lower = np.concatenate([f.rows.lower, instance.lower[own]])
        upper = np.concatenate([f.rows.upper, instance.upper[own]])
        active = (np.abs(body - lower) < LOOSE) | (np.abs(upper - body) < LOOSE)
        if active.any() and np.linalg.matrix_rank(rows[active]) < active.sum():
            return False
    return True
