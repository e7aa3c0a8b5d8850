"""A model whose pairs are relaxed by a parameter, and the way from it to the exact pieces of the MPEC."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.reformulation.complementarity.piece import held_bounds

Side = Any
"""A variable >= 0, or the row that states ``expression >= 0`` where the user wanted no slack."""


@dataclass(frozen=True, eq=False)
class RelaxedModel:
    """``model`` with the parameter ``mu`` (a fixed variable).

    ``rows`` are the relaxed conditions of the pairs (``body <= 0`` or ``body == 0``), ``sides`` what the pairs are made of,
    ``released`` the sides whose bound 0 the relaxation has taken away. ``objective`` is the model's own (None: any point will
    do), ``penalised`` the one that stands in its place, None where the relaxation adds no cost. ``steps`` are the values of mu;
    ``whole``: every start takes all of them.
    """

    model: Any
    block: Any
    mu: Any
    rows: tuple[Any, ...]
    sides: tuple[tuple[Side, Side], ...]
    released: tuple[Any, ...]
    objective: Any
    penalised: Any
    steps: tuple[float, ...]
    whole: bool = False

    @contextmanager
    def piece(self, zeros: Sequence[Side]) -> Iterator[None]:
        """Within, the model is one exact piece: sides in ``zeros`` are 0, the others >= 0, relaxed rows and costs are gone."""
        pinned = [side for side in zeros if not (is_variable(side) and (side.fixed or side.lb not in (None, 0)))]
        expressions = [(row, row.expr) for row in pinned if not is_variable(row)]
        variables = [v for v in pinned if is_variable(v)]
        bounds = [(v, 0.0, v.ub) for v in self.released] + [(v, 0.0, 0.0) for v in variables]
        with self._exact(), held_bounds(bounds):
            try:
                for row, _ in expressions:
                    row.set_value(row.body == 0)
                yield
            finally:
                for row, expression in expressions:
                    row.set_value(expression)

    @contextmanager
    def _exact(self) -> Iterator[None]:
        try:
            for row in self.rows:
                row.deactivate()
            if self.penalised is not None:
                self.penalised.deactivate()
                if self.objective is not None:
                    self.objective.activate()
            yield
        finally:
            for row in self.rows:
                row.activate()
            if self.penalised is not None:
                if self.objective is not None:
                    self.objective.deactivate()
                self.penalised.activate()

    def smaller_sides(self) -> list[Side]:
        """The smaller side of every pair at the present values."""
        return [left if worth(left) <= worth(right) else right for left, right in self.sides]

    def residual(self) -> float:
        """How far the present values are from complementary: the largest min(left, right) in absolute value."""
        return max((abs(min(worth(left), worth(right))) for left, right in self.sides), default=0.0)

    def settle_slacks(self) -> None:
        """Give slacks, and the two parts of free sides, the values that their rows demand at the present values of the others."""
        for name, slack in _items(self.block.component("slack")):
            value = number_at(self.block.slack_row[name].expr.args[1], ComponentMap())
            if math.isfinite(value):
                slack.set_value(max(0.0, value), skip_validation=True)
        for name, row in _items(self.block.component("row")):
            force = number_at(row.expr.args[0], ComponentMap())
            for word, value in (("lower", force), ("upper", -force)):
                if f"{name}.{word}" in self.block.part and math.isfinite(value):
                    self.block.part[f"{name}.{word}"].set_value(max(0.0, value), skip_validation=True)

    def own_objective(self) -> float:
        """The model's own objective at the present values; 0 where there is none."""
        return 0.0 if self.objective is None else float(pyo.value(self.objective.expr))


def _items(container: Any) -> list[tuple[str, Any]]:
    return [] if container is None else list(container.items())


def is_variable(side: Side) -> bool:
    """Whether a side is a variable (and not the row of an expression)."""
    return bool(side.ctype is pyo.Var)


def worth(side: Side) -> float:
    """The value of a side at the present values."""
    if is_variable(side):
        return float(side.value if side.value is not None else 0.0)
    return float(pyo.value(side.body) - pyo.value(side.lower))
