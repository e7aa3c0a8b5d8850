from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.solvers.pyomo_factory import PyomoFactorySolver
from bilevel_lang.solvers.registry import SOLVERS, by_name, pick
from bilevel_lang.solvers.solver import Feature


def test_import_loads_no_solver():
    heavy = "('highspy', 'pyscipopt', 'casadi', 'cyipopt', 'torch', 'onnx')"
    code = (
        f"import sys, bilevel_lang.solvers.registry, bilevel_lang.solvers.doctor; print([n for n in {heavy} if n in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names():
    assert [s.name for s in SOLVERS] == ["highs", "scip", "ipopt"]
    assert by_name("scip") is SOLVERS[1]
    assert isinstance(by_name("gurobi"), PyomoFactorySolver)
    with pytest.raises(UsageError, match=r"(?s)hihgs.*did you mean 'highs'"):
        by_name("hihgs")
    with pytest.raises(UsageError, match="use one of"):
        by_name("qqqqqqqqqq")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (set(), "highs"),
        ({Feature.INTEGER}, "highs"),
        ({Feature.QUADRATIC_OBJECTIVE}, "highs"),
        ({Feature.QUADRATIC_OBJECTIVE, Feature.INTEGER}, "scip"),
        ({Feature.SOS1}, "scip"),
        ({Feature.QUADRATIC_ROWS}, "scip"),
        ({Feature.NONCONVEX_OBJECTIVE}, "scip"),
        ({Feature.NONLINEAR, Feature.INTEGER}, "scip"),
    ],
)
def test_pick(features, expected):
    solver, why = pick(frozenset(features))
    assert solver.name == expected
    assert expected in why


def test_wanted_solver_is_taken_or_refused_never_replaced():
    solver, why = pick(frozenset({Feature.NONLINEAR}), "ipopt")
    assert solver.name == "ipopt"
    assert "asked for" in why
    with pytest.raises(RefusedError, match=r"(?s)highs does not take SOS1.*scip"):
        pick(frozenset({Feature.SOS1}), "highs")
    with pytest.raises(RefusedError, match="integer"):
        pick(frozenset({Feature.INTEGER}), "ipopt")
