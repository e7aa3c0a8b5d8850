"""The rewrite nn-embed: a network in place of the follower's optimality, and the truth about what comes out.

Formulation: :mod:`.program`. Accepts: linear problems, integer or not, whose follower sees decisions of the leader in a box that
is given or follows from the rows. Produces: the high-point relaxation with the rows of the network. Exactness: an approximation,
whose answer is a bilevel-feasible point with the true objective of the leader.
Reference: Moreno-Palancas, Salcedo Diaz, Ruiz Femenia and Caballero 2025, Syst. Control Trans. 4:1415; Dumouchelle, Julien, Kurtz
and Khalil 2024, NeurIPS.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import Executor
from dataclasses import dataclass

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.files import require_folder, require_writable
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_embed.answers import AnswerRecipe
from bilevel_lang.reformulation.nn_embed.domain import NoPointError, derived_domain
from bilevel_lang.reformulation.nn_embed.kept import states_in, told
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.reformulation.nn_embed.rounds import Rounds
from bilevel_lang.reformulation.nn_embed.sampler import Sampler
from bilevel_lang.reformulation.nn_embed.single_level import single_level
from bilevel_lang.reformulation.nn_embed.supplier import Supplier
from bilevel_lang.reformulation.nn_embed.surrogate_files import Given, read_surrogate, write_surrogate
from bilevel_lang.reformulation.nn_embed.target import Target, choose_targets
from bilevel_lang.reformulation.nn_options import ENCODERS
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Reformulation, Refusal, Verdict
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverRun, Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.sampling.executors import executor_for

TO_LEADER = "use `--target leader` alone, or write them linearly"

TOLD = 30
"""Decisions in a batch from which on its progress is told."""

UNVERIFIED = "this model holds what a network makes of the follower: `verify` tells whether a point of it is bilevel-feasible"

CURVED = Target(
    "leader", "not all functions are linear: what the leader gets is sampled, at any one of the follower's optimal answers"
)


class NnEmbed:
    """Followers by what was learned of them."""

    name = "nn-embed"

    def accepts(self, problem: BilevelProblem, options: Options) -> Verdict:
        """Linear problems with a follower that sees the leader, in the optimistic position; only where it is asked for."""
        read = self._read(problem, options)
        if isinstance(read, Refusal):
            return read
        return Accepted(f"a linear follower that sees {len(read.inputs)} decisions of the leader can be sampled")

    def apply(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Sample, train and solve, then the program with the network as a Pyomo model; the best point is its MIP start.

        Raises RefusedError where there is no network to put into it.
        """
        sampled, targets = self._accepted(problem, options)
        done = _Run(sampled, targets).rounds(options)
        embedded = None if done is None else done.rounds.embedded
        if done is None or embedded is None:
            said = "no point satisfies all rows" if done is None else "there are too few samples to train a network on"
            raise RefusedError(f"nn-embed has no model to write: {said}", "look at the rows, or take more samples")
        found = single_level(problem, sampled, embedded, done.found.x)
        return Reformulation(
            problem=problem,
            model=found.model,
            method=self.name,
            encoding=None,
            solver="highs",
            exactness=Exactness.APPROXIMATION,
            variables=found.variables,
            multipliers=(),
            run=lambda wanted: Highs().run(found.model, wanted.for_solver()),
            why=tuple(f"chosen    target {target.name}: {target.reason}" for target in targets),
            warnings=(
                "this model holds what a network makes of the follower: `verify` tells whether a point of it is bilevel-feasible",
            ),
        )

    def encode(self, reformulation: Reformulation, options: Options) -> Reformulation:
        """There are no complementarities to encode. Raises RefusedError where an encoding was asked for."""
        if options.encoding is not None:
            raise RefusedError(
                f"`{self.name}` has no complementarities to encode by `{options.encoding}`", "leave `--encoding` out"
            )
        return reformulation

    def prepare(self, problem: BilevelProblem, options: Options) -> Reformulation:
        """Arrays; training is part of the run."""
        read, targets = self._accepted(problem, options)
        return Reformulation(
            problem=problem,
            model=None,
            method=self.name,
            encoding=None,
            solver="highs",
            exactness=Exactness.APPROXIMATION,
            variables=ComponentMap((v, v) for v in read.read.variables),
            multipliers=(),
            run=_Run(read, targets),
            why=tuple(f"chosen    target {target.name}: {target.reason}" for target in targets),
        )

    def _accepted(self, problem: BilevelProblem, options: Options) -> tuple[SampledProblem, tuple[Target, ...]]:
        read = self._read(problem, options)
        if isinstance(read, Refusal):
            raise RefusedError(f"{self.name}: {read.reason}", read.remedy)
        _refuse_idle(options)
        if options.nn.save_surrogate is not None:
            require_writable(options.nn.save_surrogate)
        if options.nn.folder is not None:
            require_folder(options.nn.folder)
        return read, (CURVED,) if read.evaluated is not None else choose_targets(read.read.arrays, options.nn.target)

    def _read(self, problem: BilevelProblem, options: Options) -> SampledProblem | Refusal:
        if options.method.lower() != self.name:
            return Refusal("it approximates, and is not taken unless asked for", "use `--method nn-embed`")
        if options.encoding is not None:
            return Refusal(f"it has no complementarities to encode by `{options.encoding}`", "leave `--encoding` out")
        if options.solver not in (None, "highs"):
            return Refusal(f"it does not run on {options.solver}", "use `--solver highs`")
        if options.nn.network in ENCODERS:
            return Refusal(f"the network `{options.nn.network}` is for stochastic programs", "use `--network auto`")
        if options.position != "optimistic":
            return Refusal(f"it does not take the {options.position} position", "use `--position optimistic`")
        found = read_sampled(problem)
        if isinstance(found, SampledProblem) and found.evaluated is not None and options.nn.target not in ("auto", "leader"):
            return Refusal(f"the leader's functions are not linear, as the target {options.nn.target} needs", TO_LEADER)
        return found


