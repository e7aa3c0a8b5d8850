"""What ``bilevel-solve`` prints for people: the answer with its three verdicts, the ownership report, the engine's reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bilevel_lang.oracle.description import describe
from bilevel_lang.oracle.traits import traits_of
from bilevel_lang.problem import Agent, BilevelProblem, Disjunction, Row, SoftRow, Structure
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, MultiplierRange, SearchCounts, Status, Tie
from bilevel_lang.stochastic_display import program_text, stochastic_text

VARIABLES_SHOWN = 40

TIES_SHOWN = 5

CLOSED = 1e-6
"""Relative gap at which a bound has met an objective."""


def solution_text(solution: BilevelSolution, verbose: bool = False) -> str:
    """The answer: status, objective, certificate, variables, messages, times."""
    parts = [_summary_lines(solution.summary), _verdict(solution)]
    if solution.stochastic is not None:
        parts.append(stochastic_text(solution.stochastic))
    if solution.certificate is not None:
        parts.append(_certificate(solution.certificate))
    if solution.variables:
        parts.append(_table("variable", solution.variables, verbose))
    if solution.duals:
        parts.append(_table("multiplier", solution.duals, verbose))
    if solution.messages:
        parts.append("\n".join(f"note: {m}" for m in solution.messages))
    parts.append("time      " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in solution.seconds.items()))
    return "\n\n".join(p for p in parts if p)


def _summary_lines(summary: Any) -> str:
    counted = [(name, n) for name, n in summary.items() if n]
    if not counted:
        return ""
    width = max(len(name) for name, _ in counted)
    return "\n".join(["--- EMP Summary", *(f"    {name:<{width}} = {n}" for name, n in counted)])


def _verdict(solution: BilevelSolution) -> str:
    method = " + ".join(p for p in (solution.method, solution.encoding) if p)
    lines = [("status", f"{solution.status.value}{_gloss(solution)}")]
    if solution.objective is not None:
        lines.append(("objective", number(solution.objective)))
    if solution.bound is not None:
        gap = "" if solution.gap is None else f"   gap {solution.gap:.2g}"
        lines.append(("bound", f"{number(solution.bound)}{gap}"))
    if solution.position != "optimistic":
        lines.append(("position", f"{solution.position}: the follower breaks ties against the leader"))
    if solution.stationarity is not None and solution.stationarity.kind is not None:
        lines.append(("local", STATIONARY[solution.stationarity.kind]))
    lines += [("surrogate", text) for text in _surrogate(solution)]
    lines.append(("solver", f"{method}, {solution.solver}: {solution.termination}"))
    lines += [("search", text) for text in _search(solution.search)]
    lines += [("ties", text) for text in _ties(solution.ties)]
    lines += [("dualvar", _range(r)) for r in solution.multiplier_ranges[:VARIABLES_SHOWN] if not r.unique]
    return "\n".join(f"{name:<10}{text}" for name, text in lines)


def _search(search: SearchCounts | None) -> list[str]:
    """What a search of ours did; the nodes of a solver's own search alone are no news."""
    if search is None or (search.cuts is None and search.follower_solves is None):
        return []
    counted = ((search.nodes, "nodes"), (search.cuts, "cuts"), (search.follower_solves, "problems of followers solved"))
    return [", ".join(f"{count} {what}" for count, what in counted if count is not None)]


def _surrogate(solution: BilevelSolution) -> list[str]:
    """What stood in for the follower, how wrong it is on samples that it has not seen, and here."""
    found = solution.surrogate
    if found is None:
        return []
    count, kept = found["samples"], found.get("samples_from_folder")
    seen = f"{count} sample{'' if count == 1 else 's'}" + (f" ({kept} decisions read from the folder)" if kept else "")
    if (relaxed := found.get("relaxations")) is not None:
        seen = f"{count:,} second stages solved" + (f", and {relaxed:,} without integers for bounds" if relaxed else "")
    if found["kind"] is None:
        return [f"none: {seen}"]
    layers = "x".join(str(width) for width in found["layers"])
    mae, worst = found["validation_mae"], found["validation_max_error"]
    error = "" if mae is None else f"; held-out error {number(mae)} on average, {number(worst)} at most"
    lines = [f"{found['kind']}{' ' if layers else ''}{layers} for the {found['target']}, {seen}{error}"]
    if solution.approximate_objective is not None:
        lines.append(f"it says {number(solution.approximate_objective)}, in round {found['rounds']}")
    if found.get("error_at_answer") is not None:
        lines.append(f"at the answer it is off by {number(found['error_at_answer'])}")
    return lines


STATIONARY = {
    "S": "S-stationary (strong): no first-order descent direction",
    "B": "B-stationary (Bouligand): no first-order descent direction",
    "M": "M-stationary (Mordukhovich) only",
    "C": "C-stationary (Clarke) only",
    "W": "W-stationary (weak) only",
}


