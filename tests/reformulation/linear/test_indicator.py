from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.linear.indicator import LinearIndicator, with_indicators
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.reformulation.options import Options
from bilevel_lang.resolver.resolution import resolve
from bilevel_lang.solution import Status
from bilevel_lang.solvers.solver import Feature
from tests.reformulation.problems import KNOWN, KnownProblem, follow, plain

LINEAR = [k for k in KNOWN if k.name in ("follow", "linear", "shop", "mixed")]


def mpec_of(known: KnownProblem) -> LinearMpec:
    found = read_mpec(resolve(known.build(), bl.parse(known.annotation)))
    assert isinstance(found, LinearMpec)
    return found


@pytest.mark.parametrize("known", LINEAR, ids=lambda k: k.name)
def test_known_problems_are_solved_to_their_optimum(known: KnownProblem) -> None:
    solution = bl.solve(known.build(), known.annotation, encoding="indicator")
    assert solution.status is Status.OPTIMAL, solution.messages
    assert solution.encoding == "indicator"
    assert solution.objective == pytest.approx(known.objective, abs=1e-6)
    for name, value in known.values.items():
        assert solution.variables[name] == pytest.approx(value, abs=1e-5)


def test_each_pair_has_a_binary_that_forces_one_side_or_the_other() -> None:
    mpec = mpec_of(KNOWN[1])
    program = with_indicators(mpec)
    added = program.columns - mpec.program.columns
    assert added == len(mpec.left) == 6
    assert program.integer[-added:].all()
    assert program.features() == {Feature.INTEGER, Feature.INDICATOR}
    forced = {(i.binary - mpec.program.columns, i.value): i.column for i in program.indicators}
    assert [forced[k, 1] for k in range(added)] == mpec.left.tolist()
    assert [forced[k, 0] for k in range(added)] == mpec.right.tolist()


def test_a_quadratic_leader_keeps_its_hessian_over_the_new_columns() -> None:
    mpec = mpec_of(KNOWN[0])
    program = with_indicators(mpec)
    assert program.quadratic is not None
    assert program.quadratic.shape == (program.columns, program.columns)
    z = np.arange(program.columns, dtype=float)
    assert program.objective_at(z) == pytest.approx(mpec.program.objective_at(z[: mpec.program.columns]))


def test_without_pairs_it_is_the_program_itself() -> None:
    mpec = mpec_of(KNOWN[1])
    bare = replace(mpec, left=mpec.left[:0], right=mpec.right[:0], labels=())
    assert with_indicators(bare).columns == mpec.program.columns


def test_a_start_may_be_given_in_the_mpecs_own_columns() -> None:
    mpec = mpec_of(KNOWN[1])
    start = np.full(mpec.program.columns, np.nan)
    start[:2] = 4.0
    run = LinearIndicator().encode(mpec, "scip", Options()).run(Options(), start)
    assert run.objective == pytest.approx(-12, abs=1e-6)


def test_a_nonlinear_problem_is_refused_with_the_mend() -> None:
    m = follow()
    m.f.set_value(pyo.exp(m.y))
    with pytest.raises(RefusedError, match=r"`indicator` takes problems whose rows[\s\S]*is not linear[\s\S]*sos1"):
        bl.solve(m, "bilevel x\nmin f y c", encoding="indicator")


def test_another_solver_is_refused() -> None:
    with pytest.raises(RefusedError, match="indicator"):
        bl.solve(follow(), "bilevel x\nmin f y c", encoding="indicator", solver="highs")


def test_a_leader_that_runs_away_is_not_called_optimal() -> None:
    m = plain(x=(None, None), y=(None, None))
    m.leader.set_value(m.x)
    m.c = pyo.Constraint(expr=m.y >= m.x)
    assert bl.solve(m, "bilevel x\nmin f y c", encoding="indicator").status is Status.UNBOUNDED
