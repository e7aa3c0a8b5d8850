from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.linear import branch
from bilevel_lang.reformulation.linear.branch import LinearBranch, _at_least, why_no_lp
from bilevel_lang.reformulation.linear.branching.tree import Effort
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Status
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.linear.models import bard511, mpec_of, random_follower
from tests.reformulation.problems import KNOWN


def linear(seed: int) -> LinearMpec:
    """A random problem whose leader and follower are linear (the follower's objective has a product with the leader's x)."""
    return mpec_of(random_follower(seed))


def test_bard_is_solved_to_its_optimum() -> None:
    model, text = bard511()
    solution = bl.solve(model, text, encoding="branch")
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.objective == pytest.approx(-12, abs=1e-6)
    assert solution.encoding == "branch"


@pytest.mark.parametrize("seed", range(12))
def test_it_agrees_with_sos1(seed: int) -> None:
    mpec = linear(seed)
    ours = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None)
    theirs = LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)
    assert ours.termination is theirs.termination
    if theirs.objective is not None:
        assert ours.objective == pytest.approx(theirs.objective, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_scip_goes_on_where_the_effort_is_not_enough(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mpec = linear(seed)
    whole = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None)
    monkeypatch.setattr(branch, "FIRST_EFFORT", Effort(nodes=0))
    handed = LinearBranch().encode(mpec, "highs", Options()).run(Options(), None)
    assert handed.termination is whole.termination
    if whole.objective is not None:
        assert handed.objective == pytest.approx(whole.objective, abs=1e-5)
    if whole.nodes:
        assert "SCIP" in handed.solver


def test_asked_for_by_name_scip_is_never_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "FIRST_EFFORT", Effort(nodes=0))
    mpec = next(
        m
        for m in map(linear, range(20))
        if LinearBranch().encode(m, "highs", Options(encoding="branch")).run(Options(), None).nodes
    )
    run = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None)
    assert "HiGHS" in run.solver and "SCIP" not in run.solver
    assert run.termination is Termination.OPTIMAL


def test_the_better_point_and_the_tighter_bound_survive() -> None:
    mpec = mpec_of(bard511())
    best = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None)

    first = replace(best, termination=Termination.LIMIT, bound=-20.0)
    second = replace(best, termination=Termination.LIMIT, x=None, objective=None, bound=-15.0)
    both = branch._at_least(mpec, second, first)
    assert both.objective == pytest.approx(-12)
    assert both.bound == -15.0
    assert both.x is not None


def test_of_two_starts_scip_gets_the_better_one() -> None:
    mpec = mpec_of(bard511())
    x = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None).x
    assert x is not None
    worse, partial = x.copy(), x.copy()
    worse[:2] = 0.0
    partial[-1] = np.nan
    assert branch._better(mpec, worse, x) is x
    assert branch._better(mpec, x, worse) is x
    assert branch._better(mpec, x, partial) is x
    assert branch._better(mpec, None, partial) is partial


def test_what_is_no_lp_goes_to_the_plain_search() -> None:
    known = {k.name: k for k in KNOWN}
    quadratic = known["follow"]
    mpec = mpec_of((quadratic.build(), quadratic.annotation))
    assert why_no_lp(mpec) == "the leader's objective is quadratic"
    found = LinearBranch().encode(mpec, "highs", Options(encoding="branch")).run(Options(), None)
    assert found.objective == pytest.approx(quadratic.objective, abs=1e-6)
    model, text = bard511()
    model.x.domain = pyo.NonNegativeIntegers
    whole = mpec_of((model, text))
    assert why_no_lp(whole) == "`x` is integer"
    assert why_no_lp(mpec_of(bard511())) is None
    # 3x - 2y <= 4 and the other rows leave (4, 4) to an integer x as well.
    assert LinearBranch().encode(whole, "highs", Options(encoding="branch")).run(Options(), None).objective == pytest.approx(-12)


def test_what_is_not_convex_is_refused_by_name() -> None:
    model, text = bard511()
    model.lead.set_value(model.x * model.y)
    with pytest.raises(RefusedError, match="nonconvex quadratic objective"):
        LinearBranch().encode(mpec_of((model, text)), "highs", Options(encoding="branch"))


@pytest.mark.parametrize("claim", [Termination.OPTIMAL, Termination.INFEASIBLE])
def test_a_proof_that_a_known_point_contradicts_is_withdrawn(claim: Termination) -> None:
    mpec = mpec_of(bard511())
    first = MatrixRun(Termination.LIMIT, "search", x=np.zeros(mpec.program.columns), objective=-12.0, bound=-20.0)
    second = MatrixRun(claim, "scip")
    if claim is Termination.OPTIMAL:
        second = replace(second, x=np.ones(mpec.program.columns), objective=-7.0, bound=-7.0)
    found = _at_least(mpec, second, first)
    assert found.termination is Termination.LOCALLY_OPTIMAL and found.objective == -12 and found.bound is None
    assert "nothing is proven" in found.doubts[0]


def test_a_quadratic_search_that_is_too_short_hands_its_point_to_scip(monkeypatch: pytest.MonkeyPatch) -> None:
    """min (x - 1)^2 + (y - 2)^2 with 0 <= x _|_ y >= 0: 1 at (0, 2); the relaxation has 0, so that one node is not enough."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.o = pyo.Objective(expr=(m.x - 1) ** 2 + (m.y - 2) ** 2)
    m.pair = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    monkeypatch.setattr(branch, "QUADRATIC_EFFORT", branch.Effort(nodes=1))
    found = LinearBranch().encode(mpec_of((m, "")), "highs", Options()).run(Options(), None)
    assert found.solver.startswith("SCIP") and "nodes of branching" in found.message
    assert found.objective == pytest.approx(1.0, abs=1e-6)


def test_a_large_problem_may_take_more_iterations() -> None:
    """The root LPs of 400,000 columns need more than a problem of a hundred rows may take in all."""
    assert branch.first_effort(1000) == branch.FIRST_EFFORT
    assert branch.first_effort(400_000) == replace(branch.FIRST_EFFORT, iterations=4_000_000)
