"""From what the grammar matched to the syntax tree, rule by rule."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar, cast

from lark import Token, Transformer

from bilevel_lang.errors import Span
from bilevel_lang.grammar import leaves
from bilevel_lang.grammar import random_syntax as rand
from bilevel_lang.grammar import syntax as s

Placed: TypeAlias = (
    Token | leaves.Node | leaves.Item | leaves.Index | leaves.Segment | s.Binding | s.Adjustment | s.Reform | s.Branch
)
Child: TypeAlias = Placed | None
Children: TypeAlias = "list[Child]"
RiskKind: TypeAlias = Literal["cvarlo", "cvarup", "varlo", "varup"]
T = TypeVar("T")


class TreeBuilder(Transformer[Token, "tuple[s.Statement, ...]"]):
    """One method for each rule of ``emp.lark``; called while the text is parsed, so nothing here recurses."""

    def start(self, children: list[s.Statement]) -> tuple[s.Statement, ...]:
        """The statements in the order of the text."""
        return tuple(children)

    # Who decides what

    def bilevel(self, children: Children) -> s.Bilevel:
        """The leader's variables."""
        return s.Bilevel(_items(children), **_places(children))

    def equilibrium(self, children: Children) -> s.Equilibrium:
        """Agents without a leader."""
        return s.Equilibrium(**_places(children))

    def optimise(self, children: Children) -> s.Optimise:
        """An optimiser."""
        first, objective, *rest = children
        assert isinstance(first, Token) and isinstance(objective, leaves.Reference)
        sense: Literal["min", "max"] = "min" if first.type == "MIN" else "max"
        return s.Optimise(sense, objective, _items(rest), **_places(children))

    def vi(self, children: Children) -> s.VariationalInequality:
        """A variational inequality."""
        return s.VariationalInequality(_items(children), **_places(children))

    def qvi(self, children: Children) -> s.QuasiVariationalInequality:
        """A quasi-variational inequality."""
        return s.QuasiVariationalInequality(_items(children), **_places(children))

    def dualvar(self, children: Children) -> s.DualVar:
        """Multipliers that are variables."""
        return s.DualVar(_items(children), **_places(children))

    def dualequ(self, children: Children) -> s.DualEqu:
        """Complementary pairs."""
        return s.DualEqu(_items(children), **_places(children))

    def for_each(self, children: Children) -> s.ForEach:
        """A statement for every member of a set."""
        return s.ForEach(_all(s.Binding, children), _statement(children[-1]), **_places(children))

    def binding(self, children: Children) -> s.Binding:
        """``s in S``."""
        return s.Binding(str(children[0]), _all(leaves.Reference, children)[0], span=_span(children))

    def implicit(self, children: Children) -> s.Implicit:
        """State variables."""
        return s.Implicit(_items(children), **_places(children))

    def visol(self, children: Children) -> s.VISol:
        """Rows with one common multiplier."""
        return s.VISol(_items(children), **_places(children))

    def sharedequ(self, children: Children) -> s.SharedEqu:
        """Rows with a multiplier for each agent."""
        return s.SharedEqu(_items(children), **_places(children))

    def modeltype(self, children: Children) -> s.ModelType:
        """The type of a plain model."""
        return s.ModelType(str(children[1]).lower(), **_places(children))

    # Soft rows and disjunctions

    def adjustequ(self, children: Children) -> s.AdjustEqu:
        """Soft rows."""
        return s.AdjustEqu(_all(s.Adjustment, children), **_places(children))

    def adjustment(self, children: Children) -> s.Adjustment:
        """One soft row."""
        row, penalty, *_ = children
        assert isinstance(row, leaves.Reference)
        return s.Adjustment(row, str(penalty).lower(), _all(leaves.Number, children), _span(children))

    def disjunction(self, children: Children) -> s.Disjunction:
        """Alternatives."""
        _, reform, negation, indicator, *rest = children
        assert reform is None or isinstance(reform, s.Reform)
        rows: Children = [child for child in rest if not isinstance(child, s.Branch)]
        first = _branch(negation, indicator, rows, _span([negation, indicator, *rows]))
        return s.Disjunction(reform, (first, *_all(s.Branch, rest)), **_places(children))

    def elseif(self, children: Children) -> s.Branch:
        """One more alternative."""
        _, negation, indicator, *rest = children
        return _branch(negation, indicator, rest, _span(children))

    def otherwise(self, children: Children) -> s.Branch:
        """The alternative that is left."""
        return s.Branch(None, False, _items(children), _span(children))

    def default(self, children: Children) -> s.Default:
        """How disjunctions are rewritten."""
        return s.Default(_all(s.Reform, children)[0], **_places(children))

    def reform(self, children: Children) -> s.Reform:
        """The name of a reformulation and its number."""
        return s.Reform(str(children[0]).lower(), next(iter(_all(leaves.Number, children)), None), _span(children))

    # Uncertainty

    def randvar(self, children: Children) -> rand.RandVar:
        """A random parameter."""
        _, parameter, distribution, *numbers = children
        assert isinstance(parameter, leaves.Reference)
        law = str(distribution).lower()
        return rand.RandVar(parameter, law, _all(leaves.Number, numbers), **_places(children))

    def jrandvar(self, children: Children) -> rand.JRandVar:
        """Parameters that are random together."""
        parameters, numbers = _all(leaves.Reference, children), _all(leaves.Number, children)
        return rand.JRandVar(parameters, numbers, **_places(children))

    def stage(self, children: Children) -> rand.Stage:
        """What belongs to a stage."""
        _, number, *rest = children
        assert isinstance(number, leaves.Number)
        return rand.Stage(number, _items(rest), **_places(children))

    def stagedefault(self, children: Children) -> rand.StageDefault:
        """The stage of what is not listed."""
        return rand.StageDefault(_all(leaves.Number, children)[0], **_places(children))

    def sample(self, children: Children) -> rand.Sample:
        """A sample in place of a distribution."""
        at = next(place for place, child in enumerate(children) if isinstance(child, leaves.Number))
        parameters, size = _all(leaves.Reference, children[:at]), _all(leaves.Number, children)[0]
        return rand.Sample(parameters, size, _items(children[at + 1 :]), **_places(children))

    def setseed(self, children: Children) -> rand.SetSeed:
        """The seed of the samples."""
        return rand.SetSeed(_all(leaves.Number, children)[0], **_places(children))

    def correlation(self, children: Children) -> rand.Correlation:
        """How two parameters go together."""
        first, second = _all(leaves.Reference, children)
        return rand.Correlation(first, second, _all(leaves.Number, children)[0], **_places(children))

    def chance(self, children: Children) -> rand.Chance:
        """Rows that hold with a probability."""
        at = next(place for place, child in enumerate(children) if isinstance(child, leaves.Number))
        rows = _all(leaves.Reference, children[:at])
        return rand.Chance(rows, _items(children[at:]), **_places(children))

    def expectedvalue(self, children: Children) -> rand.ExpectedValue:
        """The variable that is an expected value."""
        variable, *result = _all(leaves.Reference, children)
        return rand.ExpectedValue(variable, result[0] if result else None, **_places(children))

    def risk(self, children: Children) -> rand.RiskMeasure:
        """The variables of a measure of risk, and its level."""
        first = children[0]
        assert isinstance(first, Token)
        variables, level = _all(leaves.Reference, children), _all(leaves.Number, children)[0]
        return rand.RiskMeasure(_RISKS[first.type], variables, level, **_places(children))

    def scenarios(self, children: Children) -> rand.Scenarios:
        """The file of the scenarios."""
        return rand.Scenarios(_unquote(str(children[1])), **_places(children))

    # Items

    def wildcard(self, children: Children) -> leaves.Wildcard:
        """``*``."""
        return leaves.Wildcard(_span(children))

    def number(self, children: Children) -> leaves.Number:
        """A number as it was written."""
        return leaves.Number(str(children[0]), _span(children))

    def reference(self, children: Children) -> leaves.Reference:
        """A name with its parts."""
        first = children[0]
        negated = isinstance(first, Token) and first.type == "MINUS"
        return leaves.Reference(_all(leaves.Segment, children), negated, _span(children))

    def segment(self, children: Children) -> leaves.Segment:
        """One part of a name with its indices."""
        name, *rest = children
        assert isinstance(name, Token)
        quoted = name.type == "TICKED"
        text = _unquote(name) if quoted else str(name)
        if not rest:
            return leaves.Segment(text, None, quoted, span=_span(children))
        indices = tuple(child for child in rest if isinstance(child, (leaves.Label, leaves.AnyIndex)))
        return leaves.Segment(text, indices, quoted, str(rest[0]), _span(children))

    def label(self, children: Children) -> leaves.Label:
        """An index that names an element."""
        token = children[0]
        assert isinstance(token, Token)
        if token.type == "QUOTED":
            return leaves.Label(_unquote(token), True, token[0], _span(children))
        return leaves.Label(str(token), False, "", _span(children))

    def any_index(self, children: Children) -> leaves.AnyIndex:
        """An index that stands for every element."""
        return leaves.AnyIndex(_span(children))


