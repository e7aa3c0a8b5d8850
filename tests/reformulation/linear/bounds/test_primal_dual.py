from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.primal_dual import primal_dual_rows
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from tests.reformulation.linear.random_followers import mpec_of, random_bilevel


@pytest.mark.parametrize("seed", range(24))
def test_every_solution_of_the_conditions_keeps_to_the_rows(seed: int) -> None:
    mpec = mpec_of(random_bilevel(seed))
    box = Box(mpec.program.lower, mpec.program.upper)
    # Bounds that hold at the solution make the envelopes as tight as they may be.
    run = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)
    if run.x is None:
        return
    x = run.x[: mpec.program.columns]
    tight = Box(np.maximum(box.lower, x - 1), np.minimum(box.upper, x + 1))
    for where in (box, tight):
        rows, sides = primal_dual_rows(mpec.agents[0], where)
        assert ((rows @ x) <= sides + 1e-5 * np.maximum(1, np.abs(sides))).all()
    assert len(sides)


def test_where_the_leaders_part_is_fixed_an_lp_follower_has_the_duality_gap_itself() -> None:
    mpec = mpec_of(random_bilevel(0))
    agent = mpec.agents[0]
    n = mpec.program.columns
    lower, upper = mpec.program.lower.copy(), mpec.program.upper.copy()
    others = [j for j in range(len(mpec.variables)) if j not in agent.owned]
    lower[others] = upper[others] = 1.0
    rows, sides = primal_dual_rows(agent, Box(lower, upper))
    z = np.random.default_rng(0).uniform(0, 2, n)
    z[others] = 1.0
    kappa = z[agent.multipliers]
    slack = agent.sides @ z[: agent.sides.shape[1]] - agent.side_levels
    stationarity = agent.gradient_constant - agent.sides[:, agent.owned].T @ kappa
    # r'y - kappa'(s - S_o z_o) = kappa'slack + stationarity'y.
    gap = kappa @ slack + stationarity @ z[agent.owned]
    assert (rows @ z - sides).tolist() == pytest.approx([gap])
