"""From a reference of the annotation to component data of the model.

Names match exactly first, then by a unique case-insensitive match (EMP does not tell case, Pyomo does). An unquoted label
stands for an integer, a number or a string; a quoted one for a string only.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.mpec import Complementarity

from bilevel_lang.errors import Span
from bilevel_lang.grammar.syntax import AnyIndex, Label, Reference, Segment
from bilevel_lang.resolver.report import Report

Key = tuple[Any, ...]
Bindings = Mapping[str, Key]

KINDS: tuple[tuple[Any, str], ...] = (
    (pyo.Var, "variable"),
    (pyo.Constraint, "row"),
    (pyo.Objective, "objective"),
    (pyo.Expression, "expression"),
    (pyo.Param, "parameter"),
    (pyo.Set, "set"),
    (pyo.RangeSet, "set"),
    (pyo.Block, "block"),
    (Complementarity, "complementarity condition"),
)


@dataclass(frozen=True, slots=True)
class Element:
    """One member of what a reference names; ``key`` holds the indices that the reference left open."""

    key: Key
    data: Any


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference names: its kind and its members, in the model's order."""

    kind: str
    elements: tuple[Element, ...]
    reference: Reference
    whole: bool
    """Whether the reference left indices open (a whole symbol or a slice)."""

    @property
    def span(self) -> Span:
        """Where the annotation names it."""
        return self.reference.span


def kind_of(component: Any) -> str:
    """``variable``, ``row``, ... ; the type's own name for what EMP has no word for."""
    return next((word for ctype, word in KINDS if component.ctype is ctype), component.ctype.__name__)


def spelled(reference: Reference) -> str:
    """The reference as plain text, for messages."""
    return ".".join(_segment_text(s) for s in reference.segments)


