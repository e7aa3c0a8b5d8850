"""From a reference of the annotation to component data of the model.

Names match exactly first, then by a unique case-insensitive match (EMP does not tell case, Pyomo does); ``elements.py`` has the
rules for indices.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import AnyIndex, Reference, Segment
from bilevel_lang.resolver.elements import (
    AmbiguousLabelError,
    Bindings,
    Element,
    Elements,
    Key,
    as_key,
    label_text,
    leaves_open,
    segment_text,
    skipped,
)
from bilevel_lang.resolver.kinds import a_kind, kind_of
from bilevel_lang.resolver.name_hints import (
    bound_labels,
    index_help,
    known_names,
    make_a_component,
    misfit,
    place_of,
    values_of,
    width,
)
from bilevel_lang.resolver.report import Report

BLOCKS_SEARCHED = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference names: its kind and its members, in the model's order (none where the model has none)."""

    kind: str
    elements: tuple[Element, ...]
    reference: Reference

    @property
    def span(self) -> Span:
        """Where the annotation names it."""
        return self.reference.span

    @property
    def text(self) -> str:
        """The reference as it is written, without its sign."""
        return spelled(self.reference)


def spelled(reference: Reference) -> str:
    """The reference as plain text, for messages."""
    return ".".join(segment_text(s) for s in reference.segments)


