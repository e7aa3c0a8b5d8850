"""Agents of small models, by the public way."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.problem import Agent


def follower(model: Any, text: str) -> Agent:
    """The first agent that ``text`` names; a leader's objective is added where the model has none."""
    if next(model.component_data_objects(pyo.Objective, active=True), None) is None:
        model.leader_objective = pyo.Objective(expr=0.0)
    return bilevel_lang.resolve(model, text).agents[0]


def at(**values: float) -> Any:
    """A function from a model to a ComponentMap of these values by name."""
    return lambda model: ComponentMap((model.find_component(name), value) for name, value in values.items())
