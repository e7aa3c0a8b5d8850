"""The program with a network whose function is known: what it must give is found on a grid."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.program import embedded_program
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.surrogate.cuts import CutPool
from bilevel_lang.surrogate.network import Floats, Network
from tests.reformulation.nn_embed.followers import arrays, continuous

VALUE = CutPool(np.array([[-1.0], [1.0], [0.0]]), np.array([3.0, -1.0, 0.0]), 1).network()
"""v(x) = max(3 - x, x - 1, 0), exactly."""


def solved(target: str, network: Network = VALUE, price: float = 100.0) -> tuple[Floats, float]:
    source, inputs, domain = arrays(continuous())
    embedded = embedded_program(source, inputs, domain, network, target, "split", price)
    run = Highs().run_matrix(embedded.program, SolverOptions())
    assert run.termination is Termination.OPTIMAL and run.x is not None
    return run.x, embedded.claim(run.x, source)


def test_with_the_exact_value_the_program_is_the_problem() -> None:
    grid = np.linspace(0, 4.5, 4501)
    best = (grid - 4 * np.maximum(3 - grid, grid - 1)).min()
    x, claim = solved("value")
    assert claim == pytest.approx(best, abs=1e-6)
    assert x[0] + x[1] == pytest.approx(8.0, abs=1e-6) or x[0] == pytest.approx(0.0, abs=1e-6)


def test_a_network_that_is_too_low_costs_slack_and_no_feasibility() -> None:
    low = CutPool(np.zeros((1, 1)), np.full(1, -5.0), 1).network()
    x, claim = solved("value", low, price=1e3)
    source, _, _ = arrays(continuous())
    assert source.relaxation.violation(x[: source.relaxation.columns]) <= 1e-7
    assert claim == pytest.approx(2.0 - 4 * 1.0, abs=1e-5)  # the least y that the rows admit is at x = 2


def test_the_leaders_target_is_minimised_over_all_rows() -> None:
    _, claim = solved("leader", CutPool(np.array([[-1.0], [2.0]]), np.array([4.0, -5.0]), 1).network())
    assert claim == pytest.approx(1.0, abs=1e-6)  # max(4 - x, 2 x - 5) is least at x = 3


def test_the_response_is_followed_as_far_as_the_rows_admit() -> None:
    x, claim = solved("response")
    assert x[1] == pytest.approx(max(3 - x[0], x[0] - 1), abs=1e-6)
    assert claim == pytest.approx(x[0] - 4 * x[1], abs=1e-6)


@pytest.mark.parametrize("target", ["value", "leader", "response"])
def test_a_start_from_a_solution_satisfies_the_rows_of_the_network(target: str) -> None:
    source, inputs, domain = arrays(continuous())
    embedded = embedded_program(source, inputs, domain, VALUE, target, "split", 10.0)
    point = np.zeros(source.relaxation.columns)
    point[inputs[0]] = 3.0
    point[np.flatnonzero(source.follower)[0]] = 2.0
    start = np.nan_to_num(embedded.start(point))
    assert embedded.program.violation(start) <= 1e-9
