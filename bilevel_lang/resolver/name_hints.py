"""Where a name or an index is wrong, and what may have been meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import AnyIndex, Label, Reference, Segment
from bilevel_lang.resolver.elements import Bindings, near_labels, segment_text

NAMES_SHOWN = 6


def make_a_component(name: str, value: Any) -> str:
    """The mend for a name that is an attribute of the model, yet none of its components."""
    if isinstance(value, (list, tuple, set, range, dict)):
        return f"`model.{name}` is a Python {type(value).__name__}: make it a `Set(initialize=...)` of the model"
    what = "an expression" if hasattr(value, "is_expression_type") else f"a Python {type(value).__name__}"
    return f"`model.{name}` is {what} without a component: write `model.{name} = Expression(expr=...)`"


def place_of(segment: Segment, reference: Reference) -> Span:
    """Where a message about a segment points; a reference that was not written in the annotation has one place for all."""
    return segment.span if segment.span.end else reference.span


def width(index: Any, bindings: Bindings) -> int:
    """How many labels one written index stands for: the index of a ``for`` over pairs stands for two."""
    if isinstance(index, Label) and not index.quoted and index.text in bindings:
        return len(bindings[index.text])
    return 1


def misfit(component: Any, segment: Segment, bindings: Bindings) -> str:
    """What is wrong with the indices of a segment that names no member."""
    given = sum(width(i, bindings) for i in segment.indices or ())
    if component.dim() not in (None, given):
        plural = "index" if component.dim() == 1 else "indices"
        return f"`{segment.name}` has {component.dim()} {plural}, `{segment_text(segment)}` gives {given}"
    return f"`{segment_text(segment)}` is not an element of `{segment.name}`{values_of(segment, bindings)}"


def bound_labels(segment: Segment, bindings: Bindings) -> list[str]:
    """The indices of a ``for`` that a segment uses."""
    used = (i.text for i in segment.indices or () if isinstance(i, Label) and not i.quoted and i.text in bindings)
    return list(dict.fromkeys(used))


def values_of(segment: Segment, bindings: Bindings) -> str:
    """What the indices of a ``for`` stand for at the moment, as far as the segment uses them."""
    return "".join(f" for {name} = {','.join(map(str, bindings[name]))}" for name in bound_labels(segment, bindings))


def index_help(component: Any, segment: Segment, bindings: Bindings) -> str:
    """The mend for it: the index or the label that may have been meant."""
    for index in segment.indices or ():
        if isinstance(index, Label) and index.text not in bindings:
            near = next((name for name in bindings if name.lower() == index.text.lower()), None)
            if near is not None:
                return f"the index of the `for` is written `{near}`"
    missing = (component.dim() or 0) - sum(width(i, bindings) for i in segment.indices or ())
    if missing > 0:
        filled = (*(segment.indices or ()), *[AnyIndex()] * missing)
        return f"`{segment_text(replace(segment, indices=filled))}` stands for all its elements there"
    help = near_labels(component, segment)
    loose = [i for i in segment.indices or () if isinstance(i, Label) and not i.quoted and i.text.isidentifier()]
    if loose and not bindings and "did you mean" not in help:
        help += f"; to go through all of them, write `for {loose[0].text} in SET: ...`"
    return help


def known_names(names: list[str], is_model: bool) -> str:
    """The mend for a name that is like no other: the first names that there are."""
    where = "the model" if is_model else "the block"
    if not names:
        return f"{where} is empty"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{where} has " + ", ".join(f"`{n}`" for n in names[:NAMES_SHOWN]) + more
