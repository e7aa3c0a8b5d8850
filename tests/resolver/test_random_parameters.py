"""``randvar``, ``jrandvar``, ``sample``, ``correlation``, ``setseed``: laws and groups, and what is said of mistakes."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.uncertainty.sampling import Discrete, Sampled
from tests.resolver.models import findings, resolved


def model() -> Any:
    m = pyo.ConcreteModel()
    m.S = pyo.Set(initialize=["a", "b"])
    m.d = pyo.Param(m.S, initialize={"a": 1, "b": 2}, mutable=True)
    m.e = pyo.Param(initialize=1, mutable=True)
    m.fixed = pyo.Param(initialize=3)
    m.listed = pyo.Param(m.S, initialize=4)
    m.x = pyo.Var(bounds=(0, None))
    m.y = pyo.Var(bounds=(0, None))
    m.serve = pyo.Constraint(m.S, rule=lambda m, s: m.y + m.x >= m.d[s] * m.e)
    m.cost = pyo.Objective(expr=m.x + 2 * m.y)
    return m


STAGES = "\nstage 2 y serve\n"


def groups(text: str) -> list[Any]:
    program = resolved(model(), text + STAGES).stochastic
    assert program is not None
    assert sorted(k for g in program.groups for k in g.parameters) == list(range(len(program.parameters)))
    return [(type(g).__name__, *(program.parameters[k].name for k in g.parameters)) for g in program.groups]


def test_every_element_of_a_symbol_has_the_law_by_itself() -> None:
    assert groups("randvar d discrete 0.5 1 0.5 2") == [("Discrete", "d[a]"), ("Discrete", "d[b]")]
    assert groups("randvar d(a) normal 5 1 sample d(a) 3") == [("Sampled", "d[a]")]


def test_joint_laws_take_a_value_for_each_element_in_order() -> None:
    program = resolved(model(), "jrandvar e d 0.25 9 1 2 0.75 8 3 4" + STAGES).stochastic
    assert program is not None
    (group,) = program.groups
    assert isinstance(group, Discrete)
    assert [program.parameters[k].name for k in group.parameters] == ["e", "d[a]", "d[b]"]
    assert group.values.tolist() == [[9, 1, 2], [8, 3, 4]]
    assert group.probabilities.tolist() == [0.25, 0.75]


def test_probabilities_of_six_digits_are_made_to_sum_to_one() -> None:
    program = resolved(model(), "randvar e discrete 0.333333 1 0.333333 2 0.333333 3" + STAGES).stochastic
    assert program is not None
    assert isinstance(program.groups[0], Discrete)
    assert program.groups[0].probabilities.sum() == pytest.approx(1, abs=1e-15)


def test_what_is_sampled_or_correlated_together_is_one_group() -> None:
    laws = "randvar d normal 5 1 randvar e uniform 0 2 "
    assert groups(laws + "sample d 3 sample e 4") == [("Sampled", "d[a]", "d[b]"), ("Sampled", "e")]
    assert groups(laws + "sample d e 3") == [("Sampled", "d[a]", "d[b]", "e")]
    assert groups(laws + "sample 3") == [("Sampled", "d[a]", "d[b]", "e")]
    assert groups(laws + "correlation d(a) e 0.5") == [("Sampled", "d[a]", "e"), ("Sampled", "d[b]")]


def test_the_way_of_sampling_and_the_correlation_arrive() -> None:
    text = "randvar d normal 5 1 sample d 8 latinhypercube correlation d(a) d(b) -0.25 setseed 11"
    program = resolved(model(), text + STAGES).stochastic
    assert program is not None
    (group,) = program.groups
    assert isinstance(group, Sampled)
    assert (group.size, group.way, program.seed) == (8, "latinhypercube", 11)
    assert group.correlation is not None
    assert group.correlation.tolist() == [[1, -0.25], [-0.25, 1]]


MISTAKES = {
    "randvar e discrete 0.5 1 0.4 2": ("sum to 0.9, not to 1", 1, 20),
    "randvar e discrete 1.5 1 -0.5 2": ("the probability -0.5 is negative", 1, 26),
    "randvar e discrete 0.5 1 0.5": ("in groups of a probability and a value; there are 3", 1, 26),
    "randvar e nromal 5 1": ("no law is called `nromal`", 1, 1),
    "randvar e normal 5 -1": ("`normal` cannot have the numbers 5 -1", 1, 1),
    "randvar e normal 5": ("`normal` takes 2 numbers", 1, 1),
    "randvar fixed normal 5 1": ("`fixed` is not mutable", 1, 9),
    "randvar listed normal 5 1": ("`listed` is not mutable", 1, 9),
    "randvar x normal 5 1": ("`x` is a variable, a parameter is expected here", 1, 9),
    "randvar e normal 5 1\nrandvar e normal 5 1": ("`e` is random already", 2, 9),
    "jrandvar d e 0.5 1 2 3 0.5 1 2": ("a probability and 3 values; there are 7", 1, 30),
    "randvar e normal 5 1 sample e 2.5": ("`2.5` is no size", 1, 31),
    "randvar e normal 5 1 sample e 3 quickly": ("no way of sampling", 1, 33),
    "randvar e discrete 1 1 sample e 3": ("`e` has finitely many values", 1, 31),
    "randvar e normal 5 1 sample d 3": ("`d[a]` is not random", 1, 29),
    "randvar e normal 5 1 sample e 3 sample e 4": ("`e` is sampled twice", 1, 33),
    "randvar d normal 5 1 correlation d(a) d(b) 2": ("`2` is no correlation", 1, 44),
    "randvar d normal 5 1 correlation d d 0.5": ("a correlation is that of two parameters", 1, 22),
    "randvar d normal 5 1 sample d(a) 3 sample d(b) 4 correlation d(a) d(b) 0.5": ("samples of different sizes", 1, 50),
    "randvar d normal 5 1 randvar e normal 5 1 correlation d(a) e 0.9 correlation d(b) e 0.9 correlation d(a) d(b) -0.9": (
        "the correlations contradict each other",
        1,
        43,
    ),
    "randvar e normal 5 1 setseed 1e400": ("`1e400` is no seed", 1, 30),
    "randvar e normal 5 1 sample e 1e400": ("`1e400` is no size of a sample", 1, 31),
    "randvar e normal 5 1 setseed 1 setseed 1": ("a second `setseed`", 1, 32),
    "randvar e discrete 0.5 1e400 0.5 1": ("`1e400` is not a finite number", 1, 24),
    "randvar e normal 1e400 1 sample e 5": ("`1e400` is not a finite number", 1, 18),
    "jrandvar d e 0.5 1 2 3 0.5 1 2 -1e400": ("`-1e400` is not a finite number", 1, 32),
    "randvar e normal 5 -1 sample e 10": ("`normal` cannot have the numbers 5 -1", 1, 1),
    "randvar e normal 5 1 sample e 10 montecarlo antithetic": ("a second way of sampling, after `montecarlo`", 1, 45),
    "randvar e discrete 1 1 sample 10": ("there is nothing to sample", 1, 24),
    "randvar d normal 5 1 sample d 10 correlation d(a) d(b) 0.5 correlation d(b) d(a) 0.5": (
        "a second correlation of these two",
        1,
        60,
    ),
    "randvar e normal 5 1 setseed 1.5": ("`1.5` is no seed", 1, 30),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items(), ids=list(MISTAKES))
def test_mistakes_have_their_place_and_a_mend(text: str, expected: tuple[str, int, int]) -> None:
    (found,) = findings(model(), text + STAGES)
    assert found.code == "E26"
    assert expected[0] in found.message
    assert found.span is not None
    assert (found.span.line, found.span.column) == expected[1:]
    assert found.help


def test_all_mistakes_are_told_at_once() -> None:
    text = "randvar e discrete 0.5 1 0.4 2\nrandvar d nromal 5 1\nrandvar fixed normal 1 1"
    assert [f.code for f in findings(model(), text + STAGES)] == ["E26"] * 3
