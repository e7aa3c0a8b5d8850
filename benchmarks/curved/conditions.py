"""Random MPECs: a decision, complementarity conditions that answer it, and the best over all pieces as reference."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from typing import Any

import casadi as ca
import pyomo.environ as pyo
from pyomo.mpec import Complementarity, complements

from benchmarks.curved.reference import FUNCTIONS, QUIET, Found

FUNCTIONS_OF_PYOMO = {name: getattr(pyo, name) for name in FUNCTIONS}
STARTS = 4
"""Random starts on each piece: its NLP need not be convex."""

BOX = 10.0
"""Half the width of the box of starts for variables without bounds."""


@dataclass(frozen=True)
class Conditions:
    """``min objective`` over ``x`` within ``boxes`` and rows ``text <= 0``, with ``0 <= y_i _|_ functions[i] >= 0``."""

    name: str
    boxes: dict[str, tuple[float, float]]
    functions: dict[str, str]
    objective: str
    rows: tuple[str, ...]


def conditions(seed: int) -> Conditions:
    """Instance ``seed``: P-matrices and others, linear functions and curved ones, objectives convex or not."""
    rng = random.Random(f"conditions/{seed}")

    def number(low: float, up: float) -> float:
        return round(rng.uniform(low, up), 2)

    xs, ys = [f"x{i}" for i in range(rng.choice((1, 2)))], [f"y{i}" for i in range(rng.choice((2, 3, 4)))]
    curved = rng.choice(("", "", "0.2*{y}**3", "0.3*exp({y})", "{y}/(1 + {y})"))
    functions = {}
    for i, y in enumerate(ys):
        terms = [f"({number(1.5, 3) if i == j else number(-1, 1)})*{other}" for j, other in enumerate(ys)]
        terms += [f"({number(-2, 2)})*{x}" for x in xs]
        functions[y] = " + ".join([*terms, *([curved.format(y=y)] if curved else []), f"({number(-3, 2)})"])
    parts = [f"({number(-0.4, 1.5)})*({n} - ({number(-1, 3)}))**2" for n in [*xs, *ys]]
    parts += [f"({number(-1, 1)})*{x}*{y}" for x in xs for y in ys if rng.random() < 0.4]
    rows = (f"{' + '.join([*xs, *ys])} - {number(2, 9)}",) if rng.random() < 0.5 else ()
    return Conditions(f"conditions/{seed}", {x: (number(-3, 0), number(0.5, 4)) for x in xs}, functions, " + ".join(parts), rows)


def model_of_conditions(instance: Conditions) -> tuple[Any, str]:
    """The model; its annotation is empty."""
    model = pyo.ConcreteModel(instance.name)
    names: dict[str, Any] = dict(FUNCTIONS_OF_PYOMO)
    for name, bounds in [*instance.boxes.items(), *((y, (None, None)) for y in instance.functions)]:
        model.add_component(name, pyo.Var(bounds=bounds))
        names[name] = model.component(name)

    def formula(text: str) -> Any:
        return eval(text, {"__builtins__": {}}, names)

    model.objective = pyo.Objective(expr=formula(instance.objective))
    for k, text in enumerate(instance.rows):
        model.add_component(f"row{k}", pyo.Constraint(expr=formula(text) <= 0))
    pairs = list(instance.functions.items())
    model.pairs = Complementarity(
        range(len(pairs)), rule=lambda m, i: complements(names[pairs[i][0]] >= 0, formula(pairs[i][1]) >= 0)
    )
    return model, ""


def best_of_pieces(instance: Conditions) -> Found:
    """Every way of deciding the pairs, each piece by Ipopt from several starts: feasible, so that the optimum is no worse."""
    rng = random.Random(instance.name)
    order = [*instance.boxes, *instance.functions]
    names: dict[str, Any] = {**FUNCTIONS, **{n: ca.SX.sym(n) for n in order}}

    def formula(text: str) -> Any:
        return eval(text, {"__builtins__": {}}, names)

    rows = [*(formula(t) for t in instance.functions.values()), *(formula(t) for t in instance.rows)]
    nlp = {"x": ca.vertcat(*(names[n] for n in order)), "f": formula(instance.objective), "g": ca.vertcat(*rows)}
    solver = ca.nlpsol("piece", "ipopt", nlp, QUIET)
    best = Found(None, {})
    for zero in itertools.product((False, True), repeat=len(instance.functions)):
        low = [*(b[0] for b in instance.boxes.values()), *(0.0 for _ in zero)]
        up = [*(b[1] for b in instance.boxes.values()), *(math.inf if z else 0.0 for z in zero)]
        ceiling = [*(0.0 if z else math.inf for z in zero), *(0.0 for _ in instance.rows)]
        floor = [*(0.0 for _ in zero), *(-math.inf for _ in instance.rows)]
        for _ in range(STARTS):
            start = [rng.uniform(a, min(b, a + BOX)) for a, b in zip(low, up, strict=True)]
            found = solver(x0=start, lbx=low, ubx=up, lbg=floor, ubg=ceiling)
            value = float(found["f"])
            if solver.stats()["success"] and (best.objective is None or value < best.objective):
                best = Found(value, dict(zip(order, found["x"].full().ravel().tolist(), strict=True)))
    return best
