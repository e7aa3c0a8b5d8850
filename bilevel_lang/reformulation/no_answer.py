"""Problems that are settled before any solver is asked: an agent that has no best answer, whatever the others decide."""

from __future__ import annotations

from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.rays import endless_ray
from bilevel_lang.oracle.traits import AgentClass, traits_of
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import SolverRun, Termination

PROOF = "no solver"
"""What stands in the place of the solver's name."""


def without_answer(problem: BilevelProblem, method: str) -> Reformulation | None:
    """Nothing left to solve, where an agent that is no LP is proven to be unbounded for every decision of the others.

    LPs are left to their optimality conditions: those have no solution then, and solvers see that.
    """
    for agent in problem.agents:
        ray = endless_ray(agent)
        if ray is not None and traits_of(agent).agent_class is not AgentClass.LP:
            return _settled(problem, method, ray.text)
    return None


def _settled(problem: BilevelProblem, method: str, why: str) -> Reformulation:
    def run(options: Options) -> SolverRun:
        return SolverRun(Termination.INFEASIBLE, PROOF, message=why)

    return Reformulation(
        problem=problem,
        model=None,
        method=method,
        encoding=None,
        solver=PROOF,
        exactness=Exactness.RELAXATION,
        variables=ComponentMap(),
        multipliers=(),
        run=run,
        why=(f"chosen    a proof that there is no solution: {why}",),
        warnings=(why,),
    )
