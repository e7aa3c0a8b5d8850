from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements
from scipy.optimize import linprog

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.solution import Status
from tests.reformulation.problems import follow, linear, pairs


def test_one_set_for_every_pair_with_names_that_tell_the_origin() -> None:
    made = bl.reformulate(linear(), "bilevel x\nmin f y e1 e2 e3 e4", encoding="sos1")
    assert sorted(made.model.encoding.sos1) == ["e1", "e2", "e3", "e4", "y.lower", "y.upper"]
    assert (made.encoding, made.solver) == ("sos1", "scip")
    for one in made.model.encoding.sos1.values():
        assert len(list(one.variables)) == 2
        assert all(v.lb >= 0 for v in one.variables)


def test_a_degenerate_pair() -> None:
    # Closest to (-1, -1): both sides are zero.
    m = pairs()
    m.leader.set_value((m.x + 1) ** 2 + (m.y + 1) ** 2)
    solution = bl.solve(m, "", encoding="sos1")
    assert solution.status is Status.OPTIMAL
    assert [solution.variables[n] for n in "xy"] == pytest.approx([0, 0], abs=1e-6)


def test_against_the_enumeration_of_all_sides() -> None:
    # Three pairs 0 <= u_k _|_ 1 + a_k - u_k - u_(k+1) >= 0: eight pieces, each solved by hand-made LPs.
    a, cost = [0.5, 2.0, 1.0], [-1.0, 0.3, -0.7]
    m = pyo.ConcreteModel()
    m.u = pyo.Var(range(3))
    m.o = pyo.Objective(expr=sum(cost[k] * m.u[k] for k in range(3)))
    m.c = Complementarity(range(3), rule=lambda m, k: complements(m.u[k] >= 0, 1 + a[k] >= m.u[k] + m.u[(k + 1) % 3]))
    rows = [[1.0 if j in (k, (k + 1) % 3) else 0.0 for j in range(3)] for k in range(3)]
    sides = [1 + v for v in a]
    best = float("inf")
    for piece in range(8):
        zero = [k for k in range(3) if piece >> k & 1]
        tight = [k for k in range(3) if k not in zero]
        bounds = [(0, 0) if k in zero else (0, None) for k in range(3)]
        equal = {"A_eq": [rows[k] for k in tight], "b_eq": [sides[k] for k in tight]} if tight else {}
        found = linprog(cost, A_ub=rows, b_ub=sides, bounds=bounds, method="highs", **equal)
        best = min(best, found.fun) if found.status == 0 else best
    assert bl.solve(m, "", encoding="sos1").objective == pytest.approx(best, abs=1e-7)


def test_solvers_without_sos_are_refused_with_the_mend() -> None:
    for solver in ("highs", "ipopt"):
        with pytest.raises(RefusedError, match="SOS1"):
            bl.solve(follow(), "bilevel x\nmin f y c", encoding="sos1", solver=solver)
