"""The allow-list: what is not here is refused. A new operator is an entry in one of these tuples, and a row in the docs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bilevel_lang.surrogate.onnx_files.activations import ACTIVATIONS
from bilevel_lang.surrogate.onnx_files.arithmetic import ARITHMETIC
from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import Limits
from bilevel_lang.surrogate.onnx_files.operator import Attributes, Operator
from bilevel_lang.surrogate.onnx_files.products import PRODUCTS
from bilevel_lang.surrogate.onnx_files.shapes import SHAPES
from bilevel_lang.surrogate.onnx_files.tensors import Array, array_of

OPERATORS: tuple[Operator, ...] = tuple(sorted((*PRODUCTS, *ARITHMETIC, *ACTIVATIONS, *SHAPES), key=lambda o: o.name))
"""All that compute from values; Constant, which has none, is :func:`constant`."""

_BY_NAME: Mapping[tuple[str, str], Operator] = {(o.domain, o.name): o for o in OPERATORS}

_MEND = "use layers made of " + ", ".join([o.name for o in OPERATORS] + ["Constant"])


def operator_of(node: Any) -> Operator:
    """The entry for a node. Raises ComplaintError, also for a wrong number of inputs or outputs."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    found = _BY_NAME.get((domain, node.op_type))
    if found is None:
        of = f" of {node.domain}" if domain else ""
        raise ComplaintError(f"the operator {node.op_type}{of} cannot be embedded", _MEND)
    if not found.least <= len(node.input) <= found.most:
        raise ComplaintError(f"it has {len(node.input)} inputs", f"{found.least} to {found.most} are expected")
    if not node.output:
        raise ComplaintError("it has no output", "export the network again")
    return found


def attributes_of(node: Any, operator: Operator) -> Attributes:
    """The node's attributes over the defaults. Raises ComplaintError for unknown ones and for values of another kind."""
    found = dict(operator.attributes)
    for attribute in node.attribute:
        if attribute.name not in found:
            raise ComplaintError(
                f"the attribute {attribute.name} is not known", "export with another opset_version, for example 13"
            )
        found[attribute.name] = _of_kind(_value(attribute), attribute.name, found[attribute.name])
    return found


def _value(attribute: Any) -> Any:
    """The value of an attribute. Raises ComplaintError for kinds that are none, and for references to a function's attributes."""
    import onnx

    try:
        return onnx.helper.get_attribute_value(attribute)
    except ValueError as error:
        raise ComplaintError(f"the attribute {attribute.name} has no value", "export the network again") from error


_LISTS = ("axes", "perm", "offset", "scale")


def _of_kind(value: Any, name: str, default: Any) -> Any:
    """``value`` where its kind is the default's, or for defaults of None what the name says."""
    if name in _LISTS:
        kinds: tuple[type, ...] = (list,)
    elif isinstance(default, (int, bytes)):
        kinds = (type(default),)
    else:
        kinds = (float, int)
    if not isinstance(value, kinds):
        raise ComplaintError(f"the attribute {name} has a value of another kind", "export the network again")
    return value


def constant(node: Any, limits: Limits) -> Array:
    """The value of a Constant node. Raises ComplaintError."""
    import numpy as np
    import onnx

    if len(node.attribute) != 1 or len(node.input):
        raise ComplaintError("it does not hold exactly one value", "export the network again")
    name, value = node.attribute[0].name, _value(node.attribute[0])
    if name == "value" and isinstance(value, onnx.TensorProto):
        return array_of(value, limits)
    if name in ("value_float", "value_floats", "value_int", "value_ints"):
        found = np.array(value, dtype=np.float64 if "float" in name else np.int64)
        if np.isfinite(found).all():
            return found
    raise ComplaintError(f"its {name} is not a finite number or tensor", "export the network again")