def _ties(ties: tuple[Tie, ...]) -> list[str]:
    """A line for each agent whose answers matter or were not measured, one for all the others."""
    unique = [t for t in ties if t.unique]
    open_ones = [t for t in ties if not t.unique]
    lines = [f"{t.name}: {_tie(t)}" for t in open_ones[:TIES_SHOWN]]
    if len(open_ones) > TIES_SHOWN:
        lines.append(f"... and {len(open_ones) - TIES_SHOWN} more (--json has them all)")
    if unique:
        who = unique[0].name if len(unique) == 1 else f"{len(unique)} agents, each"
        lines.append(f"{who}: {_tie(unique[0])}")
    return lines


def _tie(tie: Tie) -> str:
    if not tie.measured:
        return f"not measured ({tie.how})"
    if tie.unique:
        return f"the leader has {number(tie.best)} from every optimal answer"
    breaks = f", which breaks `{'`, `'.join(tie.violated[:3])}`" if tie.violated else ""
    return f"the leader has {number(tie.best)} from its best optimal answer and {number(tie.worst)} from the worst{breaks}"


def _range(found: MultiplierRange) -> str:
    ends = f"from {number(found.lower)} to {number(found.upper)}"
    return f"{found.variable} is not unique: the multiplier of {found.row} may be anything {ends}"


def _gloss(solution: BilevelSolution) -> str:
    verified = "every agent verified" if len(solution.followers) != 1 else "follower verified"
    if not solution.followers:
        verified = "checked on the original model"
    if solution.stochastic is not None and solution.status in (Status.OPTIMAL, Status.FEASIBLE):
        return f" (scenarios verified, {_proved(solution)})"
    if solution.status is Status.OPTIMAL and not solution.has_leader:
        return f" (a verified equilibrium; {verified})"
    if solution.status is Status.OPTIMAL:
        return f" ({verified}, leader optimality proved)" if solution.exactness is Exactness.EXACT else f" ({verified})"
    if solution.status is Status.FEASIBLE:
        return f" ({verified}, leader optimality not proved)"
    if solution.status is Status.VERIFICATION_FAILED:
        return " (NOT VERIFIED: this is not an answer to the problem)"
    return ""


def _proved(solution: BilevelSolution) -> str:
    """What is known of the optimality of a stochastic program's answer."""
    if solution.status is Status.OPTIMAL and solution.exactness is Exactness.EXACT:
        return "optimality proved"
    if solution.status is Status.OPTIMAL and solution.exactness is Exactness.EPSILON and solution.gap is not None:
        return f"optimality proved to a gap of {solution.gap:.2g}"
    reached = solution.gap is not None and solution.gap <= CLOSED
    return "optimal for the sample" if reached else "optimality not proved"


def _certificate(certificate: Certificate) -> str:
    lines = [
        "checked on the original model",
        f"  leader feasibility    {certificate.leader_feasibility:.1e}",
    ]
    if certificate.followers:
        lines.append(f"  follower feasibility  {certificate.follower_feasibility:.1e}")
    if certificate.dual_residual is not None:
        lines.append(f"  dualvar residual      {certificate.dual_residual:.1e}")
    if certificate.common_residual is not None:
        lines.append(f"  common multiplier     {certificate.common_residual:.1e}")
    for f in certificate.followers[:VARIABLES_SHOWN]:
        mark = "verified" if f.verified else "NOT VERIFIED"
        gap = "?" if f.gap is None else f"{f.gap:.1e}"
        if f.kind == "vi":
            lines.append(f"  {f.name}: residual {gap}, {mark} ({f.how})")
        else:
            values = f"objective {number(f.objective)}, solved again {number(f.optimal_value)}"
            lines.append(f"  {f.name}: {values}, gap {gap}, {mark} ({f.how})")
    hidden = len(certificate.followers) - VARIABLES_SHOWN
    if hidden > 0:
        lines.append(f"  ... and {hidden} more (--json has them all)")
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Eight significant digits, ``?`` for none; what is below 1e-14 is rounding and printed as 0."""
    return "?" if value is None else "0" if abs(value) < 1e-14 else f"{value:.8g}"


def _table(title: str, values: Any, verbose: bool) -> str:
    items = list(values.items())
    shown = items if verbose else items[:VARIABLES_SHOWN]
    width = max(len(name) for name, _ in shown)
    lines = [f"{title:<{width + 2}}  value", *(f"  {name:<{width}}  {number(value)}" for name, value in shown)]
    if len(shown) < len(items):
        lines.append(f"  ... and {len(items) - len(shown)} more (-v or --json shows them all)")
    return "\n".join(lines)


def check_text(problem: BilevelProblem) -> str:
    """The EMP Summary and who owns what, with every row in stored form and its multiplier's cone."""
    summary = "\n".join(["--- EMP Summary", *(f"    {name:<20} = {n}" for name, n in problem.summary)])
    parts = [summary, _leader_text(problem), *(_agent_text(a, problem) for a in problem.agents)]
    if problem.stochastic is not None:
        parts.append(program_text(problem.stochastic))
    for name, got in problem.wildcards:
        parts.append(f"* of {name} = {' '.join(got) or '(nothing)'}")
    parts += [_disjunction_text(d) for d in problem.disjunctions]
    if problem.softening is not None:
        parts += ["\n".join(_soft_row_text(row) for row in problem.softening.rows)]
    parts += [d.render() for d in problem.notices]
    return "\n\n".join(p for p in parts if p)


