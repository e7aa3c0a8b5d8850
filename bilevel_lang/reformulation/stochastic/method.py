"""The rewrite ``extensive-form``: one program with a block of second-stage columns and rows for every scenario.

Formulation: :mod:`bilevel_lang.reformulation.stochastic.arrays`. Accepts: two-stage programs that are linear, with or without
integers, in the variables of one scenario. Exactness: exact for the scenarios that the annotation states (its own samples among
them); an approximation where ``--scenarios`` draws a sample of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyomo.common.collections import ComponentMap

from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.errors import RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.chance import with_chances
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.reformulation.stochastic.pyomo_form import pyomo_extensive_form
from bilevel_lang.reformulation.stochastic.risk import Measured, with_risks
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.features import describe
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.registry import pick
from bilevel_lang.solvers.solver import Solver, SolverRun
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

LARGEST = 200_000_000
"""Entries of the extensive form's matrix beyond which it is refused: it would not fit into the memory of an ordinary machine."""

LARGE = 1_000_000
"""Columns of it from which on the user is told."""


@dataclass(frozen=True, eq=False)
class StochasticRun(SolverRun):
    """A run with what the first stage decides in ``x`` (n1,) and the second in ``y`` (S, n2); None without a solution.

    ``within``: relative gap to which the scenarios at ``x`` were solved where the run could not do better, 0 where it could.
    ``apart``: each scenario of ``y`` was solved by itself, to its end.
    ``proven``: whether OPTIMAL speaks of the program itself, and not of what was learned of it. ``remarks`` are for the user.
    """

    x: Floats | None = None
    y: Floats | None = None
    proven: bool = True
    remarks: tuple[str, ...] = ()
    within: float = 0.0
    apart: bool = False


@dataclass(frozen=True, eq=False)
class TwoStageReformulation(Reformulation):
    """The arrays that are solved, with the scenarios and the measures of risk that went into them."""

    compiled: Compiled = field(kw_only=True)
    arrays: TwoStageArrays = field(kw_only=True)
    scenarios: ScenarioSet = field(kw_only=True)
    measured: tuple[Measured, ...] = field(kw_only=True, default=())


def apart(name: str, base: Verdict, problem: BilevelProblem, remedy: str) -> Verdict:
    """``base``, which :class:`ExtensiveForm` said, for a method that solves every scenario by itself: measures of risk and chance
    constraints are refused, and scenarios in which nothing is decided."""
    program = problem.stochastic
    if isinstance(base, Refusal) or program is None:
        return base
    if not program.second_variables:
        return Refusal("nothing is decided in the second stage", remedy)
    if program.tie is None:
        return base
    said = "measures of risk and chance constraints tie the scenarios together"
    return Refusal(said, remedy, (program.tie.diagnostic(f"{name}: {said}", remedy),))


