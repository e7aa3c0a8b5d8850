"""The core as a Pyomo model of one scenario, with a mutable parameter for everything that is random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression

from bilevel_lang.errors import Diagnostic, MpsSyntaxError
from bilevel_lang.grammar.leaves import Number
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.random_syntax import JRandVar, RandVar
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.mps_files.instance import Column, Row
from bilevel_lang.smps_files.entries import Core, Entry
from bilevel_lang.smps_files.random_entries import Joint, StochasticData
from bilevel_lang.smps_files.timing import Timing


def scenario_model(core: Core, timing: Timing, data: StochasticData) -> Any:
    """The model. Raises MpsSyntaxError where a row of the first stage holds a later column."""
    instance = core.instance
    model = pyo.ConcreteModel(name=instance.name or "unknown")
    entries = [e for j in data.joints for e in j.entries] + [c.entry for c in data.laws]
    model.data = pyo.Param([e.label for e in entries], initialize={e.label: core.value(e) for e in entries}, mutable=True)
    random = {(e.column, e.row): model.data[e.label] for e in entries}
    variables = [
        *_variables(model, "x", instance.columns[: timing.column]),
        *_variables(model, "y", instance.columns[timing.column :]),
    ]
    _check_first(instance.rows[: timing.row], timing, core)
    for name, start, rows in (("first", 0, instance.rows[: timing.row]), ("second", timing.row, instance.rows[timing.row :])):
        _rows(model, name, start, rows, variables, random)
    costs = [(random.get((j, None), c.cost), variables[j]) for j, c in enumerate(instance.columns)]
    total = _sum(costs) + instance.constant if costs else instance.constant
    model.cost = pyo.Objective(expr=total, sense=pyo.minimize if instance.sense > 0 else pyo.maximize)
    return model


def annotation(data: StochasticData, name: str) -> EmpInfo:
    """What the stochastic file says, in the annotation language; ``name`` is for messages.

    Outcomes are put in as nodes: a file may hold more of them than a text may have words.
    """
    lines = ["stage 2 y second"]
    for joint in data.joints:
        names, more = " ".join(_written(e) for e in joint.entries), " 0" * len(joint.entries)
        lines.append(f"randvar {names} discrete 1{more}" if len(joint.entries) == 1 else f"jrandvar {names} 1{more}")
    for continuous in data.laws:
        law, first, second = continuous.law
        lines.append(f"randvar {_written(continuous.entry)} {law} {first!r} {second!r}")
    info = parse("\n".join(lines) + "\n", name)
    found = list(info.statements)
    for place, joint in enumerate(data.joints, start=1):
        statement = found[place]
        assert isinstance(statement, (RandVar, JRandVar))
        found[place] = replace(statement, numbers=tuple(_numbers(joint)))
    return replace(info, statements=tuple(found))


def _numbers(joint: Joint) -> Iterator[Number]:
    total = math.fsum(p for p, _ in joint.outcomes)  # 1 up to the digits that the file leaves out
    for probability, values in joint.outcomes:
        yield Number(repr(probability / total))
        yield from (Number(repr(value)) for value in values)


def _written(entry: Entry) -> str:
    inside = ",".join("'" + part.replace("'", "''") + "'" for part in entry.label)
    return f"data({inside})"


def _variables(model: Any, name: str, columns: tuple[Column, ...]) -> Iterator[Any]:
    symbol = pyo.Var([c.name for c in columns])
    model.add_component(name, symbol)
    for column in columns:
        variable = symbol[column.name]
        if column.integer:
            variable.domain = pyo.Binary if (column.lower, column.upper) == (0.0, 1.0) else pyo.Integers
        variable.setlb(None if math.isinf(column.lower) else column.lower)
        variable.setub(None if math.isinf(column.upper) else column.upper)
        yield variable


def _rows(model: Any, name: str, start: int, rows: tuple[Row, ...], variables: list[Any], random: Any) -> None:
    added: dict[int, list[int]] = {}
    for column, row in random:
        if column is not None and row is not None:
            added.setdefault(row, []).append(column)

    def rule(_: Any, label: str) -> Any:
        place, row = by_name[label]
        terms = dict(row.terms) | {j: 0.0 for j in added.get(place, []) if j not in dict(row.terms)}
        body = _sum([(random.get((j, place), c), variables[j]) for j, c in (terms or {0: 0.0}).items()])
        side = random.get((None, place))
        if side is None:
            return (_finite(row.lower), body, _finite(row.upper))
        if row.lower == row.upper:
            return body == side
        return body <= side if math.isfinite(row.upper) else body >= side

    by_name = {row.name: (start + k, row) for k, row in enumerate(rows)}
    if rows:
        model.add_component(name, pyo.Constraint(list(by_name), rule=rule))
    else:
        model.add_component(name, pyo.Constraint(pyo.Any))


def _check_first(rows: tuple[Row, ...], timing: Timing, core: Core) -> None:
    for row in rows:
        late = next((j for j, _ in row.terms if j >= timing.column), None)
        if late is not None:
            column = core.instance.columns[late].name
            said = f"row `{row.name}` of the core is of the first stage, and holds `{column}` of the second, which begins here"
            help = "the rows of the core stand in the order of the stages, and so do its columns"
            raise MpsSyntaxError(Diagnostic("S2", said, help, timing.span, timing.source))


def _sum(terms: list[tuple[Any, Any]]) -> Any:
    return LinearExpression([MonomialTermExpression((c, v)) for c, v in terms])


def _finite(side: float) -> float | None:
    return None if math.isinf(side) else side
