"""From the laws of a program to a network for all sets of scenarios: pairs are solved once, sets are drawn from them.

Half of the decisions lie all over the box, the others beside the best of those, where the answer will be looked for.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_embed.design import mutated
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.encoder_file import GivenEncoder, write_encoder
from bilevel_lang.reformulation.nn_recourse.estimate import sampling_ahead
from bilevel_lang.reformulation.nn_recourse.pair_labels import PairRecipe, PairSampler
from bilevel_lang.reformulation.nn_recourse.search_state import LABEL_GAP
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.dataset import DataSet, concatenated
from bilevel_lang.surrogate.sampling.executors import executor_for
from bilevel_lang.surrogate.scenario_encoder.labels import PairCosts, comparable_means
from bilevel_lang.surrogate.scenario_encoder.training import fit_sets
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES
from bilevel_lang.surrogate.training.settings import Settings
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

SAMPLES, EACH = 400, 20
"""Decisions of a training, and scenarios in which each of them is solved."""

MOST_SCENARIOS = 1000
"""Different scenarios of a training."""

LAYERS, STEPS, RATE, PATIENCE = (32, 32), 4000, 1e-2, 40
"""Widths of N, steps of Adam at most, the first learning rate, and looks at the held-out decisions without gain. Sets that are
drawn anew for every step make the way to a good network unsteady."""

PARENTS = 0.1
"""Share of the first half of the decisions, the best ones, beside which the second half lies."""


@dataclass
class EncoderTraining:
    """One training for ``problem``. ``cuts`` tell what a decision costs in the first stage; ``deadlines``: readings of
    ``time.perf_counter`` by which the labels have to be there, and the network."""

    problem: BilevelProblem
    compiled: Compiled
    decisions: Decisions
    cuts: Cuts
    options: Options
    deadlines: tuple[float | None, float | None]
    solves: int = 0
    sampling_seconds: float = 0.0
    training_seconds: float = 0.0
    said: list[str] = field(default_factory=list)

    def run(self) -> GivenEncoder:
        """Label and train, and write the file that was asked for.

        Raises RefusedError for too few decisions with an answer and for a second stage that sees none, SolverMissingError
        without torch, and what files raise.
        """
        if not self.decisions.inputs.inputs:
            raise RefusedError(
                "nn-embed: the second stage sees no variable of the first, so that there is nothing to learn",
                "use `--method extensive-form`",
            )
        scenarios = self._scenarios()
        data = self._labels(scenarios)
        pairs = self._pairs(data, scenarios)
        nn = self.options.nn
        kind = "relu" if nn.network == "encoder-relu" else "icnn"
        settings = Settings(kind, nn.layers or LAYERS, steps=STEPS, rate=RATE, patience=PATIENCE, seed=self.options.seed)
        trained = fit_sets(pairs, settings, self.deadlines[1], nn.folder)
        self.training_seconds = trained.seconds
        inputs = self.decisions.inputs
        word = "encoder-relu" if kind == "relu" else "encoder"
        found = GivenEncoder(trained.network, word, settings.layers, inputs.lower, inputs.upper, trained.mae, trained.max_error)
        if nn.save_surrogate is not None:
            write_encoder(nn.save_surrogate, found, self.problem, self.compiled, scenarios.values, pairs.content_hash())
        return found

    def announce(self, solves: int, seconds: float) -> None:
        """Tell what the labels will take, where that is long, after ``solves`` second stages in ``seconds``; with ``--verbose``
        at once."""
        nn = self.options.nn
        said = sampling_ahead(solves, seconds, EACH, nn.samples or SAMPLES)
        if said is None:
            return
        self.said.append(said)
        if self.options.verbose:
            print(said, file=sys.stderr, flush=True)

    def _scenarios(self) -> ScenarioSet:
        """Different ones, as the laws give them and unlikely ones."""
        assert self.problem.stochastic is not None
        wanted = min(MOST_SCENARIOS, (self.options.nn.samples or SAMPLES) * EACH)
        values = np.unique(self.problem.stochastic.training(wanted, self.options.seed).values, axis=0)
        return ScenarioSet(values, np.full(len(values), 1.0 / len(values)))

    def _labels(self, scenarios: ScenarioSet) -> DataSet:
        nn, options = self.options.nn, self.options
        arrays = compile_program(self.problem, scenarios).arrays
        until = None if self.deadlines[0] is None else time.time() + self.deadlines[0] - time.perf_counter()
        recipe = PairRecipe(arrays, self.decisions.seen, EACH, options.gap or LABEL_GAP, options.seed, until)
        count = nn.samples or SAMPLES
        with executor_for(nn.workers, nn.cluster) as executor:
            sampler = PairSampler(recipe, self.decisions.inputs, executor, nn.folder, _tell if options.verbose else None)
            every = self.decisions.all(count)
            first = self._possible(self.decisions.sample((count + 1) // 2) if every is None else every)
            parts = [sampler(first, self._late)] if len(first) else []
            if every is None and parts and not self._late():
                parts += [sampler(beside, self._late)] if len(beside := self._beside(parts[0], scenarios, count // 2)) else []
        self.solves, self.sampling_seconds = sampler.solves, sampler.seconds
        data = concatenated(parts) if parts else None
        if data is None or int(data.feasible.sum()) < 2 * LEAST_SAMPLES:
            found = 0 if data is None else int(data.feasible.sum())
            raise RefusedError(
                f"nn-embed: {found} decisions with an answer in some scenario are too few to train a network on",
                "take more samples, or more time",
            )
        return data.subset(data.feasible)

    def _late(self) -> bool:
        return self.deadlines[0] is not None and time.perf_counter() >= self.deadlines[0]

    def _possible(self, points: Floats) -> Floats:
        """Those that the rows of the first stage allow, each once; in random order, as those of a shard share scenarios."""
        fine = [point for point in np.unique(points, axis=0) if self.decisions.completed(point) is not None]
        found = np.array(fine).reshape(-1, points.shape[1])
        return found[self.decisions.generator.permutation(len(found))]

    def _beside(self, data: DataSet, scenarios: ScenarioSet, count: int) -> Floats:
        """Decisions near the best ones."""
        fine = data.subset(data.feasible)
        if not len(fine):
            return np.zeros((0, data.inputs.shape[1]))
        order = np.argsort(self._totals(fine, scenarios), kind="stable")
        parents = fine.inputs[order[: max(1, round(PARENTS * len(order)))]]
        return self._possible(mutated(parents, self.decisions.inputs, count, self.decisions.generator))

    def _totals(self, data: DataSet, scenarios: ScenarioSet) -> Floats:
        """(k,) expected costs, as far as a few scenarios tell them."""
        assert data.responses is not None
        first = [self.cuts.first_cost(x) for x in map(self.decisions.completed, data.inputs) if x is not None]
        return np.array(first) + comparable_means(data.responses, scenarios.values)

    def _pairs(self, data: DataSet, scenarios: ScenarioSet) -> PairCosts:
        assert data.responses is not None
        totals, inputs = self._totals(data, scenarios), self.decisions.inputs
        spread = max(float(np.median(totals) - totals.min()), 1e-9)
        weights = 1.0 / (0.1 + (totals - totals.min()) / spread)
        return PairCosts(data.inputs, scenarios.values, data.responses, weights, inputs.lower, inputs.upper)


def _tell(done: int, wanted: int) -> None:
    """A line that is written over itself."""
    end = "\n" if done >= wanted else ""
    print(f"\rsampling {100 * done // wanted:3d} %   {done} of {wanted}  ", end=end, file=sys.stderr, flush=True)
