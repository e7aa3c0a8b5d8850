"""Which way an agent is sampled, and that way as something which travels to workers.

Three ways, in this order: all answers listed (few whole ones), one warm HiGHS (LP, MILP, convex QP), a model for each sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.compilation import compile_agent, linking_inputs
from bilevel_lang.oracle.enumeration import Enumeration, all_answers
from bilevel_lang.oracle.general_response import GeneralAgent, GeneralResponse, general_agent
from bilevel_lang.oracle.hot_response import HotResponse, obstacle
from bilevel_lang.oracle.parametric import ParametricAgent
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import DataSet
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, eq=False)
class Labelling:
    """An agent to be labelled: a :class:`~bilevel_lang.surrogate.sampling.run.Recipe`.

    ``agent`` is arrays or a model of its own; ``way`` is ``enumeration``, ``highs`` or ``general``, and ``why`` says so in words.
    ``options.time_limit`` (seconds) is for each sample, ``options.gap`` (relative) for MILPs.
    """

    agent: ParametricAgent | GeneralAgent
    way: str
    why: str
    options: SolverOptions = field(default_factory=SolverOptions)

    @property
    def space(self) -> InputSpace:
        """The box of the inputs."""
        return self.agent.space if isinstance(self.agent, GeneralAgent) else self.agent.inputs

    def fingerprint(self) -> str:
        """Of the problem, the way and those options that labels can depend on."""
        options = (self.way, self.options.time_limit, self.options.gap, self.options.seed, sorted(self.options.extra.items()))
        return hashlib.sha256(f"{self.agent.fingerprint()} {options}".encode()).hexdigest()

    def build(self) -> Callable[[Floats], DataSet]:
        """What labels points (k, n). Raises SolverMissingError."""
        if isinstance(self.agent, GeneralAgent):
            return GeneralResponse(self.agent, self.options)
        if self.way == "enumeration":
            answers = all_answers(self.agent)
            assert answers is not None
            return Enumeration(self.agent, answers)
        return HotResponse(self.agent, self.options)


def labelling_of(agent: ParametricAgent, options: SolverOptions | None = None) -> Labelling | None:
    """How an agent given as arrays is labelled; None where HiGHS cannot take it (:func:`~.hot_response.obstacle`)."""
    options = options or SolverOptions()
    answers = all_answers(agent)
    if answers is not None:
        return Labelling(agent, "enumeration", f"{len(answers)} whole answers are all that there can be", options)
    if obstacle(agent) is not None:
        return None
    kind = "MILP" if agent.integer.any() else "LP" if agent.linear else "convex QP"
    return Labelling(agent, "highs", f"a {kind} in one warm HiGHS", options)


def labelling(
    problem: BilevelProblem, agent: Agent, inputs: Sequence[Any] | None = None, options: SolverOptions | None = None
) -> Labelling:
    """How ``agent`` is labelled, in terms of ``inputs`` (None: what it depends on).

    Raises RefusedError for a variational inequality, which has no value; ModelFileError where the model cannot be evaluated.
    """
    if agent.objective is None:
        raise RefusedError(f"{agent.name} has no objective, so there is no value to sample", "only min and max agents have one")
    compiled = compile_agent(problem, agent, inputs)
    if isinstance(compiled, ParametricAgent):
        found = labelling_of(compiled, options)
        if found is not None:
            return found
        reason = obstacle(compiled)
    else:
        reason = compiled.reason
    chosen = linking_inputs(problem, agent) if inputs is None else tuple(inputs)
    model = general_agent(problem, agent, chosen)
    return Labelling(model, "general", f"one model for each sample, for {reason}", options or SolverOptions())
