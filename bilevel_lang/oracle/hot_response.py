"""Labels by one warm HiGHS instance: optimal values, exact subgradients and answers of an agent at many points.

The agent is an LP, a MILP or a convex QP in its own variables. For an LP or QP the gradient comes from the multipliers (the
envelope theorem): with sides and bounds in ``x`` it is a subgradient of a convex value (a supergradient for ``max``), with costs
in ``x`` the other way round; where the value has a kink, it is one of several. A MILP has one only where inputs move nothing but
its objective.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bilevel_lang.oracle.chain import nearest_chain
from bilevel_lang.oracle.hot_form import BoundsAt, HotForm, hot_form
from bilevel_lang.oracle.parametric import ParametricAgent
from bilevel_lang.solvers.features import is_semidefinite
from bilevel_lang.solvers.hot_variants import VariantSolver
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Answers, Variants, reduced_costs
from bilevel_lang.surrogate.dataset import DataSet, Outcome

_OUTCOMES = {
    Termination.OPTIMAL: Outcome.OPTIMAL,
    Termination.INFEASIBLE: Outcome.INFEASIBLE,
    Termination.UNBOUNDED: Outcome.UNBOUNDED,
    Termination.LIMIT: Outcome.LIMIT,
}


def obstacle(agent: ParametricAgent) -> str | None:
    """Why HiGHS cannot take the agent, None where it can."""
    quadratic = agent.goal.quadratic
    if quadratic is None:
        return None
    if agent.integer.any():
        return "it has integer variables and a quadratic objective"
    return None if is_semidefinite(agent.goal.sense * quadratic) else "its quadratic objective is not convex"


@dataclass(eq=False)
class HotResponse:
    """See the module's docstring. The agent must not have an :func:`obstacle`.

    ``options.time_limit`` is for each sample, ``options.gap`` for MILPs. ``again`` counts the samples solved a second time, from
    nothing, because their first answer failed the check of feasibility and optimality or HiGHS gave none.
    """

    agent: ParametricAgent
    options: SolverOptions = field(default_factory=SolverOptions)
    again: int = 0

    def __post_init__(self) -> None:
        assert obstacle(self.agent) is None
        self.form: HotForm = hot_form(self.agent)
        self._solver = VariantSolver(self.form.program, self.options, primal=self.form.costs_only)

    def __call__(self, points: Floats) -> DataSet:
        """:meth:`labels`."""
        return self.labels(points)

    def labels(self, points: Floats) -> DataSet:
        """The samples at ``points`` (k, n), in their order. What they are depends on ``points`` only, not on calls before."""
        points = np.ascontiguousarray(points, dtype=float)
        order = nearest_chain(points)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return self._in_order(points[order]).subset(back)

    def _in_order(self, points: Floats) -> DataSet:
        agent, form = self.agent, self.form
        k, n, m = len(points), len(agent.inputs), len(agent.response_names)
        features = agent.features.at(points)
        bounds = form.bounds(features)
        open_ = form.satisfied(features) & ~(bounds.lower > bounds.upper).any(axis=1)
        rows = np.flatnonzero(open_)
        chosen, at = features[rows], bounds.subset(rows)
        variants = form.variants(chosen, at)
        answers = self._solver.solve(variants)
        self.again += answers.again
        outcomes = np.full(k, Outcome.INFEASIBLE, dtype=np.int8)
        outcomes[rows] = [_OUTCOMES.get(t, Outcome.FAILED) for t in answers.terminations]
        responses, gradients = np.full((k, m), np.nan), np.full((k, n), np.nan)
        responses[rows] = answers.x
        feasible = np.isfinite(responses).all(axis=1) & np.isin(outcomes, (Outcome.OPTIMAL, Outcome.LIMIT))
        responses[~feasible] = np.nan
        if self.has_gradients:
            gradients[rows] = self._gradients(points[rows], chosen, at, variants, answers)
            gradients[~feasible] = np.nan
        return DataSet(
            inputs=points,
            feasible=feasible,
            values=np.where(feasible, agent.goal.values(features, responses), np.nan),
            gradients=gradients if self.has_gradients else None,
            responses=responses,
            leader=None if agent.leader is None else np.where(feasible, agent.leader.values(features, responses), np.nan),
            input_names=agent.inputs.names,
            response_names=agent.response_names,
            outcomes=outcomes,
        )

    @property
    def has_gradients(self) -> bool:
        """Whether samples come with gradients."""
        return not self.agent.integer.any() or self.form.costs_only

    def _gradients(self, points: Floats, features: Floats, at: BoundsAt, variants: Variants, answers: Answers) -> Floats:
        """(k, n): derivatives of the optimal value in its own sense."""
        agent, form, goal = self.agent, self.form, self.agent.goal
        y = answers.x
        by_feature = goal.slope + np.asarray((goal.cost_slope.T @ y.T).T)
        if answers.row_duals is not None:
            duals = goal.sense * answers.row_duals
            by_feature = by_feature - np.asarray((agent.row_slope[form.rows].T @ duals.T).T)
            reduced = goal.sense * reduced_costs(form.program, variants, y, answers.row_duals)
            by_feature = by_feature - self._by_bounds(reduced, at)
            for row, column, feature, coefficient in zip(
                form.entries.rows, form.entries.columns, form.entries.features, form.entries.coefficients, strict=True
            ):
                by_feature[:, feature] -= coefficient * duals[:, row] * y[:, column]
        return agent.features.gradient(points, np.asarray(by_feature))

    def _by_bounds(self, reduced: Floats, at: BoundsAt) -> Floats:
        """(k, q): what moving bounds contribute; a reduced cost belongs to the bound of its sign (in the minimisation)."""
        bound, sense = self.form.bound_rows, self.agent.goal.sense
        low = sense * reduced > 0
        source = np.where(low, at.lower_row, at.upper_row)
        weights = np.zeros((len(reduced), len(bound.rows)))
        samples, columns = np.nonzero((source >= 0) & (reduced != 0))
        np.add.at(weights, (samples, source[samples, columns]), reduced[samples, columns])
        return np.asarray((bound.slope.T @ weights.T).T)
