"""PAO's Fortuny-Amat reformulation of the same instance, without the solve. Runs in benchmarks/.venv-pao: N -> a line of JSON."""

import json
import sys
import time

import pao
import pyomo.environ as pyo
from instance import LEADERS, build
from pao.pyomo import SubModel


class ReachedError(Exception):
    """The reformulation is ready, and the solver would begin."""


class Stop:
    """In the place of a MIP solver."""

    def solve(self, *_, **__):
        raise ReachedError


def model(n):
    m = build(n)
    follower = SubModel(fixed=m.x)
    objective, rows = m.f.expr, [row.expr for row in m.c.values()]
    m.del_component(m.f)
    m.del_component(m.c)
    # PAO does not find a leader's variable that stands only in rows of the follower (KeyError): a row that changes nothing.
    m.seen = pyo.Constraint(expr=sum(m.x[i] for i in range(LEADERS)) <= LEADERS)
    m.L = follower
    m.L.o = pyo.Objective(expr=objective)
    m.L.c = pyo.Constraint(range(n), rule=lambda _, i: rows[i])
    return m


def reformulate(m):
    try:
        pao.Solver("pao.pyomo.FA", mip_solver=Stop()).solve(m)
    except ReachedError:
        return
    raise AssertionError("PAO has not come to its solver")


def main():
    reformulate(model(LEADERS))
    began = time.process_time()
    m = model(int(sys.argv[1]))
    built = time.process_time()
    reformulate(m)
    print(json.dumps({"build": built - began, "seconds": time.process_time() - built}))


main()
