"""From statements to agents in the making: what each one lists, before ownership is settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import Item, Label, Number, Reference, Wildcard
from bilevel_lang.grammar.syntax import ForEach, Optimise, Statement
from bilevel_lang.problem import AgentKind
from bilevel_lang.resolver.activity import active_members, bounds_known
from bilevel_lang.resolver.elements import Bindings, Key
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Found, Names, spelled
from bilevel_lang.resolver.pairs import members
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import Sharing


@dataclass(eq=False, slots=True)
class Listed:
    """One variable or row as an agent lists it."""

    data: Any
    span: Span
    flipped: bool = False


@dataclass(eq=False)
class DraftFunction:
    """One F_i of a VI: ``source`` is an Expression or ConstraintData, None for the zero function."""

    variable: Any
    source: Any
    span: Span
    flipped: bool = False
    twin: Any = None
    """The variable that stands for ``variable`` in the rows of a ``qvi``."""


@dataclass(eq=False)
class Draft:
    """An agent as the annotation lists it; filled here, settled by the ownership rules."""

    kind: AgentKind
    span: Span
    where: str = ""
    objective: Any = None
    objective_kind: str = ""
    objective_span: Span | None = None
    variables: list[Listed] = field(default_factory=list)
    rows: list[Listed] = field(default_factory=list)
    functions: list[DraftFunction] = field(default_factory=list)
    wildcard: Span | None = None
    name: str = ""
    keyword: str = ""
    """The statement where it is not ``kind``: ``qvi`` or ``dualequ``."""
    penalty: Any = 0
    """What ``adjustequ`` adds to the objective, with the sign that the agent's sense takes."""
    broken: bool = False
    """Whether a mistake was already reported inside it, so that follow-up complaints stay away."""

    @property
    def word(self) -> str:
        """The keyword as messages give it."""
        return self.keyword or self.kind

    def add_penalty(self, cost: Any, slacks: list[Any], span: Span) -> None:
        """A row of the agent has become soft: its slacks are the agent's, and so is their price."""
        self.penalty = self.penalty + cost
        self.variables += [Listed(slack, span) for slack in slacks]

    @property
    def quoted(self) -> str:
        """The name as messages give it."""
        return f"`{self.name}`"


def instances(statement: Statement, names: Names, report: Report) -> Iterator[tuple[Statement, Bindings]]:
    """The statement itself, or the one it governs once for every member of a ``for``."""
    if not isinstance(statement, ForEach):
        yield statement, {}
        return
    if not _sound_bindings(statement, report):
        return
    before = report.has_errors
    count = 0
    for bindings in _bindings(statement, 0, {}, names):
        count += 1
        yield statement.statement, bindings
    if count == 0 and report.has_errors == before:
        last = statement.bindings[-1]
        said = "the `for` runs over no members: there is no such agent"
        report.error("E18", said, last.set.span, "give the set members, or take the statement out")


def _sound_bindings(statement: ForEach, report: Report) -> bool:
    """E17 for an index bound twice, E3 for one that the statement does not use: its agents would all be the same."""
    sound = True
    used = set(_labels(statement))
    for place, binding in enumerate(statement.bindings):
        if any(b.name == binding.name for b in statement.bindings[:place]):
            said = f"`{binding.name}` is the index of two `for` ranges"
            report.error("E17", said, binding.span, "give the second one another name")
            sound = False
        elif binding.name not in used:
            said = f"index `{binding.name}` is not used in the statement: every member would give the same agent again"
            report.error("E3", said, binding.span, f"use it as an index, as in `x({binding.name})`, or drop the `for`")
            sound = False
    return sound


def _labels(node: Any) -> Iterator[str]:
    """The unquoted labels anywhere inside a statement."""
    if isinstance(node, Label):
        if not node.quoted:
            yield node.text
    elif isinstance(node, tuple):
        for part in node:
            yield from _labels(part)
    elif hasattr(node, "__dataclass_fields__"):
        for name in node.__dataclass_fields__:
            yield from _labels(getattr(node, name))


