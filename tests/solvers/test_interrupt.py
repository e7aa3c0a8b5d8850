"""Ctrl-C, in a process of its own: every solver stops soon, keeps its best point, and gives Python its handler back."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from bilevel_lang.solvers.ipopt import Ipopt
from tests.child import start

PROGRAM = """
import signal, sys
import pyomo.environ as pyo
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.ipopt import Ipopt
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions
from tests.solvers.models import market_split

name = sys.argv[1]
extra = {}
if name in ("highs", "scip"):
    model = market_split()
    solver = Highs() if name == "highs" else Scip()
else:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(3000), initialize=-1.2)
    model.o = pyo.Objective(expr=sum(100*(model.x[i]**2 - model.x[i+1])**2 + (model.x[i]-1)**2 for i in range(2999)))
    solver = Ipopt(name)
    extra = {"tol": 1e-300, "dual_inf_tol": 1e-300, "acceptable_iter": 0, "max_iter": 10**7}
solver.version()
if extra:
    solver.run(model, SolverOptions(threads=1, extra=extra | {"max_iter": 1}))
print("ready", flush=True)
run = solver.run(model, SolverOptions(time_limit=60, threads=1, extra=extra))
print(run.termination.name, run.has_solution, signal.getsignal(signal.SIGINT) is signal.default_int_handler, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child process alone")
@pytest.mark.parametrize("name", ["highs", "scip", "cyipopt", "casadi"])
def test_ctrl_c(name):
    if name in ("cyipopt", "casadi") and Ipopt(name).missing():
        pytest.skip(f"{name} is not installed")
    root = Path(__file__).resolve().parents[2]
    began = time.monotonic()
    child = start([sys.executable, "-c", PROGRAM, name], cwd=root)
    try:
        assert child.stdout.readline().strip() == "ready"
        # As long as the start took: a busy machine takes its time to build the problem again.
        time.sleep(max(3.0, time.monotonic() - began))
        child.send_signal(signal.SIGINT)
        sent = time.monotonic()
        out, err = child.communicate(timeout=40)
    finally:
        child.kill()
    # Nothing else: what SCIP prints about Ctrl-C goes to stderr.
    assert out.splitlines() == ["INTERRUPTED True True"], err
    assert time.monotonic() - sent < 30