class ExtensiveForm:
    """All scenarios in one program."""

    name = "extensive-form"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Stochastic programs of one decision maker."""
        program = problem.stochastic
        if program is None:
            return Refusal(
                "nothing in the annotation is random", "say what is: `randvar d discrete 0.5 30 0.5 60`, `stage 2 y row`"
            )
        unknown = unknown_components(problem.model)
        if unknown is not None:
            return Refusal(f"the model holds {unknown}", "write them as rows, with binaries of stage 2 where something is chosen")
        if options.position == "pessimistic":
            return Refusal("there is no follower whose ties could go either way", "leave --position out")
        default = Options()
        if options.implicit != default.implicit:
            return Refusal("there is no state variable, which `--implicit` is for", "leave --implicit out")
        if options.starts != default.starts:
            return Refusal("no local search is made, which `--starts` is for", "leave --starts out")
        return Accepted(f"two stages, {len(program.parameters)} random parameters")

    def prepare(self, problem: BilevelProblem, options: Options) -> TwoStageReformulation:
        """The arrays, ready to be run. Raises RefusedError for what is not linear, or too many scenarios."""
        assert problem.stochastic is not None
        _refuse_encoding(options)
        program = problem.stochastic
        scenarios = program.scenarios(options.scenarios, options.seed)
        compiled = compile_program(problem, scenarios)
        arrays, measured = with_risks(compiled, with_chances(compiled, compiled.arrays, program.chances), program.risks)
        _check_size(arrays)
        form = extensive_form(arrays)
        solver, why = pick(form.features(), options.solver)
        if not hasattr(solver, "run_matrix"):
            raise RefusedError(
                f"{solver.name} does not take arrays",
                help="use --solver highs or scip, or write a file for it: --write model.mps",
            )
        drawn = options.scenarios is not None
        return TwoStageReformulation(
            problem=problem,
            model=None,
            method=self.name,
            encoding=None,
            solver=solver.name,
            exactness=Exactness.APPROXIMATION if drawn else Exactness.EXACT,
            variables=ComponentMap((v, v) for v in compiled.first),
            multipliers=(),
            run=_Run(form, compiled, arrays, solver),
            why=(f"chosen    arrays: {_size(arrays, form)}", f"chosen    {why}"),
            warnings=_warnings(drawn, scenarios, form),
            compiled=compiled,
            arrays=arrays,
            scenarios=scenarios,
            measured=tuple(measured),
        )

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """The extensive form as a Pyomo model: the scenario's model once for each scenario, the first stage tied together."""
        assert problem.stochastic is not None
        return pyomo_extensive_form(problem, problem.stochastic.scenarios(options.scenarios, options.seed), self.name)

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There is nothing to encode. Raises RefusedError for an encoding that was asked for."""
        _refuse_encoding(options)
        return reformulation


@dataclass(frozen=True, eq=False)
class _Run:
    form: MatrixProgram
    compiled: Compiled
    arrays: TwoStageArrays
    solver: Solver

    def __call__(self, options: Options) -> StochasticRun:
        run: MatrixRun = self.solver.run_matrix(self.form, options.for_solver())  # type: ignore[attr-defined]
        x = y = values = None
        if run.x is not None:
            x, y = parted(self.arrays, run.x)
            values = ComponentMap(zip(self.compiled.first, (float(v) for v in x), strict=False))
        return StochasticRun(
            run.termination,
            run.solver,
            values=values,
            objective=run.objective,
            bound=run.bound,
            seconds=run.seconds,
            message=run.message,
            nodes=run.nodes,
            iterations=run.iterations,
            doubts=run.doubts,
            x=x,
            y=y,
        )


def _refuse_encoding(options: Options) -> None:
    if options.encoding not in (None, "", "none"):
        raise RefusedError("the extensive form has no conditions to encode", help="leave --encoding out")


def _check_size(arrays: TwoStageArrays) -> None:
    entries = arrays.scenarios * (arrays.technology.nnz + arrays.recourse.nnz)
    if entries > LARGEST:
        raise RefusedError(
            f"the extensive form of {arrays.scenarios:,} scenarios has {entries:,} matrix entries",
            help="draw a sample: `--scenarios 1000`, and try the answer out on more of them: `--evaluate 10000`",
        )


def _size(arrays: TwoStageArrays, form: MatrixProgram) -> str:
    kind = describe(form.features()) if form.features() else "linear"
    return (
        f"{arrays.scenarios:,} scenarios make {form.columns:,} columns, {form.rows:,} rows, {form.matrix.nnz:,} entries ({kind})"
    )


def _warnings(drawn: bool, scenarios: ScenarioSet, form: MatrixProgram) -> tuple[str, ...]:
    said = []
    if drawn:
        sample = f"the answer is that of a sample of {scenarios.size} scenarios (--scenarios), not of the law"
        said.append(f"{sample}; `--evaluate 10000` tries it out on others")
    if form.columns > LARGE:
        size = f"{scenarios.size:,} scenarios make {form.columns:,} columns and {form.rows:,} rows, which are solved together"
        said.append(f"{size}: `--scenarios 1000` draws fewer of them")
    return tuple(said)
