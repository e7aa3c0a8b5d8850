"""Pyomo's quadratic walk through an expression, with coefficients that are numbers or else an error of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pyomo.repn.quadratic import QuadraticRepnVisitor
from pyomo.repn.util import InvalidNumber

from bilevel_lang.errors import ModelFileError


@dataclass(frozen=True, slots=True)
class Walked:
    """``linear`` and ``products`` by the ids of variables; ``nonlinear`` None where there is nothing else."""

    constant: float
    linear: dict[int, float]
    products: dict[tuple[int, int], float]
    nonlinear: Any


class Recorder:
    """Numbers the variables as the walk meets them.

    Pyomo's own recorders take in a whole indexed variable when they meet one member of it; a column that appears nowhere would
    then get a value, and the run would claim to know something of it.
    """

    def __init__(self) -> None:
        self.var_map: dict[int, Any] = {}
        self.var_order: dict[int, int] = {}

    def add(self, variable: Any) -> None:
        """Give ``variable`` the next number, unless it has one."""
        if id(variable) not in self.var_map:
            self.var_order[id(variable)] = len(self.var_order)
            self.var_map[id(variable)] = variable


class Walker:
    """Walks through expressions one after the other; ``recorder`` knows all variables met so far."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self._visitor = QuadraticRepnVisitor({}, var_recorder=self.recorder)

    def walk(self, expression: Any, what: str) -> Walked:
        """The expression taken apart; ``what`` names it in errors. Raises ModelFileError where it cannot be evaluated."""
        try:
            repn = self._visitor.walk_expression(expression)
            linear = {k: finite_number(c) for k, c in repn.linear.items()}
            products = {pair: finite_number(c) for pair, c in (repn.quadratic or {}).items()}
            return Walked(finite_number(repn.constant), linear, products, repn.nonlinear)
        except (ValueError, ArithmeticError, TypeError) as error:
            help = "look for a parameter or fixed variable without value, or a division by 0"
            raise ModelFileError(f"{what} cannot be evaluated: {error}", help=help) from error


def finite_number(number: Any) -> float:
    """A coefficient as a float; ValueError for NaN, infinities and Pyomo's InvalidNumber."""
    if isinstance(number, InvalidNumber):
        raise ValueError("a function or quotient in it is not defined")
    result = float(number)
    if not math.isfinite(result):
        raise ValueError(f"it holds the number {result}")
    return result
