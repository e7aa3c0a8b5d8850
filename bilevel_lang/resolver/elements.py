"""From the indices a user wrote to the members of an indexed component.

An unquoted label stands for an integer, a number or a text, a quoted one for a text only; where no label matches exactly, one
that differs only in case does (EMP does not tell case). A label that matches two members is never guessed at.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bilevel_lang.grammar.leaves import AnyIndex, Index, Label, Segment

Key = tuple[Any, ...]
Bindings = Mapping[str, Key]
# The labels an index position may stand for; None stands for every label.
Pick = tuple[Key | None, ...]

INTEGER = re.compile(r"[+-]?[0-9]+")
DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
LABELS_COMPARED = 2000


class Element(NamedTuple):
    """One member of what a reference names; ``key`` holds the indices that the reference left open."""

    key: Key
    data: Any


# A member with all its labels.
Member = tuple[Key, Element]


class AmbiguousLabelError(Exception):
    """Written indices match several members; ``keys`` are the first two of them."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self.keys = tuple(keys)


class Elements:
    """Looks members up; remembers what it grouped, so that every member of a ``for`` is served by one pass."""

    def __init__(self) -> None:
        self._groups: dict[tuple[int, Key, bool], dict[Key, list[Member]]] = {}

    def all(self, component: Any) -> list[Element]:
        """Every member of a component, or the component itself where it has no index."""
        if not component.is_indexed():
            return [Element((), component)]
        if component.dim() == 1:
            return [Element((k,), data) for k, data in component.items()]
        return [Element(as_key(k), data) for k, data in component.items()]

    def at(self, component: Any, indices: Sequence[Index], bindings: Bindings) -> list[Element]:
        """The members that ``indices`` name; an empty list where there are none. Raises AmbiguousLabelError."""
        for folded in (False, True):
            picks = list(_picks(indices, bindings, folded))
            hits = [found for pick in picks if (found := self._lookup(component, pick, folded))]
            if len(hits) > 1:
                raise AmbiguousLabelError([found[0][0] for found in hits[:2]])
            if hits:
                return [element for _, element in hits[0]]
        return []

    def _lookup(self, component: Any, pick: Pick, folded: bool) -> list[Member]:
        """The members whose labels agree with ``pick``; AmbiguousLabelError if they agree up to case only, and several do."""
        if not folded and all(part is not None for part in pick):
            key = tuple(itertools.chain.from_iterable(p for p in pick if p is not None))
            index = key[0] if len(key) == 1 else key
            return [(key, Element((), component[index]))] if index in component else []
        width = sum(1 if part is None else len(part) for part in pick)
        if component.dim() not in (None, width):
            return []
        fixed = dict(_fixed(pick))
        group = self._group(component, tuple(fixed), width, folded)
        found = group.get(tuple(fixed.values()), [])
        if folded and len({tuple(key[i] for i in fixed) for key, _ in found}) > 1:
            raise AmbiguousLabelError([key for key, _ in found[:2]])
        return found

    def _group(self, component: Any, positions: Key, width: int, folded: bool) -> dict[Key, list[Member]]:
        """Members grouped by the labels at ``positions``."""
        cached = self._groups.get((id(component), positions, folded))
        if cached is not None:
            return cached
        table: dict[Key, list[Member]] = {}
        for k in component:
            key = as_key(k)
            if len(key) != width:
                continue
            rest = tuple(v for i, v in enumerate(key) if i not in positions)
            place = tuple(_folded(key[i]) if folded else key[i] for i in positions)
            table.setdefault(place, []).append((key, Element(rest, component[k])))
        self._groups[id(component), positions, folded] = table
        return table


def as_key(index: Any) -> Key:
    """A pyomo index as a tuple of labels."""
    if index is None:
        return ()
    return index if isinstance(index, tuple) else (index,)


def skipped(component: Any, indices: Sequence[Index], bindings: Bindings) -> bool:
    """Whether ``indices`` name a member that the model's rule left out (``Constraint.Skip``): in the index set, yet not there."""
    for pick in _picks(indices, bindings, folded=False):
        if any(part is None for part in pick):
            return False
        key = tuple(itertools.chain.from_iterable(p for p in pick if p is not None))
        if (key[0] if len(key) == 1 else key) in component.index_set():
            return True
    return False


def leaves_open(segment: Segment) -> bool:
    """Whether a segment has a ``*`` among its indices."""
    return segment.indices is not None and any(isinstance(i, AnyIndex) for i in segment.indices)


def segment_text(segment: Segment) -> str:
    """A segment as plain text, for messages."""
    if segment.indices is None:
        return segment.name
    inside = ",".join("*" if isinstance(i, AnyIndex) else f"{i.quote}{i.text}{i.quote}" for i in segment.indices)
    return segment.name + _bracketed(inside, segment)


def _bracketed(inside: str, segment: Segment) -> str:
    return f"[{inside}]" if segment.bracket == "[" else f"({inside})"


def label_text(key: Key, segment: Segment) -> str:
    """A member's labels as they are written after its name; texts that read as numbers in quotes."""
    quoted = (f"'{part}'" if isinstance(part, str) and len(_readings(part)) > 1 else str(part) for part in key)
    return _bracketed(",".join(quoted), segment)


def near_labels(component: Any, segment: Segment) -> str:
    """A hint for indices that name no member: near ones, or some that exist."""
    wanted = ",".join(i.text if isinstance(i, Label) else "*" for i in segment.indices or ())
    labels = {",".join(map(str, as_key(k))): as_key(k) for k in itertools.islice(component, LABELS_COMPARED)}
    if not labels:
        return f"`{segment.name}` has no elements"
    near = [wanted] if wanted in labels else difflib.get_close_matches(wanted, list(labels), n=2, cutoff=0.6)
    listed = [f"`{segment.name}{label_text(labels[label], segment)}`" for label in near or list(labels)[:3]]
    if near:
        return f"did you mean {' or '.join(listed)}?"
    if len(labels) == 1:
        return f"its only element is {listed[0]}"
    return "its elements are " + ", ".join(listed) + (", ..." if len(labels) > 3 else "")


def _picks(indices: Sequence[Index], bindings: Bindings, folded: bool) -> Iterator[Pick]:
    """Every way in which the written indices can be read."""
    for pick in itertools.product(*(_choices(i, bindings) for i in indices)):
        yield tuple(None if part is None else tuple(_folded(p) for p in part) for part in pick) if folded else pick


def _choices(index: Index, bindings: Bindings) -> list[Key | None]:
    """The labels that one written index may stand for."""
    if isinstance(index, AnyIndex):
        return [None]
    if index.quoted:
        return [(index.text,)]
    if index.text in bindings:
        return [bindings[index.text]]
    return [(reading,) for reading in _readings(index.text)]


def _readings(text: str) -> list[Any]:
    """What an unquoted label may mean: the text, and the number where it reads as one."""
    if INTEGER.fullmatch(text):
        return [text, int(text)]
    return [text, float(text)] if DECIMAL.fullmatch(text) else [text]


def _folded(label: Any) -> Any:
    return label.lower() if isinstance(label, str) else label


def _fixed(pick: Pick) -> Iterator[tuple[int, Any]]:
    """Position and label of every position that is not open."""
    position = 0
    for part in pick:
        for value in part if part is not None else (None,):
            if part is not None:
                yield position, value
            position += 1
