"""The order of statements: what may stand where, and which structure the annotation describes."""

from __future__ import annotations

from dataclasses import dataclass

from bilevel_lang.errors import Span
from bilevel_lang.grammar.syntax import (
    Bilevel,
    DualVar,
    EmpInfo,
    Equilibrium,
    ForEach,
    Optimise,
    Statement,
    VariationalInequality,
)
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.report import Report

AGENTS = (Optimise, VariationalInequality)
CARRIED_OUT = (Bilevel, Equilibrium, Optimise, VariationalInequality, DualVar)


@dataclass(frozen=True)
class Outline:
    """The statements sorted by what they do."""

    structure: Structure
    bilevel: Bilevel | None
    agents: tuple[Statement, ...]
    duals: tuple[Statement, ...]


def outline(info: EmpInfo, report: Report) -> Outline:
    """Sort the statements; report E8, E9, E17 and every statement that no rewrite carries out yet."""
    bilevel: Bilevel | None = None
    equilibrium: Equilibrium | None = None
    agents: list[Statement] = []
    duals: list[Statement] = []
    for statement in info.statements:
        inner = statement.statement if isinstance(statement, ForEach) else statement
        if not isinstance(inner, CARRIED_OUT):
            _refuse(inner, report, equilibrium or bilevel)
        elif isinstance(inner, Bilevel):
            _check_opening("bilevel", inner, bilevel, equilibrium, bool(agents), report)
            bilevel = bilevel or inner
        elif isinstance(inner, Equilibrium):
            _check_opening("equilibrium", inner, equilibrium, bilevel, bool(agents), report)
            equilibrium = equilibrium or inner
        elif isinstance(inner, DualVar):
            duals.append(statement)
        else:
            agents.append(statement)
    _check_agents(bilevel, equilibrium, agents, duals, report)
    structure = Structure.BILEVEL if bilevel else Structure.EQUILIBRIUM if (equilibrium or agents) else Structure.SINGLE
    return Outline(structure, bilevel, tuple(agents), tuple(duals))


def keyword_of(statement: Statement, report: Report) -> str:
    """The first word of a statement, in lower case."""
    span = statement.keyword
    word = report.source.text[span.start : span.end].lower()
    return word or type(statement).__name__.lower()


def _refuse(statement: Statement, report: Report, opened: Bilevel | Equilibrium | None) -> None:
    word = keyword_of(statement, report)
    if word == "dualequ" and isinstance(opened, Equilibrium):
        help = "inside `equilibrium`, write the pair as an agent: `vi H y`"
        report.error("E8", "`dualequ` is not allowed inside `equilibrium`", _keyword_span(statement), help)
        return
    said = f"`{word}` is understood, but no method of this version carries it out"
    help = "carried out today: `bilevel`, `equilibrium`, `min`, `max`, `vi`, `dualvar`, `for`; take the statement out, or state it in the model"
    report.error("R1", said, _keyword_span(statement), help)


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
    bilevel: Bilevel | None, equilibrium: Equilibrium | None, agents: list[Statement], duals: list[Statement], report: Report
) -> None:
    opening = bilevel or equilibrium
    if opening is not None and not agents:
        word, agent = ("bilevel", "follower") if bilevel else ("equilibrium", "agent")
        help = f"add at least one {agent}: `min objective variables rows`, `max ...` or `vi F x`"
        report.error("E9", f"`{word}` without a {agent}" if bilevel else f"`{word}` without an {agent}", _keyword_span(opening), help)
    elif opening is None and not agents and duals:
        report.error("E11", "`dualvar` without an agent that owns the row", duals[0].span, "add the agent: `min objective ...`")


def _keyword_span(statement: Statement) -> Span:
    return statement.keyword if statement.keyword.end else statement.span
