"""One instance by PAO's FA (Fortuny-Amat, big-M 1e5) with HiGHS. Runs in benchmarks/.venv-pao: family, n, seed, limit -> JSON.

FA has no time limit of its own that reaches appsi_highs: the caller stops the process.
"""

import json
import sys
import time

import pao
import pyomo.environ as pyo
from instances import BOX, Instance, instance
from pao.pyomo import SubModel


def build(problem: Instance):
    n = range(problem.size)
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(n, bounds=(0, BOX)), pyo.Var(n, bounds=(0, BOX))

    def form(of_x, of_y):
        return sum(int(of_x[i]) * m.x[i] for i in n) + sum(int(of_y[i]) * m.y[i] for i in n)

    def row(_, k):
        body = form(problem.a[k], problem.b[k])
        if problem.low[k] == problem.high[k]:
            return body == float(problem.high[k])
        low = None if problem.low[k] == -float("inf") else float(problem.low[k])
        return pyo.inequality(low, body, float(problem.high[k]))

    m.o = pyo.Objective(expr=form(problem.cx, problem.cy))
    # PAO does not find a leader's variable that stands only in rows of the follower (KeyError): a row that changes nothing.
    m.seen = pyo.Constraint(expr=sum(m.x[i] for i in n) <= BOX * problem.size)
    m.own = pyo.Constraint(
        range(len(problem.right)), rule=lambda _, k: form(problem.g[k], problem.h[k]) <= float(problem.right[k])
    )
    m.L = SubModel(fixed=m.x)
    m.L.o = pyo.Objective(expr=sum(int(problem.d[j]) * m.y[j] for j in n))
    m.L.c = pyo.Constraint(n, rule=row)
    return m


def main():
    family, n, seed, _ = sys.argv[1:5]
    began = time.perf_counter()
    model = build(instance(family, int(n), int(seed)))
    ready = time.perf_counter()
    pao.Solver("pao.pyomo.FA", mip_solver="appsi_highs").solve(model)
    done = time.perf_counter()
    objective = pyo.value(model.o)
    print(json.dumps({"seconds": done - ready, "total": done - began, "objective": objective, "said": "big-M 1e5"}))


main()