def _bindings(statement: ForEach, depth: int, bound: dict[str, Key], names: Names) -> Iterator[dict[str, Key]]:
    if depth == len(statement.bindings):
        yield dict(bound)
        return
    binding = statement.bindings[depth]
    for member in names.members(binding.set, bound) or ():
        yield from _bindings(statement, depth + 1, {**bound, binding.name: member}, names)


class Drafter:
    """What optimisers list; ``sharing`` holds what may be in several of them."""

    def __init__(self, names: Names, report: Report, sharing: Sharing | None = None) -> None:
        self.names = names
        self.report = report
        self._sharing = sharing or Sharing()
        self._listed_once: set[int] = set()

    def is_repeated(self, reference: Reference, bindings: Bindings) -> bool:
        """Whether an earlier member of the ``for`` has listed this very reference; then E3 was reported.

        Without it every member would list the whole symbol again, and every element would be reported as owned twice.
        """
        if not bindings or any(label in bindings for label in _labels(reference)):
            return False
        if id(reference) not in self._listed_once:
            self._listed_once.add(id(reference))
            return False
        if self._may_be_shared(reference, bindings):
            return False
        text = spelled(reference)
        said = f"`{text}` is listed by every agent of the `for`"
        if not any(self.report.has_error_at(code, reference.span) for code in ("E1", "E2", "E3", "E19")):
            index = next(iter(bindings))
            example = "" if "(" in text or "[" in text else f", as in `{text}({index})`"
            help = f"every variable and every row has one owner: use the index `{index}` in it{example}"
            self.report.error("E3", said, reference.span, help)
        return True

    def _may_be_shared(self, reference: Reference, bindings: Bindings) -> bool:
        if not self._sharing.rows and not self._sharing.states:
            return False
        found = self.names.find(reference, bindings)
        return found is not None and self._sharing.covers(e.data for e in found.elements)

    def optimiser(self, statement: Optimise, bindings: Bindings) -> Draft:
        """A ``min`` or ``max`` agent."""
        draft = Draft(statement.sense, statement.span, where(bindings))
        self._objective(draft, statement.objective, bindings)
        for item in statement.items:
            self._list_item(draft, item, bindings)
        return draft

    def _objective(self, draft: Draft, reference: Reference, bindings: Bindings) -> None:
        draft.objective_span = reference.span
        found = self.names.find(reference, bindings)
        if found is None:
            draft.broken = True
            return
        if reference.negated:
            other = "max" if draft.kind == "min" else "min"
            help = f"write `{other} {found.text}`"
            self.report.error("E16", f"`-{found.text}`: an objective cannot be flipped", reference.span, help)
        if found.kind not in ("objective", "expression", "variable"):
            said = f"`{found.text}` is {a_kind(found.kind)}, an objective is expected after `{draft.kind}`"
            self.report.error("E2", said, reference.span, "name an Objective, an Expression or an objective variable")
            draft.broken = True
        elif len(found.elements) != 1:
            self._not_one_objective(draft, found)
        elif found.kind != "variable" and found.elements[0].data.expr is None:
            said = f"{found.kind} `{found.text}` has no expression"
            self.report.error("M1", said, reference.span, "give it one in the model")
            draft.broken = True
        else:
            draft.objective = found.elements[0].data
            draft.objective_kind = found.kind
            self._check_sense(draft, found)

    def _not_one_objective(self, draft: Draft, found: Found) -> None:
        segments = found.reference.segments
        if found.elements:
            said = f"`{found.text}` has {members(found)}, an agent has one objective"
            example = f"{segments[0].name}(i)" if len(segments) == 1 else f"{segments[0].name}(i).{segments[1].name}"
            help = f"give the element, or write `for i in SET: {draft.kind} {example} ...` for one agent each"
            self.report.error("E6", said, found.span, help)
        else:
            self.report.error("E18", f"`{found.text}` has no elements: the agent has no objective", found.span)
        draft.broken = True

    def _check_sense(self, draft: Draft, found: Found) -> None:
        if found.kind != "objective":
            return
        declared = "min" if draft.objective.is_minimizing() else "max"
        if declared != draft.kind:
            said = f"objective `{found.text}` is a `{declared}` in the model; the annotation says `{draft.kind}`, and that counts"
            self.report.warning("E16", said, found.span, f"write `{declared} {found.text}`, or change the model")

    def _list_item(self, draft: Draft, item: Item, bindings: Bindings) -> None:
        if isinstance(item, Wildcard):
            self.take_wildcard(draft, item, bool(draft.rows))
            return
        if isinstance(item, Number):
            self.report.error("E2", f"`{item.text}` is a number, a variable or a row is expected", item.span)
            draft.broken = True
            return
        found = None if self.is_repeated(item, bindings) else self.names.find(item, bindings)
        if found is None:
            draft.broken = True
        elif found.kind == "variable":
            self._list_variables(draft, found)
        elif found.kind == "row":
            self.list_rows(draft, found)
        else:
            self.wrong_kind(draft, found)

    def take_wildcard(self, draft: Draft, item: Wildcard, late: bool) -> None:
        """``*`` among the items of an agent, E5 where it comes too late or twice."""
        if draft.wildcard is not None:
            self.report.error("E5", "a second `*` in one agent", item.span, "one `*` takes all that is left")
        elif late:
            said = "`*` stands for variables, and it comes after a row or a function here"
            help = "write it before them; rows are always listed by name"
            self.report.error("E5", said, item.span, help)
        draft.wildcard = draft.wildcard or item.span

    def _list_variables(self, draft: Draft, found: Found) -> None:
        if found.reference.negated:
            said = f"`-{found.text}`: only rows and functions can be flipped, `{found.text}` is a variable"
            self.report.error("E2", said, found.span, "drop the `-`")
        span = found.span
        for element in found.elements:
            data = element.data
            if bounds_known(data) or self.has_known_bounds(draft, "variable", data, found):
                draft.variables.append(Listed(data, span))

    def list_rows(self, draft: Draft, found: Found) -> None:
        """The rows a reference names, without those that are deactivated."""
        active = active_members(found.elements)
        off = len(found.elements) - len(active)
        if off:
            said = f"`{found.text}` is deactivated and left out"
            if len(found.elements) > 1:
                said = f"{off} of the {members(found)} of `{found.text}` are deactivated and left out"
            self.report.notice("E19", said, found.span)
        span, flipped = found.span, found.reference.negated
        for element in active:
            data = element.data
            if bounds_known(data) or self.has_known_bounds(draft, "row", data, found):
                draft.rows.append(Listed(data, span, flipped))

    def has_known_bounds(self, draft: Draft, word: str, data: Any, found: Found) -> bool:
        """False after M1 was reported: a mutable parameter in a bound has no value."""
        if bounds_known(data):
            return True
        said = f"a bound of {word} `{data.name}` has no value: a parameter in it is not set"
        self.report.error("M1", said, found.span, "give the parameter a value in the model")
        draft.broken = True
        return False

    def wrong_kind(self, draft: Draft, found: Found) -> None:
        """E2 for an item that no agent of this kind can list."""
        expected = "a function, a variable or a row" if draft.kind == "vi" else "a variable or a row"
        said = f"`{found.text}` is {a_kind(found.kind)}, {expected} is expected here"
        help = _KIND_HELP.get(found.kind, "")
        if found.kind == "expression" and draft.kind != "vi":
            help = "an agent has one objective, the first name after its keyword; a row is a Constraint"
        if found.kind == "objective" and draft.kind == "vi":
            help = "as a function write an Expression: a `vi` has no objective"
        self.report.error("E2", said, found.span, help)
        draft.broken = True


_KIND_HELP = {
    "objective": "an agent has one objective: the first name after its keyword",
    "parameter": "parameters are data and are not listed",
    "set": "sets are not listed; `for s in SET: ...` gives one agent for each member",
    "block": "name the variables and rows inside it, as in `block.x`",
    "complementarity condition": "complementarity conditions belong to the leader and are not listed",
}


def where(bindings: Bindings) -> str:
    """The member of a ``for``, for messages."""
    return ", ".join(f"{name} = {', '.join(map(str, key))}" for name, key in bindings.items())