class Names:
    """Looks references up in one model; mistakes go to the report."""

    def __init__(self, model: Any, report: Report) -> None:
        self.model = model
        self._report = report
        self._groups: dict[tuple[int, tuple[int, ...]], dict[Key, list[Element]]] = {}
        self._folded: dict[int, dict[str, list[str]]] = {}

    def find(self, reference: Reference, bindings: Bindings) -> Found | None:
        """The members ``reference`` names, or None after an error was reported (E1, E19)."""
        places: list[Element] = [Element((), self.model)]
        for segment in reference.segments[:-1]:
            places = [e for place in places for e in self._step(place, segment, reference, bindings)]
            places = [p for p in places if self._is_block(p, segment, reference)]
        last = reference.segments[-1]
        elements: list[Element] = []
        kind = ""
        for place in places:
            component = self._component(place.data, last, reference)
            if component is None:
                return None
            kind = kind_of(component)
            elements += [Element(place.key + e.key, e.data) for e in self._members(component, last, reference, bindings)]
        if not elements:
            return self._nothing(places, kind, reference, bindings)
        whole = any(_leaves_open(s) for s in reference.segments) or elements[0].key != ()
        return Found(kind, tuple(elements), reference, whole)

    def members(self, reference: Reference, bindings: Bindings) -> list[Key] | None:
        """The members of a Set as key tuples, for ``for s in S``; None after an error was reported."""
        found = self.find(reference, bindings)
        if found is None:
            return None
        if found.kind != "set" or len(found.elements) != 1:
            said = f"`{spelled(reference)}` is a {found.kind}, not a set" if found.kind != "set" else "an indexed set needs its index"
            self._report.error("E2", said, reference.span, "name a pyomo Set of the model after `in`")
            return None
        return [_as_key(member) for member in found.elements[0].data]

    def _step(self, place: Element, segment: Segment, reference: Reference, bindings: Bindings) -> Iterator[Element]:
        component = self._component(place.data, segment, reference)
        if component is None:
            return
        for element in self._members(component, segment, reference, bindings):
            yield Element(place.key + element.key, element.data)

    def _is_block(self, place: Element, segment: Segment, reference: Reference) -> bool:
        if hasattr(place.data, "component_map"):
            return True
        said = f"`{segment.name}` is a {kind_of(place.data.parent_component())}, not a block: it has no parts"
        self._report.error("E2", said, reference.span)
        return False

    def _component(self, block: Any, segment: Segment, reference: Reference) -> Any:
        component = block.component(segment.name)
        if component is not None:
            return component
        folded = self._folded_names(block).get(segment.name.lower(), [])
        if len(folded) == 1:
            return block.component(folded[0])
        span = segment.span if segment.span.end else reference.span
        if folded:
            several = " and ".join(f"`{name}`" for name in folded)
            self._report.error("E1", f"`{segment.name}` could be {several}", span, "write it in the model's own case")
        else:
            self._unknown(block, segment, span)
        return None

    def _unknown(self, block: Any, segment: Segment, span: Span) -> None:
        names = [name for name in block.component_map() if not name.startswith("_")]
        near = difflib.get_close_matches(segment.name, names, n=2, cutoff=0.6)
        where = "the model" if block is self.model else f"block `{block.name}`"
        help = "did you mean " + " or ".join(f"`{n}`" for n in near) + "?" if near else _known(names, where)
        self._report.error("E1", f"nothing in {where} is named `{segment.name}`", span, help)

    def _folded_names(self, block: Any) -> dict[str, list[str]]:
        if id(block) not in self._folded:
            table: dict[str, list[str]] = {}
            for name in block.component_map():
                table.setdefault(name.lower(), []).append(name)
            self._folded[id(block)] = table
        return self._folded[id(block)]

    def _members(self, component: Any, segment: Segment, reference: Reference, bindings: Bindings) -> list[Element]:
        if segment.indices is None:
            return self._all(component)
        if not component.is_indexed():
            said = f"`{segment.name}` has no index"
            self._report.error("E19", said, reference.span, f"write `{segment.name}` alone")
            return []
        if all(isinstance(i, AnyIndex) for i in segment.indices) and len(segment.indices) == 1 and _dimension(component) != 1:
            # `x(*)` on a symbol of several dimensions: a lone star stands for the whole symbol.
            return self._all(component)
        return self._indexed(component, segment, reference, bindings)

    def _all(self, component: Any) -> list[Element]:
        if not component.is_indexed():
            # A scalar row that was skipped, or an empty scalar expression, has no data.
            return [Element((), component)] if kind_of(component) == "set" or None in component else []
        return [Element(_as_key(k), component[k]) for k in component]

    def _indexed(self, component: Any, segment: Segment, reference: Reference, bindings: Bindings) -> list[Element]:
        choices: list[list[Key] | None] = [self._choices(i, bindings) for i in segment.indices or ()]
        found: dict[int, Element] = {}
        for pick in itertools.product(*([None] if c is None else c for c in choices)):
            for element in self._lookup(component, pick):
                found.setdefault(id(element.data), element)
        elements = list(found.values())
        if not any(c is None for c in choices):
            return self._exactly_one(component, elements, segment, reference, bindings)
        if not elements and not bindings:
            self._no_such_element(component, segment, reference)
        return elements

    def _exactly_one(
        self, component: Any, elements: list[Element], segment: Segment, reference: Reference, bindings: Bindings
    ) -> list[Element]:
        if not elements:
            elements = self._by_loose_text(component, segment, bindings)
        if len(elements) == 1:
            return elements
        if elements:
            labels = " and ".join(_label_text(e.data.index()) for e in elements)
            said = f"`{_segment_text(segment)}` matches both {labels}"
            self._report.error("E19", said, reference.span, "quote the label to mean the text")
        else:
            self._no_such_element(component, segment, reference)
        return []

    def _by_loose_text(self, component: Any, segment: Segment, bindings: Bindings) -> list[Element]:
        """Members whose labels read as written up to case (EMP labels do not tell case)."""
        indices = segment.indices or ()
        if any(isinstance(i, AnyIndex) or (not i.quoted and i.text in bindings) for i in indices):
            return []
        keys = (k for k in component if _reads_alike(_as_key(k), indices))
        return [Element((), component[k]) for k in keys]

    def _choices(self, index: Any, bindings: Bindings) -> list[Key] | None:
        """The key parts one written index may stand for; None = any."""
        if isinstance(index, AnyIndex):
            return None
        if index.quoted:
            return [(index.text,)]
        if index.text in bindings:
            return [bindings[index.text]]
        return [(value,) for value in _readings(index.text)]

    def _lookup(self, component: Any, pick: tuple[Key | None, ...]) -> list[Element]:
        """Members of ``component`` whose key agrees with ``pick`` (None = any one position)."""
        if all(part is not None for part in pick):
            key = tuple(itertools.chain.from_iterable(p for p in pick if p is not None))
            index = key[0] if len(key) == 1 else key
            return [Element((), component[index])] if index in component else []
        width = sum(1 if p is None else len(p) for p in pick)
        if _dimension(component) not in (None, width):
            return []
        fixed: dict[int, Any] = {}
        position = 0
        for part in pick:
            if part is None:
                position += 1
                continue
            for value in part:
                fixed[position] = value
                position += 1
        group = self._group(component, tuple(fixed), width)
        return group.get(tuple(fixed.values()), [])

    def _group(self, component: Any, positions: tuple[int, ...], width: int) -> dict[Key, list[Element]]:
        """Members grouped by the labels at ``positions``: one pass serves every member of a ``for``."""
        cached = self._groups.get((id(component), positions))
        if cached is not None:
            return cached
        table: dict[Key, list[Element]] = {}
        for k in component:
            key = _as_key(k)
            if len(key) != width:
                continue
            rest = tuple(v for i, v in enumerate(key) if i not in positions)
            table.setdefault(tuple(key[i] for i in positions), []).append(Element(rest, component[k]))
        self._groups[id(component), positions] = table
        return table

    def _no_such_element(self, component: Any, segment: Segment, reference: Reference) -> None:
        given = len(segment.indices or ())
        dimension = _dimension(component)
        said = f"`{_segment_text(segment)}` is not an element of `{segment.name}`"
        if dimension is not None and given != dimension:
            said = f"`{segment.name}` has {_count(dimension, 'index', 'indices')}, {given} given"
        self._report.error("E19", said, reference.span, _near_labels(component, segment))

    def _nothing(self, places: list[Element], kind: str, reference: Reference, bindings: Bindings) -> Found | None:
        if self._already_reported(reference):
            return None
        if bindings and any(_leaves_open(s) for s in reference.segments):
            # Within `for`, a slice may be empty for some members; the agent as a whole is checked later.
            return Found(kind, (), reference, True)
        if places:
            self._report.error("E19", f"`{spelled(reference)}` has no elements in this model", reference.span)
        return None

    def _already_reported(self, reference: Reference) -> bool:
        return any(d.span == reference.span and d.severity == "error" for d in self._report.diagnostics)


