"""What a stochastic file makes random, and what must hold of all of it together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.smps_files.entries import Entry
from bilevel_lang.uncertainty.scenario_set import SUM_TOLERANCE

MOST_ROUNDING = 1e-4
"""What probabilities may lack of 1 by rounding, whatever digits they are printed with."""

Outcome: TypeAlias = tuple[float, dict[Entry, float]]


@dataclass(slots=True)
class Joint:
    """Entries that are random together: outcomes with their probabilities, complete."""

    entries: tuple[Entry, ...]
    outcomes: list[tuple[float, tuple[float, ...]]]
    line: int
    room: float = SUM_TOLERANCE
    """How far the probabilities may be from summing to 1: files print them with a few digits, each off by half of the last."""


@dataclass(slots=True)
class Continuous:
    """An entry with a law: its name and numbers in the annotation language."""

    entry: Entry
    law: tuple[str, float, float]
    line: int


@dataclass(slots=True)
class StochasticData:
    """All of a stochastic file: joints and laws are independent of each other."""

    joints: list[Joint] = field(default_factory=list)
    laws: list[Continuous] = field(default_factory=list)

    def check(self, complaints: Complaints) -> None:
        """Complain of sums other than 1 (unless there are other mistakes, which spoil them), of what is random twice, and of a
        file in which nothing is."""
        if not complaints.errors:
            for joint in self.joints:
                _check_sum(joint, complaints)
        self._check_overlap(complaints)
        if not any(j.entries for j in self.joints) and not self.laws and not complaints.errors:
            help = "a section INDEP, BLOCKS or SCENARIOS says what is"
            complaints.error("nothing is random in this file", 1, help=help)

    def _check_overlap(self, complaints: Complaints) -> None:
        seen: dict[Entry, int] = {}
        parts = [(e, j.line) for j in self.joints for e in j.entries] + [(c.entry, c.line) for c in self.laws]
        for entry, line in parts:
            if entry in seen:
                said = f"{entry} is random in two places"
                complaints.error(said, line, help=f"the other one begins on line {seen[entry]}: keep one of the two")
            seen.setdefault(entry, line)


def rounding(places: list[float]) -> float:
    """How far probabilities may be from summing to 1 that may each be off by so much (:func:`half_a_digit`)."""
    return max(SUM_TOLERANCE, min(MOST_ROUNDING, sum(places)))


def half_a_digit(text: str) -> float:
    """What a printed number may be off by: 0.066667 by 5e-7."""
    mantissa, _, exponent = text.lower().partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])) if "." in mantissa else 0.0


def _check_sum(joint: Joint, complaints: Complaints) -> None:
    total = math.fsum(p for p, _ in joint.outcomes)
    if abs(total - 1) > joint.room * (1 + 1e-6):
        help = "the probabilities of all outcomes sum to 1"
        complaints.error(f"the probabilities that begin here sum to {total:.10g}, not to 1", joint.line, help=help)
