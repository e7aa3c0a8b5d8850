"""OMLT and PySCIPOpt-ML on a network from an ONNX file. Runs in benchmarks/.venv-peers: reads a JSON object, prints one.

``tool`` is big-m, partition (OMLT, solved by HiGHS as it comes), big-m-same (HiGHS with the settings of our side) or sos1
(PySCIPOpt-ML, solved by SCIP); ``file`` a network without skips, and ``skip`` (10,) what its objective has besides; ``lower`` and
``upper`` bound every input; ``capacity`` is the side of the knapsack
row sum_j (1 + j / 10) x_j >= capacity, 0 for none. All solvers have one thread, the gap 1e-4 and ``limit`` seconds.
"""

import json
import logging
import math
import sys
import time

import numpy as np
import onnx
from onnx import numpy_helper

GAP = 1e-4
REPEAT = 4
"""The embedding is built so often, and the least time counts: a first call loads what Python has not loaded yet."""
SAME = {"mip_heuristic_effort": 0.0}
"""What our side asks of HiGHS besides, as ``ours.SETTINGS``."""


def layers(path):
    """Weights (out, in) and biases in order: the files hold a Gemm and a Relu for each layer."""
    graph = onnx.load(path).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    return [(tensors[n.input[1]], tensors[n.input[2]]) for n in graph.node if n.op_type == "Gemm"]


def omlt(tool, path, skip, box, capacity, limit):
    import pyomo.environ as pyo
    from omlt import OmltBlock
    from omlt.neuralnet import NetworkDefinition, ReluBigMFormulation, ReluPartitionFormulation
    from omlt.neuralnet.layer import DenseLayer, InputLayer

    parts = layers(path)
    inputs = parts[0][0].shape[1]

    def build():
        net = NetworkDefinition(scaled_input_bounds=dict.fromkeys(range(inputs), box))
        before = InputLayer([inputs])
        net.add_layer(before)
        for k, (weight, bias) in enumerate(parts):
            layer = DenseLayer(
                [weight.shape[1]],
                [weight.shape[0]],
                activation="relu" if k + 1 < len(parts) else "linear",
                weights=weight.T,
                biases=bias,
            )
            net.add_layer(layer)
            net.add_edge(before, layer)
            before = layer
        model = pyo.ConcreteModel()
        model.nn = OmltBlock()
        formulation = ReluPartitionFormulation if tool == "partition" else ReluBigMFormulation
        model.nn.build_formulation(formulation(net))
        return model

    built = math.inf
    for _ in range(REPEAT):
        start = time.process_time()
        model = build()
        built = min(built, time.process_time() - start)
    model.cost = pyo.Objective(expr=model.nn.outputs[0] + sum(d * model.nn.inputs[j] for j, d in enumerate(skip)))
    if capacity:
        model.knapsack = pyo.Constraint(expr=sum((1 + j / 10) * model.nn.inputs[j] for j in range(inputs)) >= capacity)
    binaries = sum(1 for v in model.component_data_objects(pyo.Var, active=True) if v.is_binary() and not v.fixed)
    return {"build": built, "binaries": binaries, **highs(model, limit, SAME if tool == "big-m-same" else {})}


def highs(model, limit, settings):
    import tempfile

    import highspy

    with tempfile.NamedTemporaryFile(suffix=".lp") as file:
        model.write(file.name)
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        for key, value in {"threads": 1, "mip_rel_gap": GAP, "time_limit": limit, **settings}.items():
            solver.setOptionValue(key, value)
        solver.readModel(file.name)
    start = time.process_time()
    solver.run()
    seconds = time.process_time() - start
    info = solver.getInfo()
    return {
        "solve": seconds,
        "status": solver.getModelStatus().name,
        "objective": info.objective_function_value,
        "bound": info.mip_dual_bound,
        "nodes": info.mip_node_count,
    }


def scip(path, skip, box, capacity, limit):
    import pyscipopt
    from pyscipopt_ml.onnx import add_onnx_constr

    def build():
        model = pyscipopt.Model()
        model.hideOutput()
        x = np.array([[model.addVar(f"x{j}", lb=box[0], ub=box[1]) for j in range(10)]])
        y = np.array([[model.addVar("y", lb=None, ub=None)]])
        start = time.process_time()
        add_onnx_constr(model, onnx.load(path), x, y)
        return model, x, y, time.process_time() - start

    model, x, y, built = min((build() for _ in range(REPEAT)), key=lambda made: made[3])
    model.setObjective(y[0, 0] + pyscipopt.quicksum(d * x[0, j] for j, d in enumerate(skip)))
    if capacity:
        model.addCons(pyscipopt.quicksum((1 + j / 10) * x[0, j] for j in range(10)) >= capacity)
    model.setParam("limits/gap", GAP)
    model.setParam("limits/time", limit)
    model.setParam("lp/threads", 1)
    sets = sum(1 for c in model.getConss() if c.getConshdlrName() == "SOS1")
    binaries = sum(1 for v in model.getVars() if v.vtype() == "BINARY") + sets
    start = time.process_time()
    model.optimize()
    seconds = time.process_time() - start
    # Without a solution the objective is one of no point.
    objective = model.getObjVal() if model.getNSols() else math.inf
    found = {"status": model.getStatus(), "objective": objective, "bound": model.getDualbound()}
    return {"build": built, "binaries": binaries, "solve": seconds, "nodes": model.getNNodes(), **found}


def main():
    logging.disable(logging.WARNING)  # Pyomo remarks on every start outside its bounds
    task = json.load(sys.stdin)
    arguments = (task["file"], task["skip"], (task["lower"], task["upper"]), task["capacity"], task["limit"])
    print(json.dumps(scip(*arguments) if task["tool"] == "sos1" else omlt(task["tool"], *arguments)))


main()
