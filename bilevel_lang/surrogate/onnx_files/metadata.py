"""What an ONNX file of ours tells about itself, in ``metadata_props``: every value is a string, lists and numbers in JSON.

| key | value |
|---|---|
| ``bilevel_lang.version`` | ``1``: the version of this table |
| ``bilevel_lang.model`` | what the network stands for: a name, or a hash of the model and annotation |
| ``bilevel_lang.target`` | ``value``, ``response`` or ``leader`` of a bilevel problem; ``expected cost`` of a second stage |
| ``bilevel_lang.inputs``, ``bilevel_lang.outputs`` | names in order |
| ``bilevel_lang.lower``, ``bilevel_lang.upper`` | the box of the samples, one number an input, in the inputs' own units |
| ``bilevel_lang.scaling`` | an object of lists; for information, since the weights contain it |
| ``bilevel_lang.data_sha256`` | hash of the data set that the network was trained on |
| ``bilevel_lang.errors`` | an object of numbers, such as ``validation_mae``, in the output's own unit |
| ``bilevel_lang.parameters`` | names of the random parameters in order, of a network of scenario sets |
| ``bilevel_lang.least``, ``bilevel_lang.largest`` | the range of each in training |
| ``bilevel_lang.extra`` | an object of strings: anything else |
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bilevel_lang.errors import OnnxFileError

PREFIX = "bilevel_lang."
VERSION = "1"
OF_SETS = "expected cost"
TARGETS = ("value", "response", "leader", OF_SETS)


@dataclass(frozen=True)
class Metadata:
    """See the module for the meaning. Raises ValueError where names and ranges do not fit."""

    model: str
    target: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    scaling: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    data_sha256: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    least: tuple[float, ...] = ()
    largest: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"target {self.target!r} is none of {', '.join(TARGETS)}")
        if not len(self.inputs) == len(self.lower) == len(self.upper):
            raise ValueError(f"{len(self.inputs)} inputs, {len(self.lower)} lower and {len(self.upper)} upper bounds")
        if not len(self.parameters) == len(self.least) == len(self.largest):
            raise ValueError(f"{len(self.parameters)} random parameters, {len(self.least)} least and {len(self.largest)} largest")
        if any(len(set(names)) < len(names) for names in (self.inputs, self.parameters)):
            raise ValueError("two inputs have one name")
        if any(math.isnan(b) for b in (*self.lower, *self.upper, *self.least, *self.largest)):
            raise ValueError("a bound is NaN")

    def properties(self) -> dict[str, str]:
        """Keys and values of ``metadata_props``."""
        parts: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        texts = {name: part if isinstance(part, str) else json.dumps(part) for name, part in parts.items()}
        return {PREFIX + name: text for name, text in {"version": VERSION, **texts}.items()}


def metadata_of(properties: Mapping[str, str]) -> Metadata | None:
    """What ``metadata_props`` say; None for a file that is not of ours. Raises OnnxFileError where a value cannot be read."""
    if PREFIX + "version" not in properties:
        return None
    if properties[PREFIX + "version"] != VERSION:
        said = properties[PREFIX + "version"]
        raise OnnxFileError(f"the metadata of the file have version {said!r}, not {VERSION}", "use a newer bilevel-lang")
    try:
        return Metadata(
            model=_text(properties, "model"),
            target=_text(properties, "target"),
            inputs=tuple(_strings(properties, "inputs")),
            outputs=tuple(_strings(properties, "outputs")),
            lower=_numbers(_json(properties, "lower", list)),
            upper=_numbers(_json(properties, "upper", list)),
            scaling={str(k): _numbers(v) for k, v in _json(properties, "scaling", dict).items()},
            data_sha256=_text(properties, "data_sha256"),
            errors={str(k): float(v) for k, v in _json(properties, "errors", dict).items()},
            extra={str(k): str(v) for k, v in _json(properties, "extra", dict).items()},
            **_of_scenarios(properties),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        mend = "train again, or remove the entries that begin with bilevel_lang. from metadata_props"
        raise OnnxFileError(f"the metadata of the file are damaged: {error}", mend) from error


def _of_scenarios(properties: Mapping[str, str]) -> dict[str, Any]:
    """What only networks of scenario sets have."""
    if PREFIX + "parameters" not in properties:
        return {}
    ranges = {name: _numbers(_json(properties, name, list)) for name in ("least", "largest")}
    return {"parameters": tuple(_strings(properties, "parameters")), **ranges}


def _text(properties: Mapping[str, str], name: str) -> str:
    return properties[PREFIX + name]


def _json(properties: Mapping[str, str], name: str, kind: type) -> Any:
    found = json.loads(properties[PREFIX + name])
    if not isinstance(found, kind):
        raise ValueError(f"{name} is no {kind.__name__}")
    return found


def _strings(properties: Mapping[str, str], name: str) -> list[str]:
    found: list[str] = _json(properties, name, list)
    if not all(isinstance(entry, str) for entry in found):
        raise ValueError(f"{name} are no names")
    return found


def _numbers(found: Any) -> tuple[float, ...]:
    return tuple(float(entry) for entry in found)
