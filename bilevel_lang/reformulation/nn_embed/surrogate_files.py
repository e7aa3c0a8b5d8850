"""Networks in ONNX files: those that nn-embed keeps, and those that users bring.

In a file a network speaks of the objectives as the modeller has written them: `value` is the follower's optimal objective with
its constants and the leader's own terms, in the follower's sense; `leader` the leader's objective in its own. Inside, everything
is a minimisation over the follower's columns alone; what lies between the two is affine in the inputs.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from bilevel_lang.components.forms import Columns
from bilevel_lang.errors import OnnxFileError, RefusedError
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.network import Affine, Network
from bilevel_lang.surrogate.onnx_files.matching import matched
from bilevel_lang.surrogate.onnx_files.metadata import Metadata
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import write_onnx


@dataclass(frozen=True, eq=False)
class Given:
    """A network that was read: the ``target`` that its file names (None: it names none), and what is to be said of it."""

    fitted: Fitted
    target: str | None
    said: tuple[str, ...]


def read_surrogate(path: Path, sampled: SampledProblem, domain: InputSet, target: str) -> Given:
    """The network in ``path``, turned into minimisations. ``target`` ``auto``: the file's own, else ``value``, or ``leader``
    where the problem is not linear.

    Raises UsageError, and OnnxFileError for files and networks that do not fit.
    """
    found = matched(read_onnx(path), domain.names)
    metadata = found.metadata
    named = metadata.target if metadata is not None else None
    used = target if target != "auto" else named or ("value" if sampled.evaluated is None else "leader")
    if sampled.evaluated is not None and used != "leader":
        raise OnnxFileError(
            f"{path}: the target {used} needs linear functions, and the problem has others", "use `--target leader`"
        )
    wanted = int(sampled.read.arrays.follower.sum()) if used == "response" else 1
    if found.network.outputs != wanted:
        raise OnnxFileError(f"{path}: {found.network.outputs} outputs, and the target {used} has {wanted}", "see --target")
    network = found.network if used == "response" else _inner(found.network, *_own_terms(sampled, used))
    errors = metadata.errors if metadata is not None else {}
    mae, worst = (float(errors.get(name, math.nan)) for name in ("validation_mae", "validation_max_error"))
    fitted = Fitted("onnx", found.network.widths, network, mae, worst, mae)
    return Given(fitted, used, tuple(_doubts(path, metadata, sampled, domain)))


def write_surrogate(path: Path, fitted: Fitted, target: str, sampled: SampledProblem, domain: InputSet, data: str) -> None:
    """Keep ``fitted`` in ``path``; ``data`` is the hash of its samples. Raises UsageError, RefusedError."""
    network = fitted.network if target == "response" else _outer(fitted.network, *_own_terms(sampled, target))
    outputs, read = (target,), sampled.read
    if target == "response":
        outputs = tuple(read.variables[j].name for j in np.flatnonzero(read.arrays.follower))
    metadata = Metadata(
        model=fingerprint(sampled),
        target=target,
        inputs=domain.names,
        outputs=outputs,
        lower=tuple(domain.lower.tolist()),
        upper=tuple(domain.upper.tolist()),
        data_sha256=data,
        errors={"validation_mae": fitted.mae, "validation_max_error": fitted.max_error},
        extra={"kind": fitted.kind},
    )
    write_onnx(path, network, metadata)


def fingerprint(sampled: SampledProblem) -> str:
    """SHA-256 of the names and numbers of the problem: another one, and a network was made for another problem."""
    read, rest = sampled.read, sampled.evaluated
    digest = hashlib.sha256("\0".join(v.name for v in read.variables).encode())
    arrays, program = read.arrays, read.arrays.relaxation
    numbers = [
        *(program.lower, program.upper, program.integer, program.cost, program.row_lower, program.row_upper),
        *(program.matrix.indptr, program.matrix.indices, program.matrix.data),
        *(arrays.follower, arrays.follower_rows, arrays.follower_cost),
    ]
    if rest is not None:
        if rest.products is not None:
            numbers += [rest.products.given, rest.products.own, rest.products.coefficients]
        digest.update(repr([rest.sense, str(rest.objective), *((str(r.body), r.lb, r.ub) for r in rest.rows)]).encode())
    for array in numbers:
        digest.update(np.asarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def _doubts(path: Path, metadata: Metadata | None, sampled: SampledProblem, domain: InputSet) -> list[str]:
    if metadata is None:
        return []
    said = []
    if metadata.model != fingerprint(sampled):
        said.append(f"{path} was trained for another problem, or this one has changed since")
    lower, upper = np.array(metadata.lower), np.array(metadata.upper)
    by_name = {name: k for k, name in enumerate(metadata.inputs)}
    order = [by_name[name] for name in domain.names if name in by_name]
    if len(order) == domain.inputs and ((lower[order] > domain.lower + 1e-6) | (upper[order] < domain.upper - 1e-6)).any():
        said.append(f"{path} was trained in a smaller box than the decisions that are possible here")
    return said


def _own_terms(sampled: SampledProblem, target: str) -> tuple[float, Floats, float]:
    """(sign, slope (n,), constant): what a file says is ``sign * inner + slope'x + constant``.

    Raises RefusedError where the follower's objective holds columns that are no inputs.
    """
    read, inputs = sampled.read, sampled.inputs
    if target == "leader":
        sense = read.arrays.relaxation.sense if sampled.evaluated is None else sampled.evaluated.sense
        return float(sense), np.zeros(len(inputs)), 0.0
    slope, constant = np.zeros(len(read.variables)), 0.0
    columns = Columns()
    for variable in read.variables:
        columns.number(variable)
    signs = {agent.sign for agent in read.problem.agents}
    if len(signs) > 1:
        raise RefusedError("nn-embed: a value of followers that minimise and maximise has no file", "use --target leader")
    for agent in read.problem.agents:
        if agent.objective is not None:
            form = columns.affine(agent.objective.expression, agent.objective.name)
            np.add.at(slope, form.columns, form.coefficients)
            constant += form.constant
    others = np.flatnonzero((slope != 0) & ~read.arrays.follower)
    foreign = np.setdiff1d(others, inputs)
    if foreign.size:
        name = read.variables[int(foreign[0])].name
        raise RefusedError(f"nn-embed: the follower's objective holds `{name}`, which its rows do not", "use --target leader")
    return float(signs.pop()), slope[inputs], constant


def _inner(network: Network, sign: float, slope: Floats, constant: float) -> Network:
    return _mapped(network, sign, -sign * slope, -sign * constant)


def _outer(network: Network, sign: float, slope: Floats, constant: float) -> Network:
    return _mapped(network, sign, slope, constant)


def _mapped(network: Network, factor: float, slope: Floats, constant: float) -> Network:
    """``factor * network + slope'x + constant`` of a network with one output."""
    own = np.zeros(network.inputs + network.neurons)
    own[: network.inputs] = slope
    output = Affine(sp.csr_matrix(factor * network.output.weights + sp.csr_matrix(own)), factor * network.output.bias + constant)
    return Network(network.inputs, network.hidden, output)