class Names:
    """Looks references up in one model; mistakes go to the report."""

    def __init__(self, model: Any, report: Report) -> None:
        self.model = model
        self._report = report
        self._elements = Elements()
        self._folded: dict[int, dict[str, list[str]]] = {}
        self._prefixes: set[str] = set()
        self._empty_slices: dict[int, tuple[Reference, Bindings]] = {}
        self._met: set[int] = set()

    def find(self, reference: Reference, bindings: Bindings) -> Found | None:
        """The members ``reference`` names, or None after an error (E1, E2, E19) was reported.

        No members, and no error, where the model left them out: an empty index set, or ``Constraint.Skip``.
        """
        places = [Element((), self.model)]
        kind = "block"
        for depth, segment in enumerate(reference.segments):
            if depth and not self._are_blocks(places, reference, depth):
                return None
            found = self._step(places, segment, reference, bindings)
            if found is None:
                return None
            kind, places = found
        if places:
            self._met.add(id(reference))
        else:
            self._nothing(kind, reference, bindings)
        return Found(kind, tuple(places), reference)

    def members(self, reference: Reference, bindings: Bindings) -> list[Key] | None:
        """The members of a Set as key tuples, for ``for s in S``; None after an error was reported."""
        found = self.find(reference, bindings)
        if found is None:
            return None
        help = "after `in` comes a Set or RangeSet of the model"
        if found.kind != "set":
            self._report.error("E2", f"`{found.text}` is {a_kind(found.kind)}, not a set", found.span, help)
        elif len(found.elements) != 1:
            outer = next(reversed(list(bindings)), "s")
            help = f"write `{found.text}({outer})` with the index of an outer `for`, or name one of its elements"
            self._report.error("E2", f"`{found.text}` is an indexed set: it has several sets of members", found.span, help)
        elif not found.elements[0].data.isfinite():
            self._report.error("E2", f"`{found.text}` is an infinite set", found.span, help)
        else:
            return [as_key(member) for member in found.elements[0].data]
        return None

    def complain_of_empty_slices(self) -> list[Span]:
        """E19 for what no member of its ``for`` has: the index is probably at the wrong place, or runs over the wrong set.

        Returns the places.
        """
        places = []
        for key, (reference, bindings) in self._empty_slices.items():
            if key not in self._met:
                said = f"`{spelled(reference)}` has no elements for any member of the `for`"
                help = f"check the place of `{'`, `'.join(bindings)}` among the indices, and the set after `in`"
                self._report.error("E19", said, reference.span, help)
                places.append(reference.span)
        return places

    def _step(
        self, places: Iterable[Element], segment: Segment, reference: Reference, bindings: Bindings
    ) -> tuple[str, list[Element]] | None:
        """From blocks to what ``segment`` names in them; None after an error was reported."""
        kind = "block"
        members: list[Element] = []
        for place in places:
            component = self._component(place.data, segment, reference)
            if component is None:
                return None
            if members and kind_of(component) != kind:
                said = f"`{segment.name}` is {a_kind(kind)} in one block and {a_kind(kind_of(component))} in another"
                self._report.error("E2", said, place_of(segment, reference), "name the elements of one kind only")
                return None
            kind = kind_of(component)
            found = self._members(component, segment, reference, bindings)
            if found is None:
                return None
            members += [Element(place.key + e.key, e.data) for e in found] if place.key else found
        return kind, members

    def _are_blocks(self, places: Iterable[Element], reference: Reference, depth: int) -> bool:
        for place in places:
            if not hasattr(place.data, "component_map"):
                segment, part = reference.segments[depth - 1], reference.segments[depth].name
                kind = kind_of(place.data.parent_component()) if hasattr(place.data, "parent_component") else "value"
                said = f"`{segment_text(segment)}` is {a_kind(kind)}, not a block: it has no part `{part}`"
                self._report.error("E2", said, place_of(segment, reference), f"write `{segment_text(segment)}` alone")
                return False
        return True

    # --- Names.

    def _component(self, block: Any, segment: Segment, reference: Reference) -> Any:
        component = block.component(segment.name)
        if component is not None:
            return component
        folded = self._folded_names(block).get(segment.name.lower(), [])
        if len(folded) == 1:
            return block.component(folded[0])
        span = place_of(segment, reference)
        if folded:
            several = " or ".join(f"`{name}`" for name in folded)
            self._report.error("E1", f"`{segment.name}` could be {several}", span, "write it in the model's own case")
        elif self._is_prefix(block, segment, reference):
            if segment.name not in self._prefixes:
                self._prefixes.add(segment.name)
                rest = ".".join(segment_text(s) for s in reference.segments[1:])
                help = f"names are looked up in the model: write `{rest}` without `{segment.name}.`, here and everywhere"
                self._report.error("E1", f"nothing in the model is named `{segment.name}`", span, help)
        elif not self._report.has_error_at("E1", span):
            where = "the model" if block is self.model else f"block `{block.name}`"
            said = f"nothing in {where} is named `{segment.name}`"
            self._report.error("E1", said, span, self._where_else(block, segment))
        return None

    def _folded_names(self, block: Any) -> dict[str, list[str]]:
        if id(block) not in self._folded:
            table: dict[str, list[str]] = {}
            for name in block.component_map():
                table.setdefault(name.lower(), []).append(name)
            self._folded[id(block)] = table
        return self._folded[id(block)]

    def _is_prefix(self, block: Any, segment: Segment, reference: Reference) -> bool:
        """Whether a name is the modeller's own for the whole model, as in ``m.x``."""
        if block is not self.model or segment is not reference.segments[0] or segment.indices is not None:
            return False
        return len(reference.segments) > 1 and block.component(reference.segments[1].name) is not None

    def _where_else(self, block: Any, segment: Segment) -> str:
        """The mend for an unknown name: what may have been meant."""
        name = segment.name
        if name in vars(block):
            return make_a_component(name, vars(block)[name])
        table = self._folded_names(block)
        near = difflib.get_close_matches(
            name.lower(), [n for n in table if not n.startswith("_")], n=2, cutoff=0.6 if len(name) > 3 else 0.5
        )
        if near:
            return "did you mean " + " or ".join(f"`{original}`" for n in near for original in table[n]) + "?"
        inner = itertools.islice(block.block_data_objects(), 1, BLOCKS_SEARCHED)
        deeper = next((b for b in inner if b.component(name) is not None), None)
        if deeper is not None:
            return f"did you mean `{deeper.name}.{name}`?"
        return known_names([n for n in block.component_map() if not n.startswith("_")], block is self.model)

    # --- Indices.

    def _members(self, component: Any, segment: Segment, reference: Reference, bindings: Bindings) -> list[Element] | None:
        if segment.indices is None:
            absent = (
                not component.is_indexed() and kind_of(component) in ("row", "objective", "expression") and None not in component
            )
            return [] if absent else self._elements.all(component)
        if not component.is_indexed():
            said = f"`{segment.name}` has no index, `{segment_text(segment)}` gives one"
            self._report.error("E19", said, place_of(segment, reference), f"write `{segment.name}` alone")
            return None
        if component.dim() != 1 and len(segment.indices) == 1 and isinstance(segment.indices[0], AnyIndex):
            return self._elements.all(component)  # `x(*)` stands for the whole symbol, of whatever dimension
        try:
            found = self._elements.at(component, segment.indices, bindings)
        except AmbiguousLabelError as ambiguous:
            both = " and ".join(f"`{segment.name}{label_text(key, segment)}`" for key in ambiguous.keys)
            help = "write the label in the model's own case"
            if any(str(a) == str(b) for a, b in zip(*ambiguous.keys, strict=True)):
                help = "quotes mean the text; to name the number, give one of the two another label in the model"
            said = f"`{segment_text(segment)}` matches both {both}"
            self._report.error("E19", said, place_of(segment, reference), help)
            return None
        return found if found else self._absent(component, segment, reference, bindings)

    def _absent(self, component: Any, segment: Segment, reference: Reference, bindings: Bindings) -> list[Element] | None:
        """No member: fine if the model skipped it, or for a slice within ``for``; else E19."""
        indices = segment.indices or ()
        fits = component.dim() in (None, sum(width(i, bindings) for i in indices))
        if fits and leaves_open(segment) and bound_labels(segment, bindings):
            return []
        span = place_of(segment, reference)
        if fits and skipped(component, indices, bindings):
            said = f"`{segment_text(segment)}`{values_of(segment, bindings)} is not in the model: its rule skipped it"
            self._report.notice("E19", said, span)
            return []
        if not self._report.has_error_at("E19", span):
            self._report.error("E19", misfit(component, segment, bindings), span, index_help(component, segment, bindings))
        return None

    def _nothing(self, kind: str, reference: Reference, bindings: Bindings) -> None:
        said = f"`{spelled(reference)}` has no elements in this model: its index set is empty, or its rule skipped them"
        if bindings:
            # Some members of a `for` may do without: `complain_of_empty_slices` looks at all of them together.
            self._empty_slices.setdefault(id(reference), (reference, bindings))
            return
        if any(s.indices is not None and not leaves_open(s) for s in reference.segments):
            return  # an element that was skipped: that was noticed when it was looked up
        self._report.warning("E19", said, reference.span, f"take the {kind} out of the annotation, if it is meant to be empty")
