"""The problems of ``data/`` as Pyomo models with annotations: mathematics in, nothing solved here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
from pyomo.mpec import Complementarity, complements

DATA = Path(__file__).parent / "data"
SETS = ("bilevel", "dualvar", "equilibrium", "mpec")
SENSES = {"min": pyo.minimize, "max": pyo.maximize}
FUNCTIONS = {"abs": abs, **{name: getattr(pyo, name) for name in ("exp", "log", "sqrt", "sin", "cos")}}
RELATIONS = ("<=", ">=", "==")
RESERVED = {"def": "def_"}
"""Names of the sources that Python has taken."""


@dataclass(frozen=True)
class Problem:
    """``best``: the best known value of the leader's objective, or the known solution of an equilibrium by variable.

    ``convex``: whether the follower is convex (None: unknown, or no follower). ``checked``: whether ``best`` was confirmed
    independently of its source. ``infeasible``: that it has no answer is known. ``own``: what is scored is a computation of ours
    (``note`` in the data says which) and the source's, if it has one, is kept as ``published``.
    """

    name: str
    set: str
    kind: str
    checked: bool
    convex: bool | None
    integer: bool
    sense: str
    best: float | dict[str, float] | None
    infeasible: bool
    own: bool
    entry: dict[str, Any]

    def model(self) -> tuple[Any, str]:
        """The Pyomo model and its annotation."""
        return _MAKERS[self.set](self.entry)


def all_problems(wanted: tuple[str, ...] = SETS) -> Iterator[Problem]:
    """Every problem of the sets, in the order of the files."""
    for name in wanted:
        for entry in json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")):
            yield _problem(name, entry)


def _problem(name: str, entry: dict[str, Any]) -> Problem:
    best = entry.get("best_known_upper", entry.get("best_known_objective", entry.get("known_solution")))
    variables = entry.get("upper_vars", []) + entry.get("lower_vars", [])
    convex = entry.get("convex_lower")
    return Problem(
        name=entry["name"],
        set=name,
        kind=entry.get("class", entry.get("type", name)),
        checked=bool(entry["checked"]),
        convex=convex if isinstance(convex, bool) else None,
        integer=any(v.get("domain", "Reals") != "Reals" for v in variables),
        sense=entry.get("upper_sense", entry.get("sense", "min")),
        best=best,
        infeasible=entry.get("known_status") == "infeasible",
        own=str(entry.get("note", "")).startswith("own computation"),
        entry=entry,
    )


class _Maker:
    """A model under construction; texts of formulas refer to its variables by name."""

    def __init__(self, name: str) -> None:
        self.model = pyo.ConcreteModel(name)
        self.names: dict[str, Any] = dict(FUNCTIONS)

    def variables(self, entries: list[dict[str, Any]], start: float | None = None) -> list[str]:
        made = []
        for entry in entries:
            name = RESERVED.get(entry["name"], entry["name"])
            domain = getattr(pyo, entry.get("domain", "Reals"))
            self.model.add_component(name, pyo.Var(bounds=(entry.get("lb"), entry.get("ub")), domain=domain, initialize=start))
            self.names[name] = self.model.component(name)
            made.append(name)
        return made

    def formula(self, text: str) -> Any:
        for taken, free in RESERVED.items():
            text = re.sub(rf"\b{taken}\b", free, text)
        return eval(text, {"__builtins__": {}}, self.names)

    def objective(self, name: str, text: str, sense: str, active: bool = True) -> None:
        objective = pyo.Objective(expr=self.formula(text), sense=SENSES[sense])
        self.model.add_component(name, objective)
        if not active:
            objective.deactivate()

    def rows(self, tag: str, texts: list[str] | dict[str, str]) -> list[str]:
        named = texts if isinstance(texts, dict) else {f"{tag}{i}": text for i, text in enumerate(texts, 1)}
        for name, text in named.items():
            self.model.add_component(name, pyo.Constraint(expr=self._relation(text)))
        return list(named)

    def expression(self, name: str, text: str) -> str:
        self.model.add_component(name, pyo.Expression(expr=self.formula(text)))
        return name

    def _relation(self, text: str) -> Any:
        relation = next(r for r in RELATIONS if r in text)
        left, right = (self.formula(side) for side in text.split(relation))
        return {"<=": lambda: left <= right, ">=": lambda: left >= right, "==": lambda: left == right}[relation]()


def _bilevel(entry: dict[str, Any]) -> tuple[Any, str]:
    made = _Maker(entry["name"])
    leader = made.variables(entry.get("upper_vars", []))
    duals = [(d["name"], d["of"]) for d in entry.get("dual_vars", [])]
    made.variables(entry.get("dual_vars", []))
    follower = made.variables(entry["lower_vars"])
    made.objective("outer", entry["upper_obj"], entry["upper_sense"])
    made.objective("inner", entry["lower_obj"], entry["lower_sense"], active=False)
    made.rows("u", entry.get("upper_cons", []))
    rows = made.rows("l", entry.get("lower_cons", []))
    lines = [f"bilevel {' '.join(leader)}", f"{entry['lower_sense']} inner {' '.join(follower)} {' '.join(rows)}"]
    lines += [f"dualvar {name} {row}" for name, row in duals]
    return made.model, "\n".join(lines) + "\n"


def _equilibrium(entry: dict[str, Any]) -> tuple[Any, str]:
    if "M" in entry:
        return _lcp(entry)
    if "leader" in entry:
        return _vi_followers(entry)
    made = _Maker(entry["name"])
    lines = ["equilibrium"]
    for player in entry["players"]:
        made.variables(player["vars"], start=1.0)
    functions = entry.get("vi", []) + [{"var": f["a"], "func": f["b"], "lb": 0.0} for f in entry.get("followers", [])]
    made.variables([{"name": f["var"], "lb": f.get("lb"), "ub": f.get("ub")} for f in functions], start=1.0)
    made.variables([{"name": name} for name in entry.get("fixed", {})])
    for name, value in entry.get("fixed", {}).items():
        made.names[name].fix(value)
    for player in entry["players"]:
        made.objective(f"{player['name']}_objective", player["obj"], player["sense"], active=False)
        rows = made.rows(f"{player['name']}_row", player["cons"])
        owned = " ".join(v["name"] for v in player["vars"])
        lines.append(f"{player['sense']} {player['name']}_objective {owned} {' '.join(rows)}")
    if functions:
        pairs = [f"{made.expression('F_' + f['var'], f['func'])} {f['var']}" for f in functions]
        lines.append("vi " + " ".join(pairs))
    return made.model, "\n".join(lines) + "\n"


def _lcp(entry: dict[str, Any]) -> tuple[Any, str]:
    made = _Maker(entry["name"])
    names = made.variables([{"name": f"x{i + 1}", "lb": 0.0} for i in range(len(entry["q"]))])
    pairs = []
    for name, row, constant in zip(names, entry["M"], entry["q"], strict=True):
        text = " + ".join(f"({c})*{other}" for c, other in zip(row, names, strict=True)) + f" + ({constant})"
        pairs.append(f"{made.expression('F_' + name, text)} {name}")
    return made.model, "vi " + " ".join(pairs) + "\n"


def _vi_followers(entry: dict[str, Any]) -> tuple[Any, str]:
    made = _Maker(entry["name"])
    leader = entry["leader"]
    owned = made.variables(leader["vars"])
    for follower in entry["vi_followers"]:
        made.variables([{"name": f["var"], "lb": f.get("lb"), "ub": f.get("ub")} for f in follower], start=1.0)
    made.objective("outer", leader["obj"], leader["sense"])
    made.rows("u", leader["cons"])
    lines = [f"bilevel {' '.join(owned)}"]
    followers = entry["vi_followers"]
    lines += ["vi " + " ".join(f"{made.expression('F_' + f['var'], f['func'])} {f['var']}" for f in part) for part in followers]
    return made.model, "\n".join(lines) + "\n"


def _mpec(entry: dict[str, Any]) -> tuple[Any, str]:
    made = _Maker(entry["name"])
    made.variables(entry["vars"])
    made.objective("outer", entry["obj"], entry["sense"])
    made.rows("c", entry.get("cons", []))
    pairs = entry["compl"]
    made.model.pairs = Complementarity(
        range(len(pairs)), rule=lambda m, i: complements(made.formula(pairs[i]["a"]) >= 0, made.formula(pairs[i]["b"]) >= 0)
    )
    return made.model, ""


_MAKERS = {"bilevel": _bilevel, "dualvar": _bilevel, "equilibrium": _equilibrium, "mpec": _mpec}
