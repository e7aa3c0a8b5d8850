"""The order of statements: what may stand where, and which structure the annotation describes."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.errors import Span
from bilevel_lang.grammar.syntax import (
    AdjustEqu,
    Bilevel,
    Default,
    Disjunction,
    DualEqu,
    DualVar,
    EmpInfo,
    Equilibrium,
    ForEach,
    Implicit,
    ModelType,
    Optimise,
    QuasiVariationalInequality,
    SharedEqu,
    Statement,
    VariationalInequality,
    VISol,
)
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.uncertainty import UNCERTAIN

AGENTS = (Optimise, VariationalInequality, QuasiVariationalInequality)
SHARING = (VISol, SharedEqu, Implicit)
DECLARATIONS = (AdjustEqu, Default, Disjunction, ModelType)
"""What is said about rows and the model as a whole, whatever the structure."""
CARRIED_OUT = (Bilevel, Equilibrium, *AGENTS, DualVar, DualEqu, *SHARING)


@dataclass(frozen=True)
class Outline:
    """The statements sorted by what they do."""

    structure: Structure
    bilevel: Bilevel | None
    agents: tuple[Statement, ...]
    duals: tuple[Statement, ...]
    opening: Span | None = None
    """Where the structure is declared: ``bilevel``, ``equilibrium``, or the keyword of the first agent."""
    complements: tuple[Statement, ...] = ()
    """``dualequ``: beside one optimiser, whose objective is the model's own and who owns what is left."""
    sharing: tuple[Statement, ...] = ()
    """``visol``, ``sharedequ``, ``implicit``: what several agents may list."""


def outline(info: EmpInfo, report: Report) -> Outline:
    """Sort the statements; report E8, E9, E17 and every statement that no rewrite carries out yet."""
    bilevel: Bilevel | None = None
    equilibrium: Equilibrium | None = None
    agents: list[Statement] = []
    duals: list[Statement] = []
    complements: list[Statement] = []
    sharing: list[Statement] = []
    for statement in info.statements:
        inner = _governed(statement)
        if isinstance(inner, (*DECLARATIONS, *UNCERTAIN)):
            continue
        if not isinstance(inner, CARRIED_OUT):
            _refuse(inner, report)
        elif isinstance(inner, Bilevel):
            _check_opening("bilevel", inner, bilevel, equilibrium, bool(agents), report)
            bilevel = bilevel or inner
        elif isinstance(inner, Equilibrium):
            _check_opening("equilibrium", inner, equilibrium, bilevel, bool(agents), report)
            equilibrium = equilibrium or inner
        elif isinstance(inner, DualVar):
            duals.append(statement)
        elif isinstance(inner, DualEqu):
            complements.append(statement)
        elif isinstance(inner, SHARING):
            sharing.append(statement)
        else:
            agents.append(statement)
    first = bilevel or equilibrium or next(iter((*agents, *complements)), None)
    opened = bilevel or equilibrium or next(iter(agents), None)
    if complements and opened is not None:
        _misplaced(complements, opened, report)
        complements = []
    else:
        typed = any(isinstance(s, ModelType) for s in info.statements)  # `modeltype mcp` makes an agent of the whole model
        _check_agents(bilevel, equilibrium, [*agents, *complements], [] if typed else duals, sharing, report)
    _check_uncertain(info, first, report)
    structure = Structure.BILEVEL if bilevel else Structure.EQUILIBRIUM if first else Structure.SINGLE
    opening = _keyword_span(first) if first else None
    return Outline(structure, bilevel, tuple(agents), tuple(duals), opening, tuple(complements), tuple(sharing))


def keyword_of(statement: Statement, report: Report) -> str:
    """The first word of a statement, in lower case."""
    span = statement.keyword
    word = report.source.text[span.start : span.end].lower()
    return word or type(statement).__name__.lower()


def _misplaced(complements: list[Statement], opened: Statement, report: Report) -> None:
    """E8: ``dualequ`` describes the whole problem; with other agents its pair is one of them."""
    word = keyword_of(_governed(opened), report)
    place = "inside `equilibrium`" if word == "equilibrium" else f"beside `{word}`"
    help = "write the pair as an agent of its own: `vi function variable`"
    for statement in complements:
        report.error("E8", f"`dualequ` is not allowed {place}", _keyword_span(_governed(statement)), help)


def _check_uncertain(info: EmpInfo, opened: Statement | None, report: Report) -> None:
    """E8: a stochastic program has one decision maker, and rows that are what they are."""
    uncertain = next((s for s in info.statements if isinstance(s, UNCERTAIN)), None)
    others = [s for s in info.statements if isinstance(s, DECLARATIONS)]
    if uncertain is None or (opened is None and not others):
        return
    word, other = keyword_of(uncertain, report), _governed(opened or others[0])
    help = "a stochastic program has one decision maker: take one of the two out"
    if isinstance(other, ModelType):
        help = "take it out: a stochastic program is solved as what it is"
    elif opened is None:
        help = "write it into the model's rows with binaries or slacks of stage 2"
    report.error("E8", f"`{word}` is not allowed beside `{keyword_of(other, report)}`", _keyword_span(uncertain), help)


def _governed(statement: Statement) -> Statement:
    return statement.statement if isinstance(statement, ForEach) else statement


def _refuse(statement: Statement, report: Report) -> None:
    word = keyword_of(statement, report)
    help = "take it out; docs/language.md lists the statements that are carried out"
    report.error("R1", f"`{word}` is part of the language, but no method carries it out yet", _keyword_span(statement), help)


def _check_opening(
    word: str, statement: Statement, same: Statement | None, other: Statement | None, after_agents: bool, report: Report
) -> None:
    if same is not None:
        help = f"the first one is on line {same.span.line}; one file describes one problem"
        report.error("E17", f"a second `{word}`", _keyword_span(statement), help)
    elif other is not None:
        opened = keyword_of(other, report)
        help = "followers of one leader are in Nash equilibrium already: keep `bilevel` and drop `equilibrium`"
        report.error("E8", f"`{word}` after `{opened}`", _keyword_span(statement), help)
    elif after_agents:
        report.error("E8", f"`{word}` after an agent", _keyword_span(statement), f"`{word}` comes first, its agents after it")


def _check_agents(
    bilevel: Bilevel | None,
    equilibrium: Equilibrium | None,
    agents: list[Statement],
    duals: list[Statement],
    sharing: list[Statement],
    report: Report,
) -> None:
    opening = bilevel or equilibrium
    if opening is not None and not agents:
        word, agent = ("bilevel", "follower") if bilevel else ("equilibrium", "agent")
        help = f"add at least one {agent} after it: `min objective variables rows`, `max ...` or `vi function variable`"
        article = "a" if bilevel else "an"
        report.error("E9", f"`{word}` without {article} {agent}", _keyword_span(opening), help)
    elif opening is None and not agents and duals:
        help = "add the agent that owns the row: `min objective variables rows`"
        report.error("E11", "`dualvar` without an agent", _keyword_span(duals[0]), help)
    elif not agents and sharing:
        word = keyword_of(sharing[0], report)
        help = "add the agents that list it: `min objective variables rows`"
        report.error("E15", f"`{word}` without an agent", _keyword_span(sharing[0]), help)


def _keyword_span(statement: Statement) -> Span:
    return statement.keyword if statement.keyword.end else statement.span
