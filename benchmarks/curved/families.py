"""Random problems with convex followers, by family; the same problem for the same family and seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from benchmarks.curved.instances import Agent, Box, Instance

Terms = Sequence[tuple[float, str]]


class Draw:
    """Random numbers with two decimals, and texts made of them."""

    def __init__(self, family: str, seed: int) -> None:
        self._random = random.Random(f"{family}/{seed}")
        self.xs = [f"x{i + 1}" for i in range(self.choice(1, 2))]
        self.ys = [f"y{i + 1}" for i in range(self.choice(1, 2, 2, 3))]

    def choice(self, *of: int) -> int:
        return self._random.choice(of)

    def text(self, *of: str) -> str:
        return self._random.choice(of)

    def number(self, low: float, up: float) -> float:
        return round(self._random.uniform(low, up), 2)

    def linear(self, names: Sequence[str], size: float = 2.0) -> str:
        """A linear form in ``names``; one coefficient in five is zero."""
        return total([(0.0 if self.choice(0, 1, 2, 3, 4) == 0 else self.number(-size, size), n) for n in names])

    def distances(self) -> str:
        """A strictly convex quadratic in ``ys`` whose centre moves with ``xs``."""
        parts = [f"{self.number(0.5, 2)}*({y} - ({self.linear(self.xs)}) - {self.number(-1, 1)})**2" for y in self.ys]
        if len(self.ys) > 1:
            parts.append(f"{self.number(0.1, 1)}*({self.linear(self.ys)})**2")
        return " + ".join(parts)

    def boxes(self) -> dict[str, Box]:
        """Bounds of the leader's variables."""
        return {x: (self.number(-3, -0.5), self.number(0.5, 3)) for x in self.xs}

    def bounds(self) -> dict[str, Box]:
        """Bounds of the follower's variables: both, one, or none; 0 is always within."""
        kinds: tuple[Box, ...] = ((None, None), (0.0, None), (-1.0, 2.0), (None, 1.5), (0.0, 4.0))
        return {y: kinds[self.choice(0, 1, 2, 3, 4)] for y in self.ys}

    def target(self) -> str:
        """A leader's objective: quadratic, often not convex, in everything."""
        names = [*self.xs, *self.ys]
        squares = [(self.number(-0.5, 1.5), f"({n} - {self.number(-2, 2)})**2") for n in names]
        products = [(self.number(-1, 1), f"{x}*{y}") for x in self.xs for y in self.ys if self.choice(0, 1)]
        return f"{total([*squares, *products])} + {self.linear(names)}"

    def halfplanes(self, count: int) -> tuple[str, ...]:
        """Rows that y = 0 keeps for every x of the boxes."""
        return tuple(f"{self.linear(self.ys)} + {self.linear(self.xs, 0.5)} - {self.number(3.1, 5)}" for _ in range(count))


def total(terms: Terms) -> str:
    """The sum of coefficient times text."""
    return " + ".join(f"{c}*{t}" if c >= 0 else f"({c})*{t}" for c, t in terms) or "0"


def _box_search(boxes: dict[str, Box]) -> dict[str, tuple[float, float]]:
    return {x: (-12.0 if low is None else low, 12.0 if up is None else up) for x, (low, up) in boxes.items()}


def _made(
    d: Draw,
    objective: str,
    rows: tuple[str, ...] = (),
    bounds: dict[str, Box] | None = None,
    target: str | None = None,
    boxes: dict[str, Box] | None = None,
    leader_rows: tuple[str, ...] = (),
    unique: bool = True,
) -> Instance:
    boxes = d.boxes() if boxes is None else boxes
    sense = d.text("min", "max")
    follower = Agent(d.bounds() if bounds is None else bounds, sense, objective if sense == "min" else f"-({objective})", rows)
    target, leads = d.target() if target is None else target, d.text("min", "max")
    leader = Agent(boxes, leads, target if leads == "min" else f"-({target})", leader_rows)
    return Instance("", leader, (follower,), _box_search(boxes), unique)


def quadratic(d: Draw) -> Instance:
    """Convex QP; the leader moves its centre and its right-hand sides."""
    return _made(d, d.distances(), d.halfplanes(d.choice(0, 1, 2, 3)))


def coupled(d: Draw) -> Instance:
    """The same, with a row of the leader that holds the follower's variables."""
    row = f"{d.linear([*d.xs, *d.ys])} - {d.number(0.2, 2)}"
    return _made(d, d.distances(), d.halfplanes(d.choice(0, 1, 2)), leader_rows=(row,))


