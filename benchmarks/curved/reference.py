"""The leader's optimum by a grid over its decisions, the followers solved at every point of it by Ipopt, and polishing.

Nothing of the package is used. What is found is feasible, so that the true optimum is no
worse; how near it is depends on the grid.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import casadi as ca
import numpy as np
from scipy.optimize import minimize

from benchmarks.curved.instances import Agent, Instance

GRID = {1: 61, 2: 13, 3: 7}
"""Points of the grid in each direction, by number of directions."""

POLISHED = 3
"""How many of the best points of the grid are polished."""

POLISH = {"xatol": 1e-9, "fatol": 1e-10, "maxfev": 250}

FEASIBLE = 1e-7
"""What a row of the leader's may miss."""

TIE = 1e-7
"""How much a follower may lose where the leader picks among its answers."""

ROUNDS = 200
"""Of best responses, for followers that play against each other."""

SETTLED = 1e-8
"""Change of a variable in a round below which play has settled."""

FUNCTIONS = {name: getattr(ca, name) for name in ("exp", "log", "sqrt", "sin", "cos")}
QUIET = {
    "print_time": False, "ipopt.print_level": 0, "ipopt.sb": "yes", "ipopt.tol": 1e-11, "ipopt.acceptable_tol": 1e-11,
    "ipopt.constr_viol_tol": 1e-10, "ipopt.bound_relax_factor": 0.0, "ipopt.max_iter": 100, "error_on_fail": False,
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The best value in the leader's own sense (None: no feasible point was found) and its point."""

    objective: float | None
    point: dict[str, float]


class _Solved:
    """One follower as an NLP whose parameters are everybody else's variables."""

    def __init__(self, agent: Agent, names: dict[str, Any], pick: Agent | None = None) -> None:
        self.own = list(agent.variables)
        self.others = [n for n in names if n not in agent.variables and not callable(names[n])]
        sign = 1.0 if agent.sense == "min" else -1.0
        objective = sign * _formula(agent.objective, names)
        rows, low, up = _rows(agent, names)
        own = ca.vertcat(*(names[n] for n in self.own))
        parameters = ca.vertcat(*(names[n] for n in self.others))
        value = ca.SX.sym("value")
        if pick is not None:
            rows, low, up = [*rows, objective - value], [*low, -math.inf], [*up, TIE]
            further, floor, ceiling = _rows(pick, names)
            rows, low, up = [*rows, *further], [*low, *floor], [*up, *ceiling]
            objective = (1.0 if pick.sense == "min" else -1.0) * _formula(pick.objective, names)
        self.low, self.up = low, up
        self.bounds = [agent.variables[n] for n in self.own]
        nlp = {"x": own, "f": objective, "g": ca.vertcat(*rows), "p": ca.vertcat(parameters, value)}
        self.solver = ca.nlpsol("follower", "ipopt", nlp, QUIET)

    def __call__(self, point: dict[str, float], value: float = 0.0) -> tuple[dict[str, float], float] | None:
        low = [-math.inf if b[0] is None else b[0] for b in self.bounds]
        up = [math.inf if b[1] is None else b[1] for b in self.bounds]
        start = [point.get(n, _inside(b)) for n, b in zip(self.own, self.bounds, strict=True)]
        found = self.solver(
            x0=np.clip(start, low, up),
            p=[*(point.get(n, 0.0) for n in self.others), value],
            lbx=low,
            ubx=up,
            lbg=self.low,
            ubg=self.up,
        )
        if not self.solver.stats()["success"]:
            return None
        return dict(zip(self.own, np.array(found["x"]).ravel().tolist(), strict=True)), float(found["f"])


def _inside(box: tuple[float | None, float | None]) -> float:
    low, up = (-math.inf if box[0] is None else box[0]), (math.inf if box[1] is None else box[1])
    return (low + up) / 2 if math.isfinite(low + up) else (low + 0.5 if math.isfinite(low) else min(up, 0.0))


def _formula(text: str, names: dict[str, Any]) -> Any:
    return eval(text, {"__builtins__": {}}, names)


def _rows(agent: Agent, names: dict[str, Any]) -> tuple[list[Any], list[float], list[float]]:
    parts = [text.partition("==") for text in agent.rows]
    low = [0.0 if equal else -math.inf for _, equal, _ in parts]
    return [_formula(left, names) for left, _, _ in parts], low, [0.0] * len(parts)


class Reference:
    """The problem as a function of the leader's decisions."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        symbols = [n for a in (instance.leader, *instance.followers) for n in a.variables]
        names: dict[str, Any] = {**FUNCTIONS, **{n: ca.SX.sym(n) for n in symbols}}
        self.leads = list(instance.leader.variables)
        self.sign = 1.0 if instance.leader.sense == "min" else -1.0
        rows, _, _ = _rows(instance.leader, names)
        everything = ca.vertcat(*(names[n] for n in symbols))
        self.leader = ca.Function("leader", [everything], [_formula(instance.leader.objective, names), ca.vertcat(0, *rows)])
        self.symbols = symbols
        self.followers = [_Solved(a, names) for a in instance.followers]
        self.pick = None if instance.unique else _Solved(instance.followers[0], names, instance.leader)
        self.best: tuple[float, dict[str, float]] = (math.inf, {})

    def answer(self, x: dict[str, float]) -> dict[str, float] | None:
        """The point that the followers lead to; None where one of them has no answer or play does not settle."""
        point = dict(x)
        for _ in range(ROUNDS):
            before = dict(point)
            for follower in self.followers:
                found = follower(point)
                if found is None:
                    return None
                point.update(found[0])
            if len(self.followers) == 1:
                break
            if all(abs(point[n] - before.get(n, math.inf)) <= SETTLED for n in point):
                break
        else:
            return None
        if self.pick is None:
            return point
        assert found is not None
        picked = self.pick(point, found[1])
        return None if picked is None else {**point, **picked[0]}

    def merit(self, x: np.ndarray) -> float:
        """The leader's objective (to be minimised) with a price on violated rows; remembers the best feasible point."""
        low, up = np.array([self.instance.search[n] for n in self.leads]).T
        inside = np.clip(x, low, up)
        clipped = dict(zip(self.leads, inside.tolist(), strict=True))
        outside = float(np.abs(x - inside).sum())
        point = self.answer(clipped)
        if point is None:
            return 1e9
        value, rows = self.leader(np.array([point[n] for n in self.symbols]))
        violation = float(max(0.0, np.array(rows).max()))
        value = self.sign * float(value)
        if violation <= FEASIBLE and value < self.best[0]:
            self.best = (value, point)
        return value + 100.0 * violation + 100.0 * outside


def reference(instance: Instance) -> Found:
    """The best point of the grid, polished."""
    problem = Reference(instance)
    count = GRID[len(problem.leads)]
    axes = [np.linspace(*instance.search[n], count) for n in problem.leads]
    scored = sorted((problem.merit(np.array(x)), x) for x in itertools.product(*axes))
    spacing = [(a[1] - a[0]) for a in axes]
    for _, x in scored[:POLISHED]:
        simplex = np.vstack([x, np.array(x) + np.diag(spacing) * 0.7])
        minimize(problem.merit, x, method="Nelder-Mead", options={**POLISH, "initial_simplex": simplex})
    value, point = problem.best
    return Found(None, {}) if math.isinf(value) else Found(problem.sign * value, point)
