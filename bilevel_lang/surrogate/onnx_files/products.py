"""Products with constant matrices, on either side."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.onnx_files.arithmetic import broadcast_shape
from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.operator import Attributes, Operator, as_wire, constant_of
from bilevel_lang.surrogate.onnx_files.shapes import transposed
from bilevel_lang.surrogate.onnx_files.tensors import Array
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire


def _matrix_product(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    first, second = inputs
    return product(tape, first, second)


def product(tape: Tape, first: Value | None, second: Value | None) -> Wire:
    """first @ second, one of them constant, both with one or two axes. Raises ComplaintError."""
    if isinstance(first, Wire) and isinstance(second, Wire):
        raise ComplaintError(
            "it multiplies two values that both depend on the inputs", "only products with constants can be embedded"
        )
    if isinstance(second, Wire):
        return _from_left(tape, constant_of(first, "the matrix"), second)
    return _from_right(tape, as_wire(tape, first), constant_of(second, "the matrix"))


def _from_right(tape: Tape, wire: Wire, matrix: Array) -> Wire:
    """wire (..., n) @ matrix (n, m) or (n,)."""
    _fits(wire.shape, matrix.shape, wire.shape[-1:], matrix.shape[:1])
    points = wire.size // matrix.shape[0] if matrix.shape[0] else 0
    columns = matrix.reshape(matrix.shape[0], -1)
    tape.require(points * columns.shape[1], points * columns.size)
    big = sp.kron(sp.identity(points), sp.csr_matrix(columns.T), format="csr") if points != 1 else sp.csr_matrix(columns.T)
    return tape.mapped(big, wire, wire.shape[:-1] + matrix.shape[1:])


def _from_left(tape: Tape, matrix: Array, wire: Wire) -> Wire:
    """matrix (m, n) or (n,) @ wire (n,) or (n, q)."""
    _fits(matrix.shape, wire.shape, matrix.shape[-1:], wire.shape[:1])
    rows = matrix.reshape(-1, matrix.shape[-1])
    right = wire.size // matrix.shape[-1] if matrix.shape[-1] else 0
    tape.require(rows.shape[0] * right, rows.size * right)
    big = sp.kron(sp.csr_matrix(rows), sp.identity(right), format="csr") if right != 1 else sp.csr_matrix(rows)
    return tape.mapped(big, wire, matrix.shape[:-1] + wire.shape[1:])


def _fits(first: tuple[int, ...], second: tuple[int, ...], inner: tuple[int, ...], other: tuple[int, ...]) -> None:
    if not (1 <= len(first) <= 2 and 1 <= len(second) <= 2) or inner != other:
        raise ComplaintError(
            f"shapes {list(first)} and {list(second)} cannot be multiplied here",
            "the product of a vector or a batch of vectors with a matrix is read; is the number of inputs right?",
        )


def _gemm(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    """alpha * A' @ B' + beta * C; ONNX allows two axes only, and some exporters write one."""
    first, second = (transposed(tape, v) if attributes[f"trans{k}"] else v for v, k in zip(inputs, "AB", strict=False))
    found = tape.scaled(product(tape, first, second), np.array([attributes["alpha"]]), np.zeros(1))
    if len(inputs) < 3 or inputs[2] is None:
        return found
    added = tape.scaled(as_wire(tape, inputs[2]), np.array([attributes["beta"]]), np.zeros(1))
    if broadcast_shape(tape, found.shape, added.shape) != found.shape:
        raise ComplaintError(
            f"its bias has the shape {list(added.shape)}, the product {list(found.shape)}", "export the network again"
        )
    places = np.broadcast_to(np.arange(added.size).reshape(added.shape), found.shape)
    return tape.total(found, tape.picked(added, places))


PRODUCTS = (
    Operator("Gemm", _gemm, 2, 3, {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}),
    Operator("MatMul", _matrix_product, 2, 2),
)
