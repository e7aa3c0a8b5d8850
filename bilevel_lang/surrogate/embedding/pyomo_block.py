"""An embedding as a Pyomo Block, made of the arrays: the modeller's inputs in, Expressions for the outputs.

The block holds ``column`` (indexed by the names of the new columns), ``row``, ``sos`` or ``complementarity`` where the form has
them, and ``output`` (indexed from 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bilevel_lang.surrogate.embedding.arrays import Embedding


def block_of(embedding: Embedding, inputs: Sequence[Any]) -> Any:
    """A Block to be added to a model; ``inputs`` are the Pyomo variables (or expressions) of the inputs in order.

    Bounds of the inputs and rows on them are the model's. Raises ValueError for a wrong number of inputs.
    """
    import pyomo.environ as pyo

    if len(inputs) != embedding.inputs:
        raise ValueError(f"the network has {embedding.inputs} inputs, and {len(inputs)} were given")
    block = pyo.Block(concrete=True)
    block.column = pyo.Var(embedding.names)
    for name, low, up, whole in zip(embedding.names, embedding.lower, embedding.upper, embedding.integer, strict=True):
        variable = block.column[name]
        variable.setlb(low if np.isfinite(low) else None)
        variable.setub(up if np.isfinite(up) else None)
        if whole:
            variable.domain = pyo.Binary
    columns = [*inputs, *(block.column[name] for name in embedding.names)]
    _add_rows(block, embedding, columns)
    _add_pairs(block, embedding, columns)
    weights = embedding.outputs.weights
    forms = [_linear(weights, k, columns) + float(embedding.outputs.bias[k]) for k in range(weights.shape[0])]
    block.output = pyo.Expression(range(len(forms)), rule=lambda _, k: forms[k])
    return block


def _linear(matrix: Any, row: int, columns: list[Any]) -> Any:
    """One row of ``matrix`` times ``columns``."""
    from pyomo.core.expr import LinearExpression

    here = slice(matrix.indptr[row], matrix.indptr[row + 1])
    terms = [columns[j] for j in matrix.indices[here]]
    if all(hasattr(term, "is_variable_type") and term.is_variable_type() for term in terms):
        return LinearExpression(linear_coefs=[float(c) for c in matrix.data[here]], linear_vars=terms)
    return sum(float(c) * term for c, term in zip(matrix.data[here], terms, strict=True))


def _add_rows(block: Any, embedding: Embedding, columns: list[Any]) -> None:
    import pyomo.environ as pyo

    block.row = pyo.Constraint(embedding.row_names)
    for i, name in enumerate(embedding.row_names):
        low, up = float(embedding.row_lower[i]), float(embedding.row_upper[i])
        body = _linear(embedding.matrix, i, columns)
        block.row[name] = body == low if low == up else (low if np.isfinite(low) else None, body, up if np.isfinite(up) else None)


def _add_pairs(block: Any, embedding: Embedding, columns: list[Any]) -> None:
    import pyomo.environ as pyo

    if len(embedding.sos1):
        pairs = [[columns[j] for j in pair] for pair in embedding.sos1]
        block.sos = pyo.SOSConstraint(range(len(pairs)), rule=lambda _, k: pairs[k], sos=1)
    if len(embedding.complementary):
        from pyomo.mpec import Complementarity, complements

        both = [complements(columns[i] >= 0, columns[j] >= 0) for i, j in embedding.complementary]
        block.complementarity = Complementarity(range(len(both)), rule=lambda _, k: both[k])


def set_start(block: Any, embedding: Embedding, point: Any) -> None:
    """Give the block's columns their values at the inputs ``point`` (n,): a MIP start together with the inputs' own values."""
    found = embedding.complete(np.asarray(point, dtype=float)[None])[0]
    for name, value in zip(embedding.names, found, strict=True):
        block.column[name].set_value(float(value), skip_validation=True)