def matrix(d: Draw) -> Instance:
    """The leader stands in the coefficients of the follower's rows."""
    x = d.xs[0]
    row = " + ".join(f"({d.number(-1, 1)} + {d.number(-1, 1)}*{x})*{y}" for y in d.ys) + f" - {d.number(0.5, 2)}"
    return _made(d, d.distances(), (row, *d.halfplanes(d.choice(0, 1))))


def redundant(d: Draw) -> Instance:
    """Rows twice, scaled, and implied; multipliers are not unique."""
    rows = d.halfplanes(2)
    spare = (f"{d.number(0.5, 30)}*({rows[0]})", rows[1], f"({rows[0]}) + ({rows[1]})")
    return _made(d, d.distances(), (*rows, *spare[: d.choice(1, 2, 3)]))


def exponential(d: Draw) -> Instance:
    """Exponentials in the objective, a ball around a point that the leader moves."""
    centre = " + ".join(f"({y} - {d.number(-1, 1)}*{d.xs[0]})**2" for y in d.ys)
    spread = " + ".join(f"exp({d.number(-1, 1)}*{y} - {d.number(-0.5, 0.5)}*{d.xs[-1]})" for y in d.ys)
    squares = " + ".join(f"{d.number(0.05, 0.5)}*{y}**2" for y in d.ys)
    return _made(d, f"{spread} + {squares}", (f"{centre} - {d.number(0.5, 4)}",), dict.fromkeys(d.ys, (None, None)))


def logarithmic(d: Draw) -> Instance:
    """Water filling: logarithms, a budget of the leader's."""
    value = " - ".join(f"{d.number(0.5, 2)}*log({d.number(0.2, 1.5)} + {y})" for y in d.ys)
    cost = total([(d.number(0.1, 0.6), y) for y in d.ys])
    boxes: dict[str, Box] = {x: (0.1, d.number(1, 4)) for x in d.xs}
    budget = f"{' + '.join(d.ys)} - {d.xs[0]}"
    return _made(d, f"{cost} - {value}", (budget,), dict.fromkeys(d.ys, (0.0, None)), boxes=boxes)


def quartic(d: Draw) -> Instance:
    """Fourth powers: the optimum may be flat."""
    powers = " + ".join(f"({y} - ({d.linear(d.xs)}) - {d.number(-1, 1)})**4" for y in d.ys)
    return _made(d, powers, d.halfplanes(d.choice(0, 1, 2)))


def balanced(d: Draw) -> Instance:
    """A total that the leader sets, shared out at rising cost: an equality."""
    cost = " + ".join(f"{d.number(0.3, 2)}*{y}**2 + {d.number(0, 0.5)}*exp({d.number(0.1, 0.8)}*{y})" for y in d.ys)
    boxes: dict[str, Box] = {x: (0.0, d.number(1, 4)) for x in d.xs}
    return _made(d, cost, (), dict.fromkeys(d.ys, (0.0, None)), boxes=boxes) if len(d.ys) == 1 else _shared_out(d, cost, boxes)


def _shared_out(d: Draw, cost: str, boxes: dict[str, Box]) -> Instance:
    made = _made(d, cost, (), dict.fromkeys(d.ys, (0.0, None)), boxes=boxes)
    (follower,) = made.followers
    row = f"{' + '.join(d.ys)} - {d.xs[0]} == 0"
    return Instance("", made.leader, (Agent(follower.variables, follower.sense, follower.objective, (row,)),), made.search)


def free(d: Draw) -> Instance:
    """Nothing has a bound; the leader's objective grows in every direction."""
    far = " + ".join(f"({x} - {d.number(-2, 2)})**2" for x in d.xs) + " + " + " + ".join(f"0.3*({y} - 1)**2" for y in d.ys)
    boxes: dict[str, Box] = dict.fromkeys(d.xs, (None, None))
    bounds: dict[str, Box] = dict.fromkeys(d.ys, (None, None))
    rows = tuple(f"{d.linear(d.ys)} + {d.linear(d.xs, 0.5)} - {d.number(0.5, 3)}" for _ in range(d.choice(0, 1)))
    return _made(d, d.distances(), rows, bounds, far, boxes)


def norms(d: Draw) -> Instance:
    """Square roots and a logarithm of a sum of exponentials."""
    first = f"sqrt(1 + {' + '.join(f'({y} - {d.number(-1, 1)}*{d.xs[0]})**2' for y in d.ys)})"
    second = f"{d.number(0.3, 1)}*log({' + '.join(f'exp({d.number(-1, 1)}*{y})' for y in d.ys)} + exp({d.xs[-1]}))"
    return _made(d, f"{first} + {second}", d.halfplanes(d.choice(0, 1)), dict.fromkeys(d.ys, (-3.0, 3.0)))


