"""What ``bilevel-solve`` prints of a stochastic program: what the answer is worth, and who decides when."""

from __future__ import annotations

from collections.abc import Iterable

from bilevel_lang.solution import RiskValue, StochasticReport
from bilevel_lang.uncertainty.program import RiskTerm, StochasticProgram
from bilevel_lang.uncertainty.sampling import Discrete, Group

SHOWN = 10
"""Scenarios whose own value is printed; more are told by their range."""

NAMES_SHOWN = 40

_RISKS = {
    "expectedvalue": "expected value",
    "cvarlo": "mean of the lowest {share}",
    "cvarup": "mean of the highest {share}",
    "varlo": "value at the end of the lowest {share}",
    "varup": "value at the end of the highest {share}",
}


def stochastic_text(report: StochasticReport) -> str:
    """The lines of the report that only a stochastic program has."""
    kind = "drawn from the laws" if report.sampled else "all"
    lines = [("scenarios", f"{report.scenarios:,} ({kind})")]
    lines += [("  " + name, f"{_number(value)}   probability {p:.6g}") for name, p, value in _shown(report)]
    if len(report.values) > SHOWN:
        every = [value for _, _, value in report.values]
        lines.append(("", f"from {_number(min(every))} to {_number(max(every))} (--json has them all)"))
    lines += [(r.kind, f"{_number(r.value)}   {_measure(r)}") for r in report.risks]
    lines += [("chance", f"{rows}: {reached:.6g} of at least {wanted:.6g}") for rows, wanted, reached in report.chances]
    if report.evpi is not None:
        lines.append(("EVPI", f"{_number(report.evpi)}   knowing the scenario before: {_number(report.wait_and_see)}"))
    if report.vss is not None:
        lines.append(("VSS", f"{_number(report.vss)}   deciding for the mean values: {_number(report.mean_value_cost)}"))
    tried = report.out_of_sample
    if tried is not None:
        lines.append(
            ("tried out", f"{_number(tried.mean)} ± {tried.half_width:.4g} on {tried.scenarios:,} fresh scenarios (95 %)")
        )
        if tried.infeasible:
            lines.append(("", f"{tried.infeasible:,} of them have no second stage for this decision and are not in the mean"))
    width = max(10, 2 + max(len(name) for name, _ in lines))
    return "\n".join(f"{name:<{width}}{text}" for name, text in lines)


def program_text(program: StochasticProgram) -> str:
    """What ``--check`` says of the stages, of what is random, and of how it is measured."""
    names = [p.name for p in program.parameters]
    lines = [f"random: {text}" for text in _limited([_law(group, names) for group in program.groups])]
    lines.append(f"stage 2 variables: {_list(v.name for v in program.second_variables)}")
    lines.append(f"stage 2 rows: {_list(r.name for r in program.second_rows)}")
    for term in program.risks:
        stands = term.variable.name if term.result is None else term.result.name
        lines.append(f"measure: {stands} stands for the {_tail(term)} of {term.variable.name}")
    for chance in program.chances:
        rows = " and ".join(r.name for r in chance.rows)
        lines.append(
            f"chance: {rows} {'hold together' if len(chance.rows) > 1 else 'holds'} with at least {chance.probability:g}"
        )
    return "\n".join(lines)


def _shown(report: StochasticReport) -> tuple[tuple[str, float, float], ...]:
    return report.values if len(report.values) <= SHOWN else ()


def _law(group: Group, names: list[str]) -> str:
    mine = " ".join(_limited([names[k] for k in group.parameters]))
    if isinstance(group, Discrete):
        return f"{mine}: {len(group.probabilities):,} outcomes"
    laws = ", ".join(_limited([str(law) for law in group.laws]))
    tied = ", correlated" if group.correlation is not None else ""
    return f"{mine}: {laws}{tied}" + (f", a sample of {group.size:,} ({group.way})" if group.size is not None else "")


def _measure(risk: RiskValue) -> str:
    return f"{_RISKS[risk.kind].format(share=f'{100 * risk.level:g} %')} of {risk.variable}"


def _tail(term: RiskTerm) -> str:
    return _RISKS[term.kind].format(share=f"{100 * term.level:g} %")


def _limited(texts: list[str]) -> list[str]:
    more = [f"... ({len(texts)} in all)"] if len(texts) > NAMES_SHOWN else []
    return [*texts[:NAMES_SHOWN], *more]


def _list(names: Iterable[str]) -> str:
    return " ".join(_limited(list(names))) or "(none)"


def _number(value: float | None) -> str:
    return "?" if value is None else "0" if abs(value) < 1e-14 else f"{value:.8g}"
