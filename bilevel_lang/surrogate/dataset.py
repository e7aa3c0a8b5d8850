"""What sampling an agent gives, and what training takes: decisions of the others, and what the agent made of each.

A sample without a feasible answer is data like every other: its ``feasible`` is False and its value NaN. Nothing is left out.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Codes: TypeAlias = npt.NDArray[np.int8]


class Outcome(enum.IntEnum):
    """What became of one sample."""

    OPTIMAL = 0
    """Solved; the value is optimal within the solver's tolerances."""
    INFEASIBLE = 1
    """Proven: the agent has no feasible answer."""
    UNBOUNDED = 2
    """The agent has feasible answers and no best one."""
    LIMIT = 3
    """Stopped at a limit. With a value (``feasible``): the best one found, and not proven; without: nothing is known."""
    FAILED = 4
    """The solver broke down, or a function of the model is not defined there: nothing is known."""


@dataclass(frozen=True, eq=False)
class DataSet:
    """k samples of one agent with n inputs and m responses; float64, rows in the order in which they were drawn.

    ``inputs`` (k, n), finite, columns named by ``input_names``; ``feasible`` (k,): whether a feasible answer is known;
    ``values`` (k,): the agent's optimal value in its own sense, NaN where not feasible; ``gradients`` (k, n): a gradient of the
    value with respect to the inputs (a subgradient where the value is convex, a supergradient where it is concave), NaN where
    none is known; ``responses`` (k, m): the agent's variables, columns named by ``response_names``, NaN where not feasible;
    ``leader`` (k,): the leader's objective in its own sense at input and response, NaN where not feasible;
    ``outcomes`` (k,): codes of :class:`Outcome`, made from ``feasible`` where they are not given. What is None was not computed.

    Raises ValueError for shapes that do not fit and for numbers that may not be there.
    """

    inputs: Floats
    feasible: Bools
    values: Floats
    gradients: Floats | None = None
    responses: Floats | None = None
    leader: Floats | None = None
    input_names: tuple[str, ...] = ()
    response_names: tuple[str, ...] = ()
    outcomes: Codes | None = None

    def __post_init__(self) -> None:
        if self.outcomes is None:
            codes = np.where(self.feasible, Outcome.OPTIMAL, Outcome.INFEASIBLE).astype(np.int8)
            object.__setattr__(self, "outcomes", codes)
        _check_shapes(self)
        if not np.isfinite(self.inputs).all():
            raise ValueError("inputs have to be finite")
        if not np.array_equal(self.feasible, np.isfinite(self.values)):
            raise ValueError("a value has to be finite where feasible, and NaN elsewhere")

    def __len__(self) -> int:
        return len(self.inputs)

    def subset(self, rows: npt.NDArray[np.int64] | Bools | slice | Sequence[int]) -> DataSet:
        """The samples of ``rows``: indices, flags (k,) or a slice."""
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            rows = rows if rows.size else rows.astype(np.int64)
        found = {name: None if array is None else array[rows] for name, array in self._arrays()}
        return DataSet(**found, input_names=self.input_names, response_names=self.response_names)  # type: ignore[arg-type]

    def split(self, share: float, seed: int) -> tuple[DataSet, DataSet]:
        """(the rest, a random ``share`` of 0 to 1): the same for the same seed and number of samples. Order is kept."""
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"share is {share}; it has to be from 0 to 1")
        order = np.random.Generator(np.random.Philox(seed)).permutation(len(self))
        held = np.zeros(len(self), dtype=bool)
        held[order[: round(share * len(self))]] = True
        return self.subset(~held), self.subset(held)

    def outcome_counts(self) -> dict[Outcome, int]:
        """How many samples ended in which way; every outcome is a key."""
        assert self.outcomes is not None
        return {outcome: int((self.outcomes == outcome).sum()) for outcome in Outcome}

    def content_hash(self) -> str:
        """SHA-256 of names and numbers, in hexadecimal: the same on every machine for the same samples in the same order."""
        digest = hashlib.sha256()
        for names in (self.input_names, self.response_names):
            digest.update("\0".join((str(len(names)), *names)).encode() + b"\0\0")
        for name, array in self._arrays():
            digest.update(f"{name}:{None if array is None else array.shape};".encode())
            if array is not None:
                digest.update(_canonical(array))
        return digest.hexdigest()

    def _arrays(self) -> list[tuple[str, npt.NDArray[np.generic] | None]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self) if not f.name.endswith("_names")]


def concatenated(parts: Iterable[DataSet]) -> DataSet:
    """The samples of all ``parts`` in their order. Raises ValueError for none, and where names or kinds of labels differ."""
    all_parts = list(parts)
    if not all_parts:
        raise ValueError("there is nothing to put together")
    first = all_parts[0]
    for part in all_parts[1:]:
        if (part.input_names, part.response_names) != (first.input_names, first.response_names):
            raise ValueError("data sets of different inputs or responses cannot be put together")
    found: dict[str, npt.NDArray[np.generic] | None] = {}
    for name, array in first._arrays():
        arrays = [getattr(part, name) for part in all_parts]
        if any((each is None) != (array is None) for each in arrays):
            raise ValueError(f"some data sets have {name} and some have not")
        found[name] = None if array is None else np.concatenate(arrays)
    return DataSet(**found, input_names=first.input_names, response_names=first.response_names)  # type: ignore[arg-type]


def _check_shapes(data: DataSet) -> None:
    if data.inputs.ndim != 2:
        raise ValueError(f"inputs have the shape {data.inputs.shape}; (samples, inputs) is needed")
    k, n = data.inputs.shape
    m = len(data.response_names)
    if data.responses is not None and not data.response_names:
        m = data.responses.shape[-1]
    wanted: dict[str, tuple[tuple[int, ...], type]] = {
        "inputs": ((k, n), np.float64),
        "feasible": ((k,), np.bool_),
        "values": ((k,), np.float64),
        "gradients": ((k, n), np.float64),
        "responses": ((k, m), np.float64),
        "leader": ((k,), np.float64),
        "outcomes": ((k,), np.int8),
    }
    for name, (shape, kind) in wanted.items():
        array = getattr(data, name)
        if array is not None and (array.shape != shape or array.dtype != kind):
            raise ValueError(f"{name} are {array.dtype} of shape {array.shape}; {np.dtype(kind)} of shape {shape} is needed")
    if data.input_names and len(data.input_names) != n:
        raise ValueError(f"{len(data.input_names)} names for {n} inputs")


def _canonical(array: npt.NDArray[np.generic]) -> bytes:
    """Little-endian bytes with one NaN and one zero."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array + 0.0)  # type: ignore[operator]
        return array.astype("<f8").tobytes()
    return array.astype(array.dtype.newbyteorder("<")).tobytes()
