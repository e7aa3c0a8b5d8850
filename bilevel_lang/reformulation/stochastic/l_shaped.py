"""The rewrite ``l-shaped``: a binary first stage and the scenarios one by one, for programs whose extensive form is too much
for a MILP.

Formulation and search: :mod:`bilevel_lang.reformulation.stochastic.decomposition`. Exactness: exact, as the first stage has
finitely many decisions; every bound comes from cuts that are valid for all of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from pyomo.common.collections import ComponentMap

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.stochastic.decomposition import search
from bilevel_lang.reformulation.stochastic.incumbent import too_short
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun, TwoStageReformulation, apart
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import is_integer
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.uncertainty.program import StochasticProgram
from bilevel_lang.uncertainty.sampling import Discrete, why_not_listed

WORTH = 5_000
"""From so many integers in the extensive form on, `auto` takes this method where it can."""

MOST_BINARIES = 30
"""More first-stage decisions than that have too many combinations for a search that excludes them one by one: `auto` does not
try."""


class LShaped:
    """Cuts from every scenario's relaxation, exact values where they count."""

    name = "l-shaped"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """A binary first stage, no measure of risk, no chance constraint; for `auto`, where it is likely to pay."""
        remedy = "use `--method extensive-form`"
        base = apart(self.name, ExtensiveForm().accepts(problem, options), problem, remedy)
        program = problem.stochastic
        if isinstance(base, Refusal) or program is None:
            return base
        late = {id(v) for v in program.second_variables}
        first = [v for v in problem.leader.variables if id(v) not in late]
        other = next((v.name for v in first if not (is_integer(v) and v.bounds == (0, 1))), None)
        if other is not None:
            return Refusal(f"`{other}` of the first stage is not binary", remedy)
        if options.solver not in (None, "highs"):
            return Refusal(f"it works with HiGHS, not with {options.solver}", "leave --solver out")
        if options.method.lower() == "auto":
            integers = sum(is_integer(v) for v in program.second_variables) * _count(program, options)
            if integers < WORTH or len(first) > MOST_BINARIES:
                return Refusal(
                    f"the extensive form, with {integers:,} integers in the second stage, goes first",
                    f"ask for it: --method {self.name}",
                )
        return Accepted(
            f"two stages, {len(first)} binaries in the first, {len(program.second_variables)} variables in the second"
        )

    def prepare(self, problem: BilevelProblem, options: Options) -> TwoStageReformulation:
        """The arrays, ready to be searched. Raises RefusedError as the extensive form does."""
        made = ExtensiveForm().prepare(problem, options)
        return replace(
            made, method=self.name, solver="highs", run=_Run(made), why=(made.why[0], "chosen    highs: asked again and again")
        )

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The extensive form as a Pyomo model: the search itself has none."""
        return ExtensiveForm().apply(problem, options)

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There is nothing to encode."""
        return ExtensiveForm().encode(reformulation, options)


@dataclass(frozen=True, eq=False)
class _Run:
    made: TwoStageReformulation

    def __call__(self, options: Options) -> StochasticRun:
        started = time.perf_counter()
        found = search(self.made.arrays, options.time_limit, options.gap)
        solver = f"{Highs().version()} ({LShaped.name})"
        said = f"{found.rounds} rounds, {found.evaluated} first-stage decisions evaluated{too_short(found)}"
        bound = None if found.termination is Termination.INFEASIBLE else found.bound
        if found.x is None or found.y is None:
            return StochasticRun(found.termination, solver, bound=bound, seconds=time.perf_counter() - started, message=said)
        values = ComponentMap(zip(self.made.compiled.first, (float(v) for v in found.x), strict=True))
        return StochasticRun(
            found.termination,
            solver,
            values=values,
            objective=found.value,
            bound=bound,
            seconds=time.perf_counter() - started,
            message=said,
            nodes=found.rounds,
            x=found.x,
            y=found.y,
            within=found.within,
            apart=not found.within,
        )


def _count(program: StochasticProgram, options: Options) -> int:
    """How many scenarios there will be; 0 where they cannot be listed, which is told when they are needed."""
    if options.scenarios is not None:
        return options.scenarios
    if why_not_listed(program.groups) is not None:
        return 0
    count = 1
    for group in program.groups:
        count *= len(group.probabilities) if isinstance(group, Discrete) else group.size or 1
    return count
