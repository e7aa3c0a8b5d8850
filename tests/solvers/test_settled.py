from __future__ import annotations

import math
import sys

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import SolverMissingError
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.settled import importable, load_module, log_to_stderr, proven, settled
from bilevel_lang.solvers.solver import Missing, Termination


def test_what_needs_no_solver():
    m = pyo.ConcreteModel()
    m.o = pyo.Objective(expr=3)
    run = settled(read_program(m), "nobody")
    assert run.termination is Termination.OPTIMAL
    assert (run.objective, run.bound, run.solver) == (3, 3, "nobody")
    m.x = pyo.Var(bounds=(2, 1))
    m.c = pyo.Constraint(expr=m.x >= 0)
    assert settled(read_program(m), "nobody").termination is Termination.INFEASIBLE
    m.x.setub(3)
    assert settled(read_program(m), "nobody") is None


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 1e20, -1e25])
def test_what_is_no_bound(number):
    assert proven(number) is None


def test_bounds_stay():
    assert proven(-3.5) == -3.5


def test_missing_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "json", None)
    assert not importable("json")
    with pytest.raises(SolverMissingError, match=r"(?s)no json.*install it"):
        load_module("json", Missing("no json", "install it"))
    assert importable("math")


def test_log(capsys):
    with log_to_stderr():
        print("a line")
    assert capsys.readouterr() == ("", "a line\n")