@dataclass(frozen=True, eq=False)
class _Done:
    """The rounds, what came of them, and what is to be said of a network that was given."""

    rounds: Rounds
    found: MatrixRun
    said: tuple[str, ...]


class _Run:
    """The rounds in terms of the modeller's variables."""

    def __init__(self, sampled: SampledProblem, targets: tuple[Target, ...]) -> None:
        self._sampled, self._targets = sampled, targets
        self._read: ReadProblem = sampled.read

    def __call__(self, options: Options) -> SolverRun:
        done = self.rounds(options)
        if done is None:
            return SolverRun(Termination.INFEASIBLE, Highs().version(), message="no point satisfies all rows", bound_holds=True)
        found, rounds, variables = done.found, done.rounds, self._read.variables
        doubts = (*done.said, *_idle_settings(rounds, options), *self._kept(rounds, options))
        values = None if found.x is None else ComponentMap(zip(variables, found.x.tolist(), strict=True))
        return SolverRun(
            found.termination,
            found.solver,
            values=values,
            objective=found.objective,
            bound=found.bound,
            seconds=found.seconds,
            message=found.message,
            multipliers=(),
            bound_holds=True,
            approximate_objective=rounds.report.approximate,
            surrogate=rounds.report.fields() | {"why": list(dict.fromkeys([*rounds.report.said, *rounds.supplier.said]))},
            doubts=doubts,
        )

    def rounds(self, options: Options) -> _Done | None:
        """Everything done, down to the last round; None where no point satisfies all rows."""
        source, variables, inputs = self._read.arrays, self._read.variables, self._sampled.inputs
        try:
            domain = derived_domain(source, inputs, tuple(variables[j].name for j in inputs))
        except NoPointError:
            return None
        given, targets = self._given(domain, options)
        supplier = Supplier(source, domain, options, None if given is None else given.fitted)
        folder = options.nn.folder
        before = states_in(folder)
        with executor_for(options.nn.workers, options.nn.cluster) as executor:
            sampler = self._sampler(domain, executor, options)
            rounds = Rounds(self._sampled, domain, targets, supplier, options, sampler)
            found = rounds.run()
        rounds.report.taken = sampler.taken
        rounds.report.said += told(folder, sampler.taken, before, supplier.states)
        return _Done(rounds, found, () if given is None else given.said)

    def _sampler(self, domain: InputSet, executor: Executor, options: Options) -> Sampler:
        evaluated = self._sampled.evaluated
        until = None if options.time_limit is None else time.time() + options.time_limit
        products = None if evaluated is None else evaluated.products
        recipe = AnswerRecipe(
            self._read.arrays, self._sampled.inputs, products, evaluated is not None, seed=options.seed, until=until
        )
        return Sampler(recipe, domain, executor, options.nn.folder, _tell if options.verbose else None)

    def _given(self, domain: InputSet, options: Options) -> tuple[Given | None, tuple[Target, ...]]:
        path = options.nn.surrogate
        if path is None:
            return None, self._targets
        given = read_surrogate(path, self._sampled, domain, options.nn.target)
        return given, (Target(given.target or "value", f"that of {path}"),)

    def _kept(self, rounds: Rounds, options: Options) -> tuple[str, ...]:
        """Write the network to the file that was asked for; what there is to say where there is none, for the answer stands."""
        path, fitted = options.nn.save_surrogate, rounds.report.fitted
        if path is None:
            return ()
        if fitted is None:
            return (f"there is no network to keep in {path}: take more samples, or more time",)
        write_surrogate(path, fitted, rounds.report.target, self._sampled, rounds.domain, rounds.data_hash())
        return ()


def _refuse_idle(options: Options) -> None:
    """Raises UsageError for what would do nothing beside a network that is brought."""
    nn = options.nn
    if nn.surrogate is not None and nn.search:
        said = "option `search` is for a network that is trained, and `surrogate` brings one"
        raise UsageError(said, "leave one of the two out")
    if nn.surrogate is not None and nn.samples is not None and not nn.refine:
        raise UsageError(
            "option `samples` does nothing beside `surrogate`: nothing is sampled for a network that is there",
            "leave it out, or add `--refine`, which samples around the decision found",
        )


def _idle_settings(rounds: Rounds, options: Options) -> tuple[str, ...]:
    """What was asked of a network where exact cuts made one needless."""
    fitted, nn = rounds.report.fitted, options.nn
    asked = [f"`{name}`" for name, given in (("layers", nn.layers is not None), ("search", bool(nn.search))) if given]
    if fitted is None or fitted.kind != "cuts" or not asked:
        return ()
    return (f"exact cuts stand for the follower, so {' and '.join(asked)} did nothing; `--network relu` trains a network",)


def _tell(done: int, wanted: int) -> None:
    """A line that is written over itself; for small batches, which follow one another quickly, there is none."""
    if wanted < TOLD:
        return
    print(
        f"\rsampling {100 * done // wanted:3d} %   {done} of {wanted}  ",
        end="\n" if done >= wanted else "",
        file=sys.stderr,
        flush=True,
    )
