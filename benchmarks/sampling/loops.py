"""Three ways to solve one LP for many right-hand sides. Each gives seconds (of processor or clock) and optimal values."""

from __future__ import annotations

import time
from collections.abc import Callable

import highspy
import numpy as np
import scipy.sparse as sp
from pyomo.contrib import appsi

import bilevel_lang
from benchmarks.sampling.instance import ANNOTATION, Numbers, model_of
from bilevel_lang.oracle.labelling import Labelling, labelling


def bare(data: Numbers, x: np.ndarray, clock: Callable[[], float] = time.process_time) -> tuple[float, np.ndarray]:
    """highspy alone: new sides of all rows by one call, run, read the objective. No multipliers, no answers, no checks."""
    rows, columns = data.matrix.shape
    highs = highspy.Highs()
    for option, setting in (("output_flag", False), ("threads", 1), ("presolve", "off")):
        highs.setOptionValue(option, setting)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.col_cost_ = columns, rows, data.cost
    lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.full(columns, 10.0)
    lp.row_lower_, lp.row_upper_ = np.full(rows, -highspy.kHighsInf), data.side
    matrix = sp.csc_matrix(data.matrix)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    highs.passModel(lp)
    which, nothing, sides = np.arange(rows, dtype=np.int32), lp.row_lower_, data.side - x @ data.slope.T
    values = np.empty(len(x))
    began = clock()
    for i in range(len(x)):
        highs.changeRowsBounds(rows, which, nothing, sides[i])
        highs.run()
        values[i] = highs.getObjectiveValue()
    return clock() - began, values


def pyomo(data: Numbers, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Pyomo's persistent HiGHS, told that nothing but parameters changes, and not to load solutions into the model."""
    model = model_of(data, fixed=True)
    solver = appsi.solvers.Highs()
    solver.config.load_solution = False
    solver.highs_options = {"threads": 1, "presolve": "off"}
    checks = solver.update_config
    checks.check_for_new_or_removed_constraints = checks.check_for_new_or_removed_vars = False
    checks.check_for_new_or_removed_params = checks.check_for_new_objective = False
    checks.update_constraints = checks.update_vars = checks.update_named_expressions = checks.update_objective = False
    solver.solve(model)
    values = np.empty(len(x))
    began = time.process_time()
    for i, point in enumerate(x):
        for k, number in enumerate(point):
            model.x[k] = float(number)
        values[i] = solver.solve(model).best_feasible_objective
    return time.process_time() - began, values


def recipe(data: Numbers) -> Labelling:
    """The follower of the modeller's model, compiled."""
    problem = bilevel_lang.resolve(model_of(data), ANNOTATION)
    return labelling(problem, problem.agents[0])


def ours(data: Numbers, x: np.ndarray) -> tuple[float, np.ndarray]:
    """Values, exact subgradients and answers, each one checked; compiling is not in the time, a shard of 500 is one call."""
    label = recipe(data).build()
    began = time.process_time()
    values = [label(x[k : k + 500]).values for k in range(0, len(x), 500)]
    return time.process_time() - began, np.concatenate(values)
