"""The rewrite nn-embed for stochastic programs: what the second stage costs in expectation, by cuts and by networks.

Formulation: :mod:`.cuts` and :mod:`.program`. Accepts: two stages, linear with or without integers in one scenario, a first stage
in a box that is given or follows from its rows. Exactness: exact (a proven gap) for a linear second stage; otherwise the best
decision whose scenarios were all solved, with the bound of the linear relaxation. The network is for the given scenario set.
Reference: Dumouchelle, Patel, Khalil and Bodur 2022, "Neur2SP" (arXiv:2205.12006); "ICNN-enhanced 2SP" (arXiv:2505.05261).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError
from bilevel_lang.files import require_folder, require_writable
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_options import ENCODERS, NnOptions
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.encoder_file import GivenEncoder, read_encoder
from bilevel_lang.reformulation.nn_recourse.encoder_rounds import EncoderRounds
from bilevel_lang.reformulation.nn_recourse.estimate import not_worth_it, size_of
from bilevel_lang.reformulation.nn_recourse.rounds import Rounds, refuse_cuts
from bilevel_lang.reformulation.nn_recourse.search_state import Outcome
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun, TwoStageReformulation, apart
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

NOT_YET = ("search", "target")
"""Options of nn-embed that stochastic programs do not take."""

OF_ENCODERS = ("folder", "cluster", "workers")
"""Those of networks for all sets of scenarios alone."""

OF_TRAINING = ("samples", *OF_ENCODERS, "save_surrogate")
"""Those that do nothing where a network is brought."""

EVALUATED = 1e-4
"""Relative gap of the second stage's MILPs at the decision that is given: what Neur2SP evaluates with."""


class NnRecourse:
    """The second stage by what was learned of it; the same word ``nn-embed`` as for followers."""

    name = "nn-embed"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Stochastic programs of expected values; only where it is asked for."""
        if options.method.lower() != self.name:
            return Refusal("it approximates, and is not taken unless asked for", "use `--method nn-embed`")
        for name in NOT_YET:
            if name in options.nn.given:
                return Refusal(f"the option `{name}` is for followers, not for stochastic programs", f"leave `{name}` out")
        idle = _idle(options.nn)
        if idle is not None:
            return idle
        if options.encoding is not None:
            return Refusal(f"it has no complementarities to encode by `{options.encoding}`", "leave `--encoding` out")
        if options.solver not in (None, "highs"):
            return Refusal(f"it does not run on {options.solver}", "use `--solver highs`")
        return apart(self.name, ExtensiveForm().accepts(problem, options), problem, "use `--method extensive-form`")

    def prepare(self, problem: BilevelProblem, options: Options) -> TwoStageReformulation:
        """Arrays; all else is part of the run. Raises RefusedError for what is not linear, or has no finite box."""
        assert problem.stochastic is not None
        scenarios = problem.stochastic.scenarios(options.scenarios, options.seed)
        compiled = compile_program(problem, scenarios)
        if not compiled.first:
            raise RefusedError(
                "nn-embed: nothing is decided in the first stage (every variable is fixed, or of stage 2)",
                "use `--method extensive-form`",
            )
        refuse_cuts(compiled.arrays, options)
        given = None
        if options.nn.surrogate is not None:
            given = read_encoder(options.nn.surrogate, problem, compiled, scenarios)
        if options.nn.save_surrogate is not None:
            require_writable(options.nn.save_surrogate)
        if options.nn.folder is not None:
            require_folder(options.nn.folder)
        drawn = options.scenarios is not None
        size = size_of(compiled.arrays)
        small = not_worth_it(size)
        said = f"the answer is that of a sample of {scenarios.size} scenarios (--scenarios), not of the law"
        return TwoStageReformulation(
            problem=problem,
            model=None,
            method=self.name,
            encoding=None,
            solver="highs",
            exactness=Exactness.APPROXIMATION if drawn else Exactness.EXACT,
            variables=ComponentMap((v, v) for v in compiled.first),
            multipliers=(),
            run=_Run(problem, compiled, scenarios, given),
            why=(
                f"chosen    arrays: {scenarios.size:,} scenarios, one after the other",
                f"beside it the extensive form: {size}",
            ),
            warnings=(
                *(w for w in (f"{said}; `--evaluate 10000` tries it out on others" if drawn else None, small) if w),
                *(() if given is None else given.said),
            ),
            compiled=compiled,
            arrays=compiled.arrays,
            scenarios=scenarios,
        )

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Raises RefusedError: the network is trained while `solve` runs."""
        raise RefusedError("nn-embed has no model of a stochastic program to write", "use `solve`, or `--method extensive-form`")

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There is nothing to encode."""
        return reformulation


@dataclass(frozen=True, eq=False)
class _Run:
    problem: BilevelProblem
    compiled: Compiled
    scenarios: ScenarioSet
    given: GivenEncoder | None

    def __call__(self, options: Options) -> StochasticRun:
        began = time.perf_counter()
        arrays = self.compiled.arrays
        domain = domain_of(arrays, tuple(v.name for v in self.compiled.first))
        if options.nn.encodes:
            found = EncoderRounds(self.problem, self.compiled, self.scenarios, domain, options, self.given).run()
        else:
            found = Rounds(arrays, domain, options).run()
        sense = arrays.sense
        x = None if found.best is None else found.best.x
        return StochasticRun(
            found.termination,
            Highs().version(),
            values=None if x is None else ComponentMap(zip(self.compiled.first, x.tolist(), strict=True)),
            objective=None if found.best is None else sense * found.best.total,
            bound=sense * found.bound if np.isfinite(found.bound) else None,
            seconds=time.perf_counter() - began,
            message=_message(found),
            approximate_objective=None if found.approximate is None else sense * found.approximate,
            surrogate=found.surrogate,
            x=x,
            y=_second_stage(arrays, found, options),
            proven=found.closed,
            within=found.within,
            apart=found.y is not None and not found.within,
            remarks=found.said,
        )


def _idle(options: NnOptions) -> Refusal | None:
    """Of options that would do nothing, or that do not go together."""
    kept = options.surrogate is not None or options.save_surrogate is not None
    for name in OF_TRAINING if options.surrogate is not None else () if options.encodes else OF_ENCODERS:
        if name in options.given:
            other = "a network that is trained, and `surrogate` brings one" if kept else "networks of all sets of scenarios"
            mend = f"leave `{name}` out" + ("" if kept else ", or use `--network encoder`")
            return Refusal(f"the option `{name}` is for {other}", mend)
    if kept and options.network not in ("auto", *ENCODERS):
        said = f"a network `{options.network}` is of one set of scenarios, and is not kept in a file"
        return Refusal(said, "use `--network encoder` or `encoder-relu`, or leave `save_surrogate` out")
    return None


def _second_stage(arrays: TwoStageArrays, found: Outcome, options: Options) -> Floats | None:
    """(S, n2) at the decision that was found: what is listed, or every scenario solved; None without a decision."""
    if found.best is None or found.y is not None:
        return found.y
    return recourse_at(arrays, found.best.x, gap=min(options.gap or EVALUATED, EVALUATED)).y


def _message(found: Outcome) -> str:
    return "no decision was found that leaves every scenario an answer" if found.best is None else ""