def _readings(text: str) -> list[Any]:
    """What an unquoted label may mean: the text, and the number where it reads as one."""
    readings: list[Any] = [text]
    for number in (int, float):
        try:
            readings.append(number(text))
        except ValueError:
            continue
        break
    return readings


def _reads_alike(key: Key, indices: tuple[Any, ...]) -> bool:
    return len(key) == len(indices) and all(
        str(part).lower() == index.text.lower() and (isinstance(part, str) or not index.quoted)
        for part, index in zip(key, indices, strict=True)
    )


def _as_key(index: Any) -> Key:
    return index if isinstance(index, tuple) else (index,)


def _dimension(component: Any) -> int | None:
    return component.dim() if component.is_indexed() else 0


def _leaves_open(segment: Segment) -> bool:
    return segment.indices is not None and any(isinstance(i, AnyIndex) for i in segment.indices)


def _segment_text(segment: Segment) -> str:
    if segment.indices is None:
        return segment.name
    inside = ",".join("*" if isinstance(i, AnyIndex) else f"{i.quote}{i.text}{i.quote}" for i in segment.indices)
    return f"{segment.name}({inside})"


def _label_text(index: Any) -> str:
    return "(" + ", ".join(repr(part) for part in _as_key(index)) + ")"


def _near_labels(component: Any, segment: Segment) -> str:
    wanted = ",".join(i.text if isinstance(i, Label) else "*" for i in segment.indices or ())
    labels = [",".join(str(part) for part in _as_key(k)) for k in itertools.islice(component, 2000)]
    near = difflib.get_close_matches(wanted, labels, n=2, cutoff=0.5)
    shown = near or labels[:3]
    if not shown:
        return f"`{segment.name}` has no elements"
    more = ", ..." if not near and len(labels) > 3 else ""
    listed = ", ".join(f"{segment.name}({label})" for label in shown) + more
    return f"did you mean {listed}?" if near else f"its elements are {listed}"


def _known(names: Iterable[str], where: str) -> str:
    shown = list(names)[:6]
    return f"{where} has " + ", ".join(f"`{n}`" for n in shown) if shown else f"{where} is empty"


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one}" if n == 1 else f"{n} {many}"
