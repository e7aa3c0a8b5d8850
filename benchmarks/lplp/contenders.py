"""Those in this environment: ours, KKT + big-M in HiGHS, KKT + SOS1 in SCIP. Neither peer gets a cut or a start of ours.

All times are processor seconds. HiGHS looks at the clock on the wall for its limit, the others at the processor's.
"""

from __future__ import annotations

import time

import highspy
import numpy as np
import pyomo.environ as pyo
from pyscipopt import Model, quicksum

import bilevel_lang as bl
from benchmarks.lplp.instances import BOX, Instance
from benchmarks.lplp.measured import Measured
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.verification import verify

BIG_M = 50.0
"""Of every multiplier. It is a guess, as it is in practice; ours and SOS1 make none."""


def ours(instance: Instance, limit: float) -> Measured:
    """The stages of ``solve()`` by default. ``seconds``: reformulate and solve; ``total``: resolve and verify as well."""
    model, options = pyomo_model(instance), Options(method="auto", time_limit=limit)
    began = time.process_time()
    problem = bl.resolve(model, "bilevel x\nmin follower y c")
    rewrite, _ = choose(problem, options)
    resolved = time.process_time()
    reformulation = rewrite.prepare(problem, options)
    run = reformulation.run(options)
    done = time.process_time()
    verified = run.has_solution and verify(problem, reformulation.recover(run)).verified
    total, said = time.process_time() - began, f"{reformulation.encoding}, {run.solver}"
    proven = run.termination is Termination.OPTIMAL and verified
    return Measured("ours", instance.name, done - resolved, proven, run.objective, run.bound, total, said)


def pyomo_model(instance: Instance) -> pyo.ConcreteModel:
    """The problem as a user would write it."""
    n = range(instance.size)
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(n, bounds=(0, BOX)), pyo.Var(n, bounds=(0, BOX))

    def form(of_x: np.ndarray, of_y: np.ndarray) -> pyo.Expression:
        terms = [float(c) * m.x[i] for i, c in enumerate(of_x) if c] + [float(c) * m.y[i] for i, c in enumerate(of_y) if c]
        return sum(terms) + 0.0 * m.y[0] if not terms else sum(terms)

    def row(_: pyo.ConcreteModel, k: int) -> object:
        body, low, high = form(instance.a[k], instance.b[k]), instance.low[k], instance.high[k]
        if low == high:
            return body == high
        return body <= high if np.isinf(low) else (low, body, high)

    m.c = pyo.Constraint(n, rule=row)
    m.own = pyo.Constraint(range(len(instance.right)), rule=lambda _, k: form(instance.g[k], instance.h[k]) <= instance.right[k])
    m.lead = pyo.Objective(expr=form(instance.cx, instance.cy))
    m.follower = pyo.Expression(expr=form(np.zeros(instance.size), instance.d))
    return m


def _sides(instance: Instance) -> list[tuple[int, float]]:
    """The follower's inequality sides as (row, +1 for the upper, -1 for the lower one)."""
    rows = range(instance.size)
    equal = instance.low == instance.high
    upper = [(k, 1.0) for k in rows if not equal[k]]
    return upper + [(k, -1.0) for k in rows if not equal[k] and np.isfinite(instance.low[k])]


def _level(instance: Instance, k: int, sign: float) -> float:
    return float(instance.high[k] if sign > 0 else -instance.low[k])


def _room(instance: Instance, k: int, sign: float) -> float:
    """The largest slack of a side within the box."""
    least = BOX * (np.minimum(sign * instance.a[k], 0).sum() + np.minimum(sign * instance.b[k], 0).sum())
    return _level(instance, k, sign) - float(least)


