"""Which powers of a non-negative expression are convex or concave: the one idea behind norms, quad-over-lin and geometric means.

``convex power`` p of e >= 0: ``e**p`` is convex (p > 0), ``log(e)`` is convex (p = 0), ``e**p`` is concave (p < 0). The smaller,
the stronger: whatever holds for p holds for every larger one. ``-inf`` is a constant. Examples: a square of an affine function
has 1/2, ``exp`` of one has 0, one over a concave function has -1.

``concave power`` p of e >= 0: ``e**p`` is concave (p > 0), ``log(e)`` is concave (p = 0). The larger, the stronger; ``inf`` is a
constant. The product of two concave functions has 1/2. Any of them makes e quasiconcave: ``e >= c`` is a convex set.

None: nothing is known. Sources: Avriel, Diewert, Schaible and Zang, Generalized Concavity (1988), chapter 8 (r-convex functions);
Boyd and Vandenberghe, Convex Optimization, sections 3.2.4, 3.2.6 and 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Power = float | None


def convex_of_sum(powers: Sequence[Power]) -> Power:
    """Of a sum of non-negative terms: p-norms are convex and nondecreasing, and a sum of log-convex terms is log-convex."""
    known = [p for p in powers if p is not None]
    if len(known) < len(powers) or not known:
        return None
    largest = max(known)
    if largest == -math.inf:
        return largest
    return None if largest > 1 else max(0.0, largest)


def convex_of_product(a: Power, b: Power) -> Power:
    """Of a product: ``u**s / v**t`` is convex in u, v > 0 for s >= 1 + t, increasing in u and decreasing in v."""
    if a is None or b is None:
        return None
    if -math.inf in (a, b):
        return max(a, b)
    if a <= 0 and b <= 0:
        return 0.0 if 0 in (a, b) else 1 / (1 / a + 1 / b)
    if min(a, b) >= 0:
        return None
    exponent = 1 / a + 1 / b
    return 1 / exponent if exponent > 0 else None


def concave_of_product(a: Power, b: Power) -> Power:
    """Of a product: a weighted geometric mean of concave functions is concave."""
    if a is None or b is None:
        return None
    if math.inf in (a, b):
        return min(a, b)
    return 0.0 if 0 in (a, b) else 1 / (1 / a + 1 / b)


def of_power(convex: Power, concave: Power, exponent: float) -> tuple[Power, Power]:
    """(convex, concave) of ``e**exponent`` from those of e; ``exponent`` is not 0."""
    if exponent > 0:
        return _divided(convex, exponent), _divided(concave, exponent)
    return _divided(concave, exponent), _divided(convex, exponent) if convex is not None and convex <= 0 else None


def _divided(power: Power, exponent: float) -> Power:
    # 0.0 and not -0.0, which min and max cannot tell apart but a reader can.
    return None if power is None else power / exponent + 0.0
