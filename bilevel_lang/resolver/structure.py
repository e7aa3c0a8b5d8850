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
    Statement,
    VariationalInequality,
    VISol,
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
    opening: Span | None = None
    """Where the structure is declared: ``bilevel``, ``equilibrium``, or the keyword of the first agent."""


def outline(info: EmpInfo, report: Report) -> Outline:
    """Sort the statements; report E8, E9, E17 and every statement that no rewrite carries out yet."""
    bilevel: Bilevel | None = None
    equilibrium: Equilibrium | None = None
    agents: list[Statement] = []
    duals: list[Statement] = []
    for statement in info.statements:
        inner = statement.statement if isinstance(statement, ForEach) else statement
        if not isinstance(inner, CARRIED_OUT):
            _refuse(inner, report, equilibrium)
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
    first = bilevel or equilibrium or (agents[0] if agents else None)
    return Outline(structure, bilevel, tuple(agents), tuple(duals), _keyword_span(first) if first else None)


def keyword_of(statement: Statement, report: Report) -> str:
    """The first word of a statement, in lower case."""
    span = statement.keyword
    word = report.source.text[span.start : span.end].lower()
    return word or type(statement).__name__.lower()


def _refuse(statement: Statement, report: Report, equilibrium: Equilibrium | None) -> None:
    word = keyword_of(statement, report)
    if isinstance(statement, DualEqu) and equilibrium is not None:
        help = "write the pair as an agent of its own: `vi function variable`"
        report.error("E8", f"`{word}` is not allowed inside `equilibrium`", _keyword_span(statement), help)
        return
    carried_out = "take it out; carried out are `bilevel`, `equilibrium`, `min`, `max`, `vi`, `dualvar` and `for`"
    help = _INSTEAD.get(type(statement), carried_out)
    report.error("R1", f"`{word}` is part of the language, but no method carries it out yet", _keyword_span(statement), help)


# What can be written today in place of a statement that is not carried out.
_INSTEAD: dict[type, str] = {
    DualEqu: "begin with `equilibrium` and write the pair as an agent, `vi function variable`",
    VISol: "give each agent a row of its own",
    Implicit: "give the state variable and its row to one agent",
    Disjunction: "write the disjunction with pyomo.gdp and transform it in the model",
    Default: "transform disjunctions in the model",
    AdjustEqu: "add the penalty to the objective in the model",
    ModelType: "leave it out: the kind of a model is found from the model",
}


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
        help = f"add at least one {agent} after it: `min objective variables rows`, `max ...` or `vi function variable`"
        article = "a" if bilevel else "an"
        report.error("E9", f"`{word}` without {article} {agent}", _keyword_span(opening), help)
    elif opening is None and not agents and duals:
        help = "add the agent that owns the row: `min objective variables rows`"
        report.error("E11", "`dualvar` without an agent", _keyword_span(duals[0]), help)


def _keyword_span(statement: Statement) -> Span:
    return statement.keyword if statement.keyword.end else statement.span
