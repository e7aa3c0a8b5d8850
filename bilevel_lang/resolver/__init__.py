"""From names to agents: an annotation and a Pyomo model become a :class:`~bilevel_lang.problem.BilevelProblem`."""

from bilevel_lang.resolver.resolution import resolve

__all__ = ["resolve"]