_RISKS: dict[str, RiskKind] = {"CVARLO": "cvarlo", "CVARUP": "cvarup", "VARLO": "varlo", "VARUP": "varup"}


def _unquote(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def _all(kind: type[T], children: Children) -> tuple[T, ...]:
    return tuple(child for child in children if isinstance(child, kind))


def _items(children: Children) -> tuple[leaves.Item, ...]:
    return tuple(child for child in children if isinstance(child, (leaves.Reference, leaves.Wildcard, leaves.Number)))


def _branch(negation: Child, indicator: Child, rest: Children, span: Span) -> s.Branch:
    assert isinstance(indicator, (leaves.Reference, leaves.Wildcard))
    return s.Branch(indicator, negation is not None, _items(rest), span)


def _statement(child: Child) -> s.Statement:
    assert isinstance(child, leaves.Node)
    return cast(s.Statement, child)


def _places(children: Children) -> dict[str, Span]:
    return {"span": _span(children), "keyword": _span(children[:1])}


def _span(children: Children) -> Span:
    """From the first child to the last; optional parts that were not written have no place."""
    places = [_place(child) for child in children if child is not None]
    return places[0].to(places[-1])


def _place(child: Placed) -> Span:
    if not isinstance(child, Token):
        return child.span
    start = child.start_pos or 0
    return Span(start, start + len(child), child.line or 1, child.column or 1)
