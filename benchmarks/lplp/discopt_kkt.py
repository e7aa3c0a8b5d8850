"""One instance by discopt's KKT route. Runs in benchmarks/.venv-discopt: family, n, seed, limit -> JSON.

discopt refuses multipliers without a bound; it gets 50, the same guess as the big-M model in HiGHS.
"""

import json
import sys
import time

import numpy as np
from discopt.bilevel import BilevelProblem
from discopt.modeling.core import Model
from instances import BOX, Instance, instance

BIG_M = 50.0


def build(problem: Instance):
    n = range(problem.size)
    m = Model("lplp")
    x = [m.continuous(f"x{i}", lb=0, ub=BOX) for i in n]
    y = [m.continuous(f"y{i}", lb=0, ub=BOX) for i in n]

    def form(of_x, of_y):
        return sum(float(of_x[i]) * x[i] for i in n) + sum(float(of_y[i]) * y[i] for i in n)

    rows = []
    for k in n:
        body, low, high = form(problem.a[k], problem.b[k]), problem.low[k], float(problem.high[k])
        rows.append(body == high if low == high else body <= high)
        if np.isfinite(low) and low != high:
            rows.append(body >= float(low))
    m.minimize(form(problem.cx, problem.cy))
    for k in range(len(problem.right)):
        m.subject_to(form(problem.g[k], problem.h[k]) <= float(problem.right[k]))
    follower = form(np.zeros(problem.size), problem.d)
    whole = BilevelProblem(m, upper_vars=x, lower_vars=y, lower_objective=follower, lower_constraints=rows, multiplier_ub=BIG_M)
    return m, whole


def main():
    family, n, seed, limit = sys.argv[1:5]
    began = time.perf_counter()
    _, whole = build(instance(family, int(n), int(seed)))
    whole.formulate()
    ready = time.perf_counter()
    found = whole.solve(time_limit=float(limit))
    done = time.perf_counter()
    objective = None if found.objective is None else float(found.objective)
    print(json.dumps({"seconds": done - ready, "total": done - began, "objective": objective, "said": str(found.status)}))


main()
