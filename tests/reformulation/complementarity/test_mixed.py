from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.reformulation.complementarity.mixed import parse_choice
from bilevel_lang.reformulation.complementarity.registry import encoding_by_name
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.problems import KNOWN, KnownProblem, follow, linear, pairs

pytest.importorskip("casadi")

EMP = "bilevel x\nmin f y e1 e2 e3 e4"


def components(choice: dict[str, str], **options: Any) -> Any:
    return bl.reformulate(linear(), EMP, encoding=choice, **options).model.encoding


def test_as_it_is_typed() -> None:
    assert parse_choice("e1=sos1, x[1,2]=big-m ,x(3,'a')=sos1,*=sos1") == {
        "e1": "sos1",
        "x[1,2]": "big-m",
        "x(3,'a')": "sos1",
        "*": "sos1",
    }


@pytest.mark.parametrize("text", ["e1=", "=sos1", "e1=sos1,e2", "e1=sos1,e1=big-m", "e1=sos1,"])
def test_mistyped(text: str) -> None:
    with pytest.raises(UsageError):
        parse_choice(text)


def test_each_pair_gets_the_most_specific_choice() -> None:
    block = components({"*": "scholtes", "y": "kanzow-schwartz", "y.upper": "fischer-burmeister", "e2": "product"})
    assert sorted(block.product) == ["e1", "e2", "e3", "e4"]
    assert [block.product[name].equality for name in ("e1", "e2")] == [False, True]
    assert list(block.kanzow_schwartz) == ["y.lower"]
    assert list(block.fischer_burmeister) == ["y.upper"]


@pytest.mark.parametrize(
    "choice",
    [
        {"*": "big-m", "e2": "sos1", "e4": "sos1"},
        {"*": "sos1", "y": "big-m"},
    ],
)
@pytest.mark.parametrize("known", [k for k in KNOWN if k.name == "linear"], ids=lambda k: k.name)
def test_sets_and_binaries_in_one_model(known: KnownProblem, choice: dict[str, str]) -> None:
    solution = bl.solve(known.build(), known.annotation, encoding=choice, big_m=known.big_m)
    assert solution.objective == pytest.approx(-12.0, abs=1e-6)
    assert solution.encoding == ",".join(f"{k}={v}" for k, v in choice.items())
    assert solution.solver.startswith("SCIP")


def test_with_derived_bounds_a_mixture_is_exact() -> None:
    # The slack of a bound is bounded; its multiplier is not, so that only `sos1` takes the pairs.
    made = bl.reformulate(pairs(), "", encoding={"compl": "big-m"})
    assert made.exactness is Exactness.EXACT
    given = bl.reformulate(linear(), EMP, encoding={"*": "sos1", "e1": "big-m"}, big_m=50)
    assert given.exactness is Exactness.APPROXIMATION


@pytest.mark.parametrize("second", ["fischer-burmeister", "penalty", "kanzow-schwartz"])
def test_relaxations_in_one_model(second: str) -> None:
    solution = bl.solve(linear(), EMP, encoding={"*": "scholtes", "e2": second, "y": second}, starts=4)
    assert (solution.status, solution.exactness) == (Status.FEASIBLE, Exactness.STATIONARY)
    assert solution.objective == pytest.approx(-12.0, abs=1e-6)


def test_bounds_that_one_of_them_drops_hold_in_the_answer() -> None:
    # -12 and -7 are the values of the local solutions of this problem (Bard 1998); which one is found is a matter of starts.
    solution = bl.solve(linear(), EMP, encoding={"*": "scholtes", "e2": "lin-fukushima"}, starts=2)
    assert solution.verified
    assert solution.objective in (pytest.approx(-12.0, abs=1e-6), pytest.approx(-7.0, abs=1e-6))


def test_what_no_model_can_hold_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"`sos1`, `scholtes` cannot be in one model[\s\S]*mix `sos1` with `big-m`"):
        encoding_by_name("e1=sos1,*=scholtes")


def test_a_name_that_fits_nothing() -> None:
    with pytest.raises(RefusedError, match=r"no complementarity belongs to `e11`[\s\S]*did you mean `e1`"):
        components({"e11": "scholtes", "*": "product"})


def test_pairs_without_a_choice() -> None:
    with pytest.raises(RefusedError, match=r"no encoding is chosen for `e3`, `e4`[\s\S]*`\*`"):
        components({"e1": "scholtes", "e2": "scholtes", "y": "product"})


def test_an_unknown_encoding_within() -> None:
    with pytest.raises(UsageError, match="did you mean `scholtes`"):
        bl.solve(linear(), EMP, encoding={"*": "scholte"})


def test_integers_are_refused_for_relaxations() -> None:
    m = follow()
    m.b = pyo.Var(domain=pyo.Binary)
    with pytest.raises(RefusedError, match="`b` is integer"):
        bl.reformulate(m, "bilevel x b\nmin f y c", encoding={"c": "scholtes", "*": "product"})


@pytest.mark.parametrize("options", [{}, {"encoding": "sos1"}, {"encoding": "e1=sos1,*=big-m"}, {"encoding": "indicator"}])
def test_options_for_ipopt_need_an_encoding_that_reads_them(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="`aggregate` is an option of the encodings for ipopt"):
        bl.solve(linear(), EMP, nlp=bl.NlpOptions(aggregate="full"), **options)


def test_with_ipopt_alone_they_are_taken() -> None:
    solution = bl.solve(linear(), EMP, solver="ipopt", nlp=bl.NlpOptions(aggregate="full"), starts=4)
    assert solution.objective == pytest.approx(-12.0, abs=1e-6)
