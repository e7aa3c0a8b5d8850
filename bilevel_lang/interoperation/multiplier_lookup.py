"""Where the multiplier of a row or bound is in a transformed model, and what a component was before.

An instance hangs on the transformed model as Pyomo's private data, so that it is cloned and pickled with it.
"""

from __future__ import annotations

from typing import Any

from pyomo.common.autoslots import AutoSlots
from pyomo.common.collections import ComponentMap
from pyomo.environ import Block, Constraint

from bilevel_lang.errors import UsageError
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.optimality_conditions import BuiltMpec

Sides = tuple[Any, Any]


class MultiplierLookup(AutoSlots.Mixin):  # type: ignore[misc]
    """Rows and bounds to multipliers and back; components of the source to those of the transformed model and back."""

    __slots__ = ("block", "found", "objects", "sources", "transformed")

    def __init__(self) -> None:
        self.block: Any = None
        """The generated ``kkt`` block; None as long as the model has not been transformed."""
        self.found: ComponentMap = ComponentMap()
        """Component -> {agent's name: (multiplier(s), the reported multiplier as an expression)}."""
        self.objects: ComponentMap = ComponentMap()
        self.sources: ComponentMap = ComponentMap()
        self.transformed: ComponentMap = ComponentMap()

    def fill(self, problem: BilevelProblem, built: BuiltMpec) -> None:
        """Record what was built for ``problem``."""
        self.block = built.block
        originals = ComponentMap() if problem.softening is None else problem.softening.components
        for source, twin in built.twin.variables.items():
            self._pair(source, twin, originals)
        for before, after in zip(problem.agents, built.twin.agents, strict=True):
            for old, new in zip(before.rows, after.rows, strict=True):
                self._pair(old.component, new.component, originals)
            self._bounds(after)
        for _, terms, agent_number, row_number in built.multipliers:
            agent = built.twin.agents[agent_number]
            row = agent.rows[row_number]
            reported = sum(factor * variable for factor, variable in terms)
            sides = [variable for _, variable in terms]
            if len(sides) == 1 and row.component.ctype is not Constraint:  # a bound of an objective variable
                sides = [sides[0], None] if row.lower is not None else [None, sides[0]]
            self._add(row.component, agent, sides[0] if len(sides) == 1 else (sides[0], sides[1]), reported)

    def entry(self, component: Any, agent: str | None) -> tuple[Any, Any]:
        """(multiplier or pair of multipliers, reported multiplier). Raises UsageError where there is none, or more than one."""
        by_agent = self.found.get(component, {})
        if not by_agent:
            said = f"`{component.name}` has no multiplier in this model"
            raise UsageError(said, "only rows of agents, and bounds of the variables that they own, have one")
        if agent is None and len(by_agent) > 1:
            raise UsageError(
                f"`{component.name}` has a multiplier for each of several agents", f"add agent= one of {_list(by_agent)}"
            )
        name = next(iter(by_agent)) if agent is None else agent
        if name not in by_agent:
            raise UsageError(f"`{component.name}` has no multiplier of `{name}`", f"it has one of {_list(by_agent)}")
        return by_agent[name]  # type: ignore[no-any-return]

    def _pair(self, source: Any, twin: Any, originals: Any) -> None:
        source = originals.get(source, source)
        self.transformed[source] = twin
        self.sources[twin] = source

    def _bounds(self, agent: Agent) -> None:
        multiplier = self.block.component("bound_multiplier")
        for variable in agent.variables:
            lower, upper = (self._bound_multiplier(multiplier, agent, variable, side) for side in ("lower", "upper"))
            if lower is not None or upper is not None:
                reported = agent.sign * ((0 if lower is None else lower) - (0 if upper is None else upper))
                self._add(variable, agent, (lower, upper), reported)

    def _bound_multiplier(self, multiplier: Any, agent: Agent, variable: Any, side: str) -> Any:
        """Of a state variable each agent has its own, under its own name."""
        for name in (f"{agent.name}.{variable.name}.{side}", f"{variable.name}.{side}"):
            if multiplier is not None and name in multiplier:
                return multiplier[name]
        return None

    def _add(self, component: Any, agent: Agent, multipliers: Any, reported: Any) -> None:
        self.found.setdefault(component, {})[agent.name] = (multipliers, reported)
        for variable in multipliers if isinstance(multipliers, tuple) else (multipliers,):
            if variable is not None:
                self.objects[variable] = component


def _list(names: Any) -> str:
    return ", ".join(repr(name) for name in names)


Block.register_private_data_initializer(MultiplierLookup)


def lookup_of(model: Any) -> MultiplierLookup:
    """The record of ``model``, empty if it has not been transformed."""
    return model.private_data()  # type: ignore[no-any-return]
