"""The optimal answers of a linear agent with integer variables: its rows, and its objective as good as at the answer.

No multipliers describe this set, so that the objective stands in it as a row, with a tolerance.
"""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import ModelFileError
from bilevel_lang.oracle.agent_model import UNDEFINED, response_model
from bilevel_lang.oracle.optimal_face import LARGEST, NotDescribedError, OptimalFace
from bilevel_lang.problem import Agent

AS_GOOD = 2e-7
"""What the objective may lose, relative to max(1, |objective|): the tolerance of the search for such an answer."""


def integer_face(agent: Agent, values: ComponentMap) -> OptimalFace:
    """The optimal answers of ``agent``, everybody else fixed at ``values``, where its own variables are at an optimal answer.

    Raises NotDescribedError where it is a VI, large, or not linear.
    """
    if agent.objective is None:
        raise NotDescribedError("the solutions of a VI are not described")
    if len(agent.variables) > LARGEST:
        raise NotDescribedError(f"{len(agent.variables)} variables, more than {LARGEST}")
    try:
        built = response_model(agent, values)
        goal = built.model.objective
        here, maximised = float(pyo.value(goal)), goal.sense == pyo.maximize
        bodies = [goal.expr, *(row.body for row in built.model.row.values())]
    except (*UNDEFINED, ModelFileError) as error:
        raise NotDescribedError(f"a function has no value at the answer ({error})") from error
    if any(body.__class__ not in (int, float) and body.polynomial_degree() not in (0, 1) for body in bodies):
        raise NotDescribedError("the agent is mixed-integer and not linear")
    expression = goal.expr
    built.model.del_component(goal)
    if expression.__class__ not in (int, float) and expression.polynomial_degree() == 1:
        loss = AS_GOOD * max(1.0, abs(here))
        built.model.as_good = pyo.Constraint(expr=expression >= here - loss if maximised else expression <= here + loss)
    return OptimalFace(built.model, built.twins, exact=True)
