"""The value-function method: relax the follower's optimality, then put back what its own answers say about it.

Formulation: :mod:`.integer.disjunctions`. Accepts: linear followers, integer or not, whose rows hold integer variables of the
leader with fractions as coefficients; several of them if none sees another. With continuous variables of the leader there and
integers in a follower: :mod:`.continuous.search`. All other optimisers go to the bounding scheme of :mod:`.nonconvex.search`,
which is epsilon-optimal. Produces: no model of its own but the high-point relaxation; the search adds to it while it runs.
Exactness: exact, where all numbers that decide are whole; epsilon behind continuous variables where the best value is approached.
Reference: Fischetti, Ljubic, Monaci and Sinnl 2017, Oper. Res. 65:1615; Tahernejad, Ralphs and DeNegre 2020, Math. Program.
Comput. 12:529; Mitsos 2010, J. Glob. Optim. 47:557.
"""

from __future__ import annotations

from dataclasses import replace

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.problem_clone import clone
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.value_function.continuous.route import continuous_reformulation, read_continuous
from bilevel_lang.reformulation.value_function.integer.choice import chosen_engine
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem, read_problem, why_not_sure
from bilevel_lang.reformulation.value_function.integer.search import ENGINES, find_optimum
from bilevel_lang.reformulation.value_function.nonconvex.route import accepts_nonconvex, nonconvex_reformulation
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import SolverRun


class ValueFunction:
    """Followers by the answers that they give."""

    name = "value-function"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Linear followers; what is not, and LPs behind continuous variables, by the bounding scheme if optimistic."""
        if options.encoding is not None:
            return Refusal(f"it has no complementarities to encode by `{options.encoding}`", "leave `--encoding` out")
        read = self._read(problem, options)
        if not isinstance(read, Refusal):
            return Accepted(_counted(read))
        linked = read_continuous(problem, options)
        if not isinstance(linked, Refusal):
            return Accepted(_counted(linked))
        other = accepts_nonconvex(problem, options)
        return other if isinstance(other, Accepted) else read

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The high-point relaxation as a Pyomo model: everybody's rows, the leader's objective. Its exactness is a relaxation."""
        if isinstance(verdict := self.accepts(problem, options), Refusal):
            raise RefusedError(f"{self.name}: {verdict.reason}", verdict.remedy)
        twin = clone(problem)
        for objective in list(twin.model.component_data_objects(pyo.Objective, active=True)):
            if objective is not twin.leader_objective:
                objective.deactivate()
        return Reformulation(
            problem=problem,
            model=twin.model,
            method=self.name,
            encoding=None,
            solver="",
            exactness=Exactness.RELAXATION,
            variables=twin.variables,
            multipliers=(),
            run=_relaxation_only,
            warnings=("this is the high-point relaxation: the follower's optimality is put back by `solve`, cut by cut",),
        )

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There are no complementarities to encode. Raises RefusedError where an encoding was asked for."""
        if options.encoding is not None:
            raise _no_encoding(options.encoding)
        return reformulation

    def prepare(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Arrays, and the search over them; or the bounding scheme."""
        read = self._read(problem, options)
        if isinstance(read, Refusal):
            linked = read_continuous(problem, options)
            if not isinstance(linked, Refusal):
                return continuous_reformulation(linked, options)
            if isinstance(accepts_nonconvex(problem, options), Accepted):
                return nonconvex_reformulation(problem, options)
            raise RefusedError(f"{self.name}: {read.reason}", read.remedy)
        solver, meant = (options.solver, "asked for") if options.solver else chosen_engine(read.arrays, options.position)
        return Reformulation(
            problem=problem,
            model=None,
            method=self.name,
            encoding=None,
            solver=solver,
            exactness=Exactness.EXACT,
            variables=ComponentMap((v, v) for v in read.variables),
            multipliers=(),
            run=_Run(read, solver),
            why=(f"chosen    {solver}: {meant}",),
        )

    def _read(self, problem: BilevelProblem, options: Options) -> ReadProblem | Refusal:
        if options.position == "pessimistic" and (refusal := why_not_sure(problem)) is not None:
            return refusal
        if options.solver is not None and options.solver not in ENGINES:
            return Refusal(f"it does not run on {options.solver}", "use `--solver " + "` or `--solver ".join(ENGINES) + "`")
        return read_problem(problem)


class _Run:
    """The search in terms of the modeller's variables."""

    def __init__(self, read: ReadProblem, solver: str) -> None:
        self._read, self._solver = read, solver

    def __call__(self, options: Options) -> SolverRun:
        found = find_optimum(self._read.arrays, self._solver, replace(options, solver=self._solver))
        values = None if found.x is None else ComponentMap(zip(self._read.variables, found.x.tolist(), strict=True))
        return replace(found.on_components(values), multipliers=())


def _counted(read: ReadProblem) -> str:
    arrays = read.arrays
    linking, whole = arrays.linking(), arrays.relaxation.integer
    own, integer = int(arrays.follower.sum()), int((arrays.follower & whole).sum())
    kinds = [(int((linking & whole).sum()), "integer"), (int((linking & ~whole).sum()), "continuous")]
    links = " and ".join(f"{count} {kind}" for count, kind in kinds if count) or "0"
    return f"linear followers with {own} columns ({integer} integer) behind {links} linking variables"


def _relaxation_only(options: Options) -> SolverRun:
    raise RefusedError("this model is only the relaxation", "call `solve`, which adds what the follower's answers say")


def _no_encoding(name: str) -> RefusedError:
    return RefusedError(
        f"`value-function` has no complementarities to encode by `{name}`", "leave `--encoding` out, or use `--method kkt`"
    )
