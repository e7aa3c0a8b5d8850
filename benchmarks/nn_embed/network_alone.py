"""The network's own decision: samples drawn all over the box, a network, its program, the true follower at what comes out.

Nothing is asked around good decisions, the network's descent proposes none, and the best sample is not the answer: what of
:mod:`bilevel_lang.reformulation.nn_embed` is the network's merit. Neur2BiLO (Dumouchelle et al. 2024) does no more than this.
"""

from __future__ import annotations

import bilevel_lang
from benchmarks.nn_embed.cases import Case
from bilevel_lang.reformulation.nn_embed.budgets import Budget, budget_for
from bilevel_lang.reformulation.nn_embed.domain import derived_domain
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.reformulation.nn_embed.rounds import Rounds
from bilevel_lang.reformulation.nn_embed.supplier import Supplier
from bilevel_lang.reformulation.nn_embed.target import Target, choose_targets
from bilevel_lang.reformulation.options import Options

NAME = "network alone"
"""In the column of the rounds."""


class _Alone(Rounds):
    def _as_long_as_it_gains(self, target: Target) -> None:
        self._round(target)

    def _propose(self, fitted: Fitted) -> None:
        """None: nothing is asked but the program's decision."""


def network_alone(case: Case, limit: float) -> tuple[str, float | None]:
    """ "feasible" or "no point", and the leader's true objective at the program's decision."""
    sampled = read_sampled(bilevel_lang.resolve(*case.model()))
    assert isinstance(sampled, SampledProblem) and sampled.evaluated is None
    source, inputs = sampled.read.arrays, sampled.inputs
    domain = derived_domain(source, inputs, tuple(sampled.read.variables[j].name for j in inputs))
    options = Options(method="nn-embed", time_limit=limit)
    rounds = _Alone(sampled, domain, choose_targets(source, "auto"), Supplier(source, domain, options), options)
    usual = budget_for(domain.inputs, None)
    rounds.budget = Budget(usual.everywhere + usual.questions, 0, 0)
    rounds.run()
    found = rounds.report.network_objective
    return "no point" if found is None else "feasible", found