def _disjunction_text(disjunction: Disjunction) -> str:
    number = "" if disjunction.value is None else f" {disjunction.value:g}"
    lines = [f"{disjunction.name}: exactly one of ({disjunction.reform}{number})"]
    for disjunct in disjunction.disjuncts:
        rows = [f"{r.name}: {_stored(r.body, r.lower, r.upper)}" for r in disjunct.rows]
        lines.append(f"  {disjunct.name:<9}  {'; '.join(rows) or '(no rows)'}")
    return "\n".join(lines)


def _soft_row_text(soft: SoftRow) -> str:
    slacks = " + ".join(f"{variable.name}{'**2' if soft.penalty == 'sqr' else ''}" for variable, _ in soft.slacks)
    return f"soft row {soft.name}: {soft.owner} pays {soft.weight:g} * ({slacks})"


def _leader_text(problem: BilevelProblem) -> str:
    if problem.structure is Structure.EQUILIBRIUM:
        return "no leader"
    leader = problem.leader
    objective = "none (feasibility)" if leader.objective is None else f"{_sense(leader.objective)} {leader.objective.name}"
    lines = [f"leader: {objective}", f"  variables  {_list(v.name for v in leader.variables)}"]
    lines += [f"  row        {r.name}: {_stored(r.body, r.lb, r.ub)}" for r in leader.rows]
    return "\n".join(lines)


def _sense(objective: Any) -> str:
    return "min" if objective.sense == 1 else "max"


def _agent_text(agent: Agent, problem: BilevelProblem) -> str:
    lines = [f"agent: {agent.name}", f"  variables  {_list(v.name for v in agent.variables)}"]
    if agent.objective is not None:
        lines.append(f"  objective  {agent.objective.expression}")
        if agent.objective.definition is not None:
            lines.append(f"             (defined by row {agent.objective.definition.name}, substituted: it has no multiplier)")
    lines += [f"  function   {f.variable.name}: {0 if f.expression is None else f.expression}" for f in agent.functions]
    lines += [f"  twin       {k.twin.name} = {k.variable.name}" for k in problem.links if k.agent == agent.name]
    states = [s for s in problem.state_variables if any(s.variable is v for v in agent.variables)]
    lines += [f"  implicit   {s.variable.name}: determined by {s.row.name}" for s in states]
    duals = {id(m.row): m for m in problem.dual_maps_of(agent)}
    lines += [_row_text(agent, row, duals.get(id(row)), _shared_text(row, problem)) for row in agent.rows]
    lines += [f"  {subject:<10} {text}" for subject, text in describe(traits_of(agent))]
    return "\n".join(lines)


def _row_text(agent: Agent, row: Row, dual: Any, shared: str) -> str:
    cone = row.cone
    if agent.kind == "max" and cone != "free":
        cone = "<= 0" if cone == ">= 0" else ">= 0"
    text = f"  row        {row.name}: {_stored(row.body, row.lower, row.upper)}   multiplier {cone}{shared}"
    if dual is None:
        return text
    return f"{text}, {dual.variable.name} = {'-' if dual.factor < 0 else ''}multiplier"


def _shared_text(row: Row, problem: BilevelProblem) -> str:
    """Whether the multiplier of a row that several agents list is theirs together."""
    found = next((s for s in problem.shared_rows if s.component is row.component), None)
    return "" if found is None else " (one for all agents)" if found.common else " (its own)"


def _stored(body: Any, lower: float | None, upper: float | None) -> str:
    if lower is not None and lower == upper:
        return f"{body} == {lower:g}"
    if lower is not None and upper is not None:
        return f"{lower:g} <= {body} <= {upper:g}"
    return f"{body} >= {lower:g}" if lower is not None else f"{body} <= {upper:g}" if upper is not None else f"{body} free"


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" ... ({len(names)} in all)" if len(names) > VARIABLES_SHOWN else ""
    return " ".join(names[:VARIABLES_SHOWN]) + more if names else "(none)"


def explain_text(why: Sequence[str]) -> str:
    """The engine's path, a line a step: what was chosen and why, what was not and how to have it."""
    return "\n".join(["--- why", *(f"    {line}" for line in why)])
