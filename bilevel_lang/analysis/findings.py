"""Everything that is looked at after an answer was verified: ties, ranges of multipliers, stationarity, the pessimistic claim."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pyomo.common.collections import ComponentMap

from bilevel_lang.analysis.local_answer import stationarity_of
from bilevel_lang.analysis.multiplier_ranges import measure_multiplier_ranges
from bilevel_lang.analysis.ties import measure_ties, worst_row_violations
from bilevel_lang.errors import BilevelError
from bilevel_lang.oracle.agent_model import UNDEFINED, number_at
from bilevel_lang.oracle.optimal_face import NotDescribedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solution import Certificate, MultiplierRange, Point, Stationarity, Tie
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination
from bilevel_lang.verification import complete_values


@dataclass(frozen=True, slots=True)
class Findings:
    """``certificate`` is the one given, or one that fails where a pessimistic claim does not hold."""

    certificate: Certificate
    position: str = "optimistic"
    ties: tuple[Tie, ...] = ()
    multiplier_ranges: tuple[MultiplierRange, ...] = ()
    stationarity: Stationarity | None = None

    def messages(self, objective: float | None) -> list[str]:
        """What the user should not overlook."""
        said = [message for tie in self.ties if (message := self._better(tie, objective))]
        for each in self.multiplier_ranges:
            if not each.unique:
                ends = f"from {each.lower:.8g} to {each.upper:.8g}"
                said.append(
                    f"the multiplier of `{each.row}` is not unique: `{each.variable}` may be anything {ends} at this point"
                )
        if self.stationarity is not None:
            kind = self.stationarity.kind
            word = f"stationary({kind})" if kind else "stationarity"
            said.append(f"{word}: {self.stationarity.how}")
        return said

    def _better(self, tie: Tie, objective: float | None) -> str | None:
        """A local method may leave something on the table that one of the follower's other optimal answers would give."""
        if self.position != "optimistic" or tie.best is None or objective is None:
            return None
        if abs(tie.best - objective) <= 1e-5 * max(1.0, abs(objective)):
            return None
        return f"{tie.name} has another answer, as good to itself, that would give the leader {tie.best:.8g}"


def examine_answer(
    problem: BilevelProblem, run: SolverRun, point: Point, certificate: Certificate, position: str, options: SolverOptions
) -> Findings:
    """Look at a point after its verification; of one that is not verified nothing is said.

    Each solve takes at most what :data:`bilevel_lang.analysis.ties.SECONDS` says, or the time limit where that is less.
    """
    if not certificate.verified or run.termination is Termination.INTERRUPTED:
        return Findings(certificate, position)
    values = complete_values(problem, point)
    ties = measure_ties(problem, values, certificate, options, integers=position == "pessimistic")
    stationarity = None
    if position == "pessimistic":
        certificate = _with_claim(problem, values, certificate, ties, options)
    elif run.termination is Termination.LOCALLY_OPTIMAL and problem.leader.objective is not None:
        stationarity = stationarity_of(problem, point, values)
    return Findings(certificate, position, ties, measure_multiplier_ranges(problem, values), stationarity)


def _with_claim(
    problem: BilevelProblem, values: ComponentMap, certificate: Certificate, ties: tuple[Tie, ...], options: SolverOptions
) -> Certificate:
    """The certificate, not verified where the worst optimal answer is worse than the point says, or breaks the leader's rows."""
    remarks = [remark for tie in ties if (remark := _refuted(problem, values, tie, certificate.tolerance))]
    try:
        broken = worst_row_violations(problem, values, options)
        remarks += [f"one of the follower's optimal answers violates `{name}` by {off:.3g}" for name, off in broken]
    except (NotDescribedError, *UNDEFINED) as reason:
        remarks.append(f"the leader's rows could not be checked for the worst answer ({reason})")
    except BilevelError as error:
        remarks.append(f"the leader's rows could not be checked for the worst answer ({error.diagnostics[0].message})")
    if not remarks:
        return certificate
    return replace(certificate, verified=False, remarks=(*certificate.remarks, *remarks))


def _refuted(problem: BilevelProblem, values: ComponentMap, tie: Tie, tolerance: float) -> str | None:
    here = number_at(problem.leader.objective.expr, values)
    if tie.worst is None:
        return f"the worst answer of {tie.name} could not be measured: {tie.how}"
    if math.isfinite(tie.worst) and abs(tie.worst - here) <= tolerance * max(1.0, abs(here)):
        return None
    said = f"the leader's objective is {here:.8g} at the point, but {tie.worst:.8g} for the worst optimal answer of {tie.name}"
    return f"{said}: the worst answer jumps near this decision, and the best pessimistic value is probably not attained"
