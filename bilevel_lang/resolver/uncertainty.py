"""All that an annotation says about uncertainty, as a stochastic program."""

from __future__ import annotations

from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.random_syntax import (
    Chance,
    Correlation,
    ExpectedValue,
    JRandVar,
    RandVar,
    RiskMeasure,
    Sample,
    Scenarios,
    SetSeed,
    Stage,
    StageDefault,
)
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.random_parameters import RandomReader
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.risk_measures import RiskReader
from bilevel_lang.resolver.stages import Stages
from bilevel_lang.uncertainty.program import WIDER, StochasticProgram
from bilevel_lang.uncertainty.sampling import Discrete

UNCERTAIN = (
    RandVar,
    JRandVar,
    Scenarios,
    Stage,
    StageDefault,
    Sample,
    SetSeed,
    Correlation,
    Chance,
    ExpectedValue,
    RiskMeasure,
)
"""The statements that make a stochastic program of a model."""


def read_uncertainty(info: EmpInfo, names: Names, objective: Any, report: Report) -> StochasticProgram | None:
    """What the statements of :data:`UNCERTAIN` say; None without any, or where a mistake was reported (E26, E27, E28)."""
    mine = [s for s in info.statements if isinstance(s, UNCERTAIN)]
    if not mine:
        return None
    random = RandomReader(names, report)
    random.read(info)
    stages = Stages(names, random, report)
    stages.read(info, objective)
    if report.has_errors:
        return None
    risks = RiskReader(names, stages, report)
    found = StochasticProgram(
        parameters=tuple(random.parameters),
        groups=tuple(random.groups),
        second_variables=tuple(stages.second_variables),
        second_rows=tuple(stages.second_rows),
        risks=risks.risks(info),
        chances=risks.chances(info),
        seed=random.seed,
    )
    _check_whole(found, mine[0].keyword, report)
    _check_values(found, report)
    return found


def _check_whole(program: StochasticProgram, span: Span, report: Report) -> None:
    if not program.parameters:
        help = "say what is random: `randvar d discrete 0.5 30 0.5 60`, or `scenarios 'file.csv'`"
        report.error("E26", "nothing is random", span, help)


def _check_values(program: StochasticProgram, report: Report) -> None:
    """The values that are written down; those of samples are known when they are drawn."""
    for group in program.groups:
        if isinstance(group, Discrete):
            for number, values in zip(group.parameters, group.values.T, strict=True):
                parameter = program.parameters[number]
                found = parameter.outside(values)
                if found is not None:
                    where = f"in scenario {group.names[found[0]]} " if group.names else ""
                    report.error("E26", where + found[1], parameter.span, WIDER)