def sos1_in_scip(instance: Instance, limit: float) -> Measured:
    """The KKT system with one SOS1 set a pair, SCIP with its own defaults. ``seconds``: the solve alone."""
    began = time.process_time()
    scip, n = Model(), range(instance.size)
    scip.hideOutput()
    scip.setParam("timing/clocktype", 1)  # the processor's
    scip.setParam("limits/time", limit)
    x, y = [scip.addVar(lb=0, ub=BOX) for _ in n], [scip.addVar(lb=0, ub=BOX) for _ in n]
    stationary = [float(instance.d[j]) for j in n]
    pairs = []

    def body(of_x: np.ndarray, of_y: np.ndarray) -> object:
        return quicksum(float(of_x[i]) * x[i] + float(of_y[i]) * y[i] for i in n)

    for k, sign in _sides(instance):
        slack, multiplier = scip.addVar(lb=0, ub=_room(instance, k, sign)), scip.addVar(lb=0, ub=None)
        scip.addCons(body(sign * instance.a[k], sign * instance.b[k]) + slack == _level(instance, k, sign))
        stationary = [s + sign * float(instance.b[k, j]) * multiplier for j, s in enumerate(stationary)]
        pairs.append((slack, multiplier))
    for k in np.flatnonzero(instance.low == instance.high):
        multiplier = scip.addVar(lb=None, ub=None)
        scip.addCons(body(instance.a[k], instance.b[k]) == float(instance.high[k]))
        stationary = [s + float(instance.b[k, j]) * multiplier for j, s in enumerate(stationary)]
    for j in n:
        of_lower, of_upper, slack = scip.addVar(lb=0, ub=None), scip.addVar(lb=0, ub=None), scip.addVar(lb=0, ub=BOX)
        scip.addCons(y[j] + slack == BOX)
        scip.addCons(stationary[j] - of_lower + of_upper == 0)
        pairs += [(y[j], of_lower), (slack, of_upper)]
    for k in range(len(instance.right)):
        scip.addCons(body(instance.g[k], instance.h[k]) <= float(instance.right[k]))
    for left, right in pairs:
        scip.addConsSOS1([left, right])
    scip.setObjective(body(instance.cx, instance.cy))
    ready = time.process_time()
    scip.optimize()
    done = time.process_time()
    objective = scip.getObjVal() if scip.getNSols() else None
    proven, said = scip.getStatus() == "optimal", f"{scip.getNTotalNodes()} nodes"
    return Measured("sos1-scip", instance.name, done - ready, proven, objective, scip.getDualbound(), done - began, said)


def big_m_in_highs(instance: Instance, limit: float) -> Measured:
    """The KKT system with one binary a pair, every multiplier at most BIG_M. ``seconds``: the solve alone.

    Never ``proven``: the bound on the multipliers is a guess.
    """
    began = time.process_time()
    h, n = highspy.Highs(), range(instance.size)
    for option, value in (("output_flag", False), ("time_limit", float(limit)), ("threads", 1)):
        h.setOptionValue(option, value)
    x = [h.addVariable(0, BOX, float(c)) for c in instance.cx]
    y = [h.addVariable(0, BOX, float(c)) for c in instance.cy]
    stationary = [h.expr() + float(instance.d[j]) for j in n]

    def body(of_x: np.ndarray, of_y: np.ndarray) -> object:
        return h.qsum(float(of_x[i]) * x[i] + float(of_y[i]) * y[i] for i in n)

    for k, sign in _sides(instance):
        room, level, multiplier, z = _room(instance, k, sign), _level(instance, k, sign), h.addVariable(0, BIG_M), h.addBinary()
        form = body(sign * instance.a[k], sign * instance.b[k])
        h.addConstr(form <= level)
        h.addConstr(level - form <= room * z)
        h.addConstr(multiplier <= BIG_M * (1 - z))
        for j in np.flatnonzero(instance.b[k]):
            stationary[j] += sign * float(instance.b[k, j]) * multiplier
    for k in np.flatnonzero(instance.low == instance.high):
        multiplier = h.addVariable(-BIG_M, BIG_M)
        h.addConstr(body(instance.a[k], instance.b[k]) == float(instance.high[k]))
        for j in np.flatnonzero(instance.b[k]):
            stationary[j] += float(instance.b[k, j]) * multiplier
    for j in n:
        of_lower, of_upper, low, up = h.addVariable(0, BIG_M), h.addVariable(0, BIG_M), h.addBinary(), h.addBinary()
        h.addConstr(stationary[j] - of_lower + of_upper == 0)
        h.addConstr(y[j] <= BOX * low)
        h.addConstr(of_lower <= BIG_M * (1 - low))
        h.addConstr(BOX - y[j] <= BOX * up)
        h.addConstr(of_upper <= BIG_M * (1 - up))
    for k in range(len(instance.right)):
        h.addConstr(body(instance.g[k], instance.h[k]) <= float(instance.right[k]))
    ready = time.process_time()
    h.run()
    done = time.process_time()
    info, status = h.getInfo(), h.modelStatusToString(h.getModelStatus())
    found = info.primal_solution_status == 2
    objective = info.objective_function_value if found else None
    said = f"{status}, {info.mip_node_count} nodes"
    return Measured("big-m-highs", instance.name, done - ready, False, objective, None, done - began, said)


HERE = {"ours": ours, "big-m-highs": big_m_in_highs, "sos1-scip": sos1_in_scip}
"""Name to function."""
