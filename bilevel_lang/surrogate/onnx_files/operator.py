"""What an entry of the allow-list is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.tensors import Array
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire

Attributes: TypeAlias = Mapping[str, Any]
Apply: TypeAlias = Callable[[Tape, "list[Value | None]", Attributes], Value]


@dataclass(frozen=True)
class Operator:
    """``apply(tape, inputs, attributes)`` is the operator's first output; optional inputs that are left out are None.

    ``least`` and ``most`` are numbers of inputs; ``attributes`` maps those that are known to their defaults (None: no default).
    Others are refused, as a newer operator set may give them any meaning.
    """

    name: str
    apply: Apply
    least: int = 1
    most: int = 1
    attributes: Attributes = field(default_factory=dict)
    domain: str = ""


def wire_of(value: Value | None) -> Wire:
    """A value that has to depend on the inputs. Raises ComplaintError."""
    if not isinstance(value, Wire):
        raise ComplaintError("it is applied to a constant", "fold constants before the export")
    return value


def constant_of(value: Value | None, what: str) -> Array:
    """A value that has to be a constant. Raises ComplaintError."""
    if value is None:
        raise ComplaintError(f"{what} is missing", "export the network again")
    if isinstance(value, Wire):
        raise ComplaintError(
            f"{what} depends on the inputs", "only a constant can stand there: the network would not be piecewise linear"
        )
    return value


def as_wire(tape: Tape, value: Value | None) -> Wire:
    """A value, or a constant as a wire. Raises ComplaintError where there is none."""
    if value is None:
        raise ComplaintError("an input is missing", "export the network again")
    return value if isinstance(value, Wire) else tape.constant(value)