def ratio(d: Draw) -> Instance:
    """Congestion: a quotient that is convex where its numerator is not negative."""
    boxes: dict[str, Box] = {x: (0.2, d.number(1, 4)) for x in d.xs}
    cost = " + ".join(f"{d.xs[0]}/{y} + {d.number(0.2, 1)}*{y}" for y in d.ys)
    return _made(d, cost, (f"{' + '.join(d.ys)} - {d.number(3, 6)}",), dict.fromkeys(d.ys, (0.1, 5.0)), boxes=boxes)


def powers(d: Draw) -> Instance:
    """Exponents that are no integers, on what is not negative."""
    cost = " + ".join(f"{d.number(0.3, 1)}*{y}**{d.text('1.5', '2.5', '3')} - {d.xs[0]}*{y}" for y in d.ys)
    boxes: dict[str, Box] = {x: (0.2, d.number(1, 3)) for x in d.xs}
    return _made(d, cost, d.halfplanes(1), dict.fromkeys(d.ys, (0.0, 6.0)), boxes=boxes)


def waves(d: Draw) -> Instance:
    """The leader's objective goes up and down; the follower is a QP."""
    target = " + ".join(f"{d.number(0.5, 1.5)}*sin({d.number(1, 3)}*{n})" for n in [*d.xs, *d.ys])
    return _made(d, d.distances(), d.halfplanes(d.choice(0, 1, 2)), target=f"{target} + {d.linear([*d.xs, *d.ys], 0.5)}")


def ties(d: Draw) -> Instance:
    """An LP with a row parallel to its objective: whole edges of answers, a quadratic leader."""
    names = d.ys if len(d.ys) > 1 else ["y1", "y2"]
    d.ys = names
    weights = [d.number(0.2, 2) for _ in names]
    row = total([*zip(weights, names, strict=True)])
    cap = f"{row} - {d.number(0.5, 1)}*{d.xs[0]} - {d.number(3, 4)}"
    return _made(d, f"-({row})", (cap,), {y: (0.0, d.number(1, 4)) for y in names}, unique=False)


def nash(d: Draw) -> Instance:
    """Two producers on one market, taxed and limited by the leader."""
    slope, tax = d.number(0.3, 1), d.xs[0]
    boxes: dict[str, Box] = {x: (0.0, d.number(0.5, 3)) for x in d.xs}
    players = []
    for own in ("y1", "y2"):
        profit = f"({d.number(4, 8)} - {slope}*(y1 + y2))*{own} - {d.number(0.1, 1)}*{own}**2 - {tax}*{own}"
        players.append(Agent({own: (0.0, None)}, "max", profit, (f"{own} - {d.number(1, 4)} - {d.xs[-1]}",)))
    d.ys = ["y1", "y2"]
    leader = Agent(boxes, "min", d.target())
    return Instance("", leader, tuple(players), _box_search(boxes))


def centring(d: Draw) -> Instance:
    """The leader lays a ball, the follower looks for its worst point."""
    d.xs, d.ys = ["x1", "x2", "r"], ["y1", "y2"]
    boxes: dict[str, Box] = {"x1": (-2.0, 2.0), "x2": (-2.0, 2.0), "r": (0.05, 3.0)}
    ball = "(y1 - x1)**2 + (y2 - x2)**2 - r**2"
    a, b = d.number(0.3, 1), d.number(-1, 1)
    worst = f"-({a}*y1 + {b}*y2)"
    row = f"{a}*y1 + {b}*y2 - {d.number(0.5, 1.5)}"
    target = f"-r + {d.number(0.05, 0.3)}*((x1 - {d.number(-1, 1)})**2 + (x2 - {d.number(-1, 1)})**2)"
    return _made(d, worst, (ball,), dict.fromkeys(d.ys, (None, None)), target, boxes, (row,))


MAKERS: tuple[Callable[[Draw], Instance], ...] = (
    quadratic, coupled, matrix, redundant, exponential, logarithmic, quartic, balanced, free, norms, ratio, powers, waves, ties,
    nash, centring,
)  # fmt: skip

FAMILIES = tuple(maker.__name__ for maker in MAKERS)


def instance(family: str, seed: int) -> Instance:
    """Instance ``seed`` of a family. Raises KeyError for an unknown one."""
    maker = {m.__name__: m for m in MAKERS}[family]
    made = maker(Draw(family, seed))
    return Instance(f"{family}/{seed}", made.leader, made.followers, made.search, made.unique)
