from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.linear.strong_duality import LinearStrongDuality, gap_of
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.linear.models import bard511, mpec_of, random_follower


@pytest.mark.parametrize("quadratic", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_gap_is_the_sum_of_all_products(seed, quadratic):
    """On every point that satisfies the rows, complementary or not."""
    mpec = mpec_of(random_follower(seed, quadratic))
    program = mpec.program
    random = np.random.default_rng(seed)
    # Any point of the affine hull of the rows: a least-squares correction of a random one.
    equal = program.row_lower == program.row_upper
    a, b = program.matrix[equal].toarray(), program.row_lower[equal]
    z = random.normal(size=program.columns)
    z += np.linalg.lstsq(a, b - a @ z, rcond=None)[0]
    gap = gap_of(mpec.agents[0])
    value = sum(c * z[j] for j, c in gap.linear.items()) + sum(c * z[i] * z[j] for (i, j), c in gap.products.items())
    assert value == pytest.approx(float(z[mpec.left] @ z[mpec.right]), abs=1e-8)


@pytest.mark.parametrize("quadratic", [False, True])
def test_it_agrees_with_sos1(quadratic):
    """Wherever it claims an optimum, which it does not everywhere: bilinear rows can be too much for SCIP."""
    options, proven = Options(time_limit=4.0), 0
    for seed in range(5):
        mpec = mpec_of(random_follower(seed, quadratic))
        sos1 = LinearSos1().encode(mpec, "scip", options).run(options, None)
        try:
            found = LinearStrongDuality().encode(mpec, "scip", options).run(options, None)
        except SolverFailedError:
            continue
        if found.termination is Termination.OPTIMAL:
            assert found.objective == pytest.approx(sos1.objective, rel=1e-6, abs=1e-6)
            proven += 1
        if found.bound is not None:
            assert found.bound <= sos1.objective + 1e-5
    assert proven >= 3


def binary_leader(bound: float | None):
    """The follower pays 3 for every y and has to reach 2 b1 + b2; the leader gets 5 and 4 for its two choices."""
    m = pyo.ConcreteModel()
    m.b = pyo.Var([1, 2], domain=pyo.Binary)
    m.y = pyo.Var(bounds=(0, bound))
    m.lead = pyo.Objective(expr=5 * m.b[1] + 4 * m.b[2] - 3 * m.y, sense=pyo.maximize)
    m.inner = pyo.Expression(expr=3 * m.y)
    m.row = pyo.Constraint(expr=m.y - 2 * m.b[1] - m.b[2] >= 0)
    return m, "bilevel b\nmin inner y row"


@pytest.mark.parametrize("bound", [None, 9.0])
def test_products_with_binaries_are_linear(bound):
    encoded = LinearStrongDuality().encode(mpec_of(binary_leader(bound)), "scip", Options())
    assert any("products with binary variables linearised" in note for note in encoded.notes)
    run = encoded.run(Options(), None)
    assert run.objective == pytest.approx(1) and np.round(run.x[:3]).tolist() == [0, 1, 1]


def test_highs_is_refused_where_products_stay():
    with pytest.raises(RefusedError, match="highs does not take"):
        bl.solve(*bard511(), encoding="strong-duality", solver="highs")


def test_a_vi_and_a_nonconvex_agent_are_refused_by_name():
    m = pyo.ConcreteModel()
    m.y = pyo.Var(bounds=(0, 4))
    m.F = pyo.Expression(expr=m.y - 1)
    with pytest.raises(RefusedError, match="is a VI"):
        bl.solve(m, "vi F y", encoding="strong-duality")
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.lead, m.inner = pyo.Objective(expr=m.x), pyo.Expression(expr=-(m.y**2))
    with pytest.raises(RefusedError, match="not convex"):
        bl.solve(m, "bilevel x\nmin inner y", encoding="strong-duality")
