from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import REWRITES
from bilevel_lang.reformulation.rewrite import Refusal, Rewrite
from bilevel_lang.solvers.solver import SolverRun, Termination
from tests.harness import check_rewrite
from tests.reformulation.problems import KNOWN, KnownProblem, follow


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda r: r.name)
@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.name)
def test_every_rewrite_keeps_the_contract(rewrite: Rewrite, known: KnownProblem) -> None:
    verdict = rewrite.accepts(bl.resolve(known.build(), known.annotation), Options())
    if isinstance(verdict, Refusal):
        assert rewrite.name != "kkt" and verdict.reason and verdict.remedy
        return
    made = check_rewrite(rewrite, lambda: (known.build(), known.annotation))
    assert made.method == rewrite.name
    with pytest.raises(bl.RefusedError, match=r"complementarities|only the relaxation"):
        made.run(Options())


@pytest.mark.parametrize("encoding", [e.name for e in ENCODINGS])
@pytest.mark.parametrize("rewrite", [r for r in REWRITES if r.name == "kkt"], ids=lambda r: r.name)
@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.name)
def test_every_rewrite_with_every_encoding_finds_the_known_answer(rewrite: Rewrite, encoding: str, known: KnownProblem) -> None:
    if encoding == "scholtes":
        pytest.importorskip("casadi")
    options: dict[str, Any] = {"big_m": known.big_m} if encoding == "big-m" else {"starts": 2}
    check_rewrite(
        rewrite,
        lambda: (known.build(), known.annotation),
        encoding,
        objective=known.objective,
        values=known.values,
        **options,
    )


@pytest.mark.parametrize("encoding", [e.name for e in ENCODINGS])
def test_a_model_may_have_components_of_our_names(encoding: str) -> None:
    if encoding == "scholtes":
        pytest.importorskip("casadi")

    def build() -> tuple[Any, str]:
        m = follow()
        m.kkt = pyo.Block()
        m.kkt.stationarity = pyo.Var(bounds=(0, 1))
        m.encoding = pyo.Var(bounds=(0, 1))
        m.low = pyo.Constraint(expr=m.encoding + m.kkt.stationarity >= 1)
        return m, "bilevel x\nmin f y c"

    made = check_rewrite(REWRITES[0], build, encoding, objective=2.75, values={"x": 2.5}, big_m=40.0, starts=2)
    assert made.model.component("kkt_1") is not None


# --- The way back


def test_recovering_from_nothing_is_an_error() -> None:
    made = bl.reformulate(follow(), "bilevel x\nmin f y c")
    with pytest.raises(ValueError, match="no solution"):
        made.recover(SolverRun(Termination.LIMIT, "none"))


def test_variables_that_no_solver_saw_are_not_invented() -> None:
    m = follow()
    m.unused = pyo.Var()
    made = bl.reformulate(m, "bilevel x\nmin f y c", encoding="sos1")
    point = made.recover(made.run(Options()))
    assert m.unused not in point.values
    assert m.x in point.values
