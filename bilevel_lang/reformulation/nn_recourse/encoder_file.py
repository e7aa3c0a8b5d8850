"""Networks of scenario sets in ONNX files: what makes a program the same one, and what is said where it is not.

The first stage may change, for it is in the program as it is; so may the scenarios. The second stage has to be the same function
of decision and random data. It is compared by its arrays in a few scenarios that the file keeps.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import ModelFileError, OnnxFileError, RefusedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.decisions import seen_columns
from bilevel_lang.reformulation.nn_recourse.encoder_range import NAMED, outside_of_range
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import Compiled, compile_program
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.network import Affine, Network
from bilevel_lang.surrogate.onnx_files.matching import permuted
from bilevel_lang.surrogate.onnx_files.metadata import OF_SETS, Metadata
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork
from bilevel_lang.surrogate.scenario_encoder.reading import read_scenario_network
from bilevel_lang.surrogate.scenario_encoder.writing import write_scenario_network
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

PROBES = 3
"""Scenarios of the training in which the second stage is compared."""

PARTS = {
    "cost": "the costs of its variables",
    "constant": "the constant of its costs",
    "lower": "lower bounds of its variables",
    "upper": "upper bounds of its variables",
    "integer": "which of its variables are whole",
    "row_lower": "lower sides of its rows",
    "row_upper": "upper sides of its rows",
    "technology": "coefficients of first-stage variables in its rows",
    "recourse": "coefficients of its own variables in its rows",
}

_MEND = "train a network for this program: `--save-surrogate FILE`"


@dataclass(frozen=True, eq=False)
class GivenEncoder:
    """A network of minimised costs, decisions and parameters in the program's order.

    ``lower`` and ``upper`` (n,): the box of the decisions in training; ``mae`` and ``max_error`` on held-out decisions, NaN where
    the file does not say; ``said`` are doubts.
    """

    network: ScenarioNetwork
    kind: str
    layers: tuple[int, ...]
    lower: Floats
    upper: Floats
    mae: float
    max_error: float
    said: tuple[str, ...] = ()


def write_encoder(
    path: Path, found: GivenEncoder, problem: BilevelProblem, compiled: Compiled, values: Floats, data: str
) -> None:
    """Keep ``found``, trained in the scenarios ``values`` (S, p); ``data``: the hash of its samples.

    Raises UsageError where the file cannot be written.
    """
    assert problem.stochastic is not None
    some = values[np.unique(np.linspace(0, len(values) - 1, PROBES).round().astype(int))]
    parts = part_hashes(_compiled(problem, some))
    words = {"kind": found.kind, "layers": "x".join(map(str, found.layers))}
    metadata = Metadata(
        model=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest(),
        target=OF_SETS,
        inputs=tuple(compiled.first[j].name for j in seen_columns(compiled.arrays)),
        outputs=(OF_SETS,),
        lower=tuple(found.lower.tolist()),
        upper=tuple(found.upper.tolist()),
        data_sha256=data,
        errors={"validation_mae": found.mae, "validation_max_error": found.max_error},
        extra={**words, "probes": json.dumps(some.tolist()), "parts": json.dumps(parts)},
        parameters=tuple(p.name for p in problem.stochastic.parameters),
        least=tuple(values.min(axis=0).tolist()),
        largest=tuple(values.max(axis=0).tolist()),
    )
    cost = _times(found.network.cost, compiled.arrays.sense)
    write_scenario_network(path, ScenarioNetwork(found.network.features, cost), metadata)


def read_encoder(path: Path, problem: BilevelProblem, compiled: Compiled, scenarios: ScenarioSet) -> GivenEncoder:
    """The network in ``path`` for the program, which was compiled for ``scenarios``.

    Raises UsageError where the file cannot be read, OnnxFileError for a file that is damaged or of another program, with what
    differs.
    """
    assert problem.stochastic is not None
    found = read_scenario_network(path)
    metadata, network = found.metadata, found.network
    parameters = tuple(p.name for p in problem.stochastic.parameters)
    decisions = tuple(compiled.first[j].name for j in seen_columns(compiled.arrays))
    _same_names(path, "random parameters", metadata.parameters, parameters)
    _same_names(path, "first-stage variables that the second stage sees", metadata.inputs, decisions)
    order = [metadata.parameters.index(name) for name in parameters]
    _same_second_stage(path, metadata, problem, order)
    places = [metadata.inputs.index(name) for name in decisions]
    cost = permuted(network.cost, [*places, *range(len(places), network.cost.inputs)])
    network = ScenarioNetwork(permuted(network.features, order), _times(cost, compiled.arrays.sense))
    mae, worst = (float(metadata.errors.get(name, math.nan)) for name in ("validation_mae", "validation_max_error"))
    layers = tuple(int(width) for width in metadata.extra.get("layers", "").split("x") if width.isdigit())
    least, largest = np.array(metadata.least)[order], np.array(metadata.largest)[order]
    said = outside_of_range(path, least, largest, scenarios, parameters)
    lower, upper = np.array(metadata.lower)[places], np.array(metadata.upper)[places]
    return GivenEncoder(network, metadata.extra.get("kind", "encoder"), layers, lower, upper, mae, worst, said)


def part_hashes(compiled: Compiled) -> dict[str, str]:
    """Of each of :data:`PARTS`, SHA-256 of names and of numbers to ten digits.

    The same whatever the first stage is, and in whatever order the model lists its components.
    """
    found = {}
    for part in PARTS:
        names = _names(compiled, part)
        order = np.argsort(names, kind="stable")
        text = ["\0".join(names[order]), *np.char.mod("%.9e", _numbers(compiled.arrays, part)[:, order].ravel() + 0.0)]
        found[part] = hashlib.sha256("\0".join(text).encode()).hexdigest()
    return found


def _names(compiled: Compiled, part: str) -> np.ndarray:
    """What each number of a part belongs to."""
    parts = (compiled.first, compiled.second, compiled.second_rows)
    first, second, rows = (np.array([c.name for c in some], dtype=str) for some in parts)
    if part in ("technology", "recourse"):
        matrix: sp.csr_matrix = getattr(compiled.arrays, part)
        columns = (first if part == "technology" else second)[matrix.indices]
        return np.char.add(np.char.add(rows[np.repeat(np.arange(len(rows)), np.diff(matrix.indptr))], " "), columns)
    if part == "constant":
        return np.array([""])
    return rows if part.startswith("row") else second


def _numbers(arrays: TwoStageArrays, part: str) -> Floats:
    """(S, length): a part in every scenario, costs as minimised ones."""
    if part == "integer":
        return arrays.integer.astype(float)[None, :]
    values = arrays.everywhere(part)
    return arrays.sense * values if part in ("cost", "constant") else values


def _compiled(problem: BilevelProblem, values: Floats) -> Compiled:
    return compile_program(problem, ScenarioSet(values, np.full(len(values), 1.0 / len(values))))


def _same_names(path: Path, what: str, theirs: tuple[str, ...], ours: tuple[str, ...]) -> None:
    if set(theirs) == set(ours):
        return
    missing, unknown = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
    sides = [f"{words} {_listed(names)}" for words, names in (("only in the file", missing), ("only here", unknown)) if names]
    raise OnnxFileError(f"{path} is of another program: the {what} differ ({'; '.join(sides)})", _MEND)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:NAMED]) + more


def _same_second_stage(path: Path, metadata: Metadata, problem: BilevelProblem, order: list[int]) -> None:
    try:
        probes = np.array(json.loads(metadata.extra["probes"]), dtype=float)
        theirs = json.loads(metadata.extra["parts"])
        fit = probes.ndim == 2 and probes.shape[1] == len(order) and bool(np.isfinite(probes).all())
        if not fit or not isinstance(theirs, dict) or set(theirs) != set(PARTS):
            raise ValueError("the scenarios to compare in do not fit")
    except (ValueError, TypeError, KeyError) as error:
        raise OnnxFileError(f"{path}: the metadata of the file are damaged: {error}", _MEND) from error
    try:
        ours = part_hashes(_compiled(problem, probes[:, order]))
    except (ModelFileError, RefusedError) as error:
        said = (
            f"{path} is of another program: this one has no value where the network was trained: {error.diagnostics[0].message}"
        )
        raise OnnxFileError(said, _MEND) from error
    different = [words for part, words in PARTS.items() if ours[part] != theirs[part]]
    if different:
        raise OnnxFileError(f"{path} is of another program: the second stage differs in {', '.join(different)}", _MEND)


def _times(network: Network, sign: int) -> Network:
    """``sign`` times the network."""
    output = Affine(sp.csr_matrix(float(sign) * network.output.weights), sign * network.output.bias)
    return Network(network.inputs, network.hidden, output)
