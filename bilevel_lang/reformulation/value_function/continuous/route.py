"""From a problem to the search with policies, or a refusal."""

from __future__ import annotations

from dataclasses import replace

from pyomo.common.collections import ComponentMap

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Reformulation, Refusal
from bilevel_lang.reformulation.value_function.continuous.search import SOLVERS, find_optimum
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem, read_linear
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import SolverRun


def read_continuous(problem: BilevelProblem, options: Options) -> ReadProblem | Refusal:
    """The arrays of a linear problem with integers in a follower, in the optimistic position, whatever links the two."""
    if options.position != "optimistic":
        said = "a decision that is not whole has no neighbours: the pessimistic position needs integer linking variables"
        return Refusal(said, "use `--position optimistic`, or make the leader's variables in followers' rows integer")
    if options.solver is not None and options.solver not in SOLVERS:
        return Refusal(f"it does not run on {options.solver}", "use `--solver " + "` or `--solver ".join(SOLVERS) + "`")
    read = read_linear(problem)
    if isinstance(read, Refusal):
        return read
    arrays = read.arrays
    if not (arrays.follower & arrays.relaxation.integer).any():
        return Refusal("no follower has integer variables", "use `--method kkt`")
    return read


def continuous_reformulation(read: ReadProblem, options: Options) -> Reformulation:
    """Arrays, and the search over them."""
    solver = options.solver or next(iter(SOLVERS))
    return Reformulation(
        problem=read.problem,
        model=None,
        method="value-function",
        encoding=None,
        solver=solver,
        exactness=Exactness.RELAXATION,
        variables=ComponentMap((v, v) for v in read.variables),
        multipliers=(),
        run=_Run(read, solver),
        why=(f"chosen    {solver}: the relaxation again and again, with a rule for every answer of the follower",),
    )


class _Run:
    """The search in terms of the modeller's variables."""

    def __init__(self, read: ReadProblem, solver: str) -> None:
        self._read, self._solver = read, solver

    def __call__(self, options: Options) -> SolverRun:
        found = find_optimum(self._read.arrays, self._solver, replace(options, solver=self._solver))
        x = found.run.x
        values = None if x is None else ComponentMap(zip(self._read.variables, x.tolist(), strict=True))
        return replace(found.run.on_components(values), multipliers=(), epsilon=found.epsilon)
