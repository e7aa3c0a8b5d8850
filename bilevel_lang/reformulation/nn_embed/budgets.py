"""How much of everything nn-embed takes where the user says nothing. Each is a most: what gains nothing ends before."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.5
"""Of a time limit, for the first samples; refinements may take all of it."""

EVERYWHERE, EVERYWHERE_EACH = 200, 5
"""Decisions drawn all over the box: the larger of the two, the second for each input."""

QUESTIONS, QUESTIONS_EACH = 200, 20
"""Decisions that one search around the best asks about: the larger of the two, the second for each input."""

PATIENCE, PATIENCE_EACH = 100, 4
"""Decisions that a search asks about without a gain before it ends: the larger of the two, the second for each input."""

AGAIN = 5
"""Times that a round trains, solves and proposes, as long as each time finds a better decision than all before."""

STARTS, PROPOSALS = 40, 30
"""Known decisions from which the network's descent begins, and decisions that it may propose each time."""

TOLERATED, TRIED, MOVED = 0.3, 10, 100
"""Share of the decisions tried first that may turn out impossible before others are moved to the nearest that the rows allow, and
how many are moved."""

SOLVE_SECONDS = 3.0
"""For the program with the network, at most: what it has by then is verified like anything else. What it does not find in them it
seldom finds in thirty. Half as many after a time that led to no better decision."""

RELAXATION_SECONDS = 10.0
"""For the relaxation without the follower's optimality, whose bound is told."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Decisions: drawn ``everywhere``, asked about by a search (``questions``), and of these without a gain (``patience``)."""

    everywhere: int
    questions: int
    patience: int


def budget_for(inputs: int, samples: int | None) -> Budget:
    """Of a first round with so many ``inputs``; ``samples`` is what the user asked for, half of it for each of the two."""
    everywhere, questions, patience = (
        max(least, each * inputs)
        for least, each in ((EVERYWHERE, EVERYWHERE_EACH), (QUESTIONS, QUESTIONS_EACH), (PATIENCE, PATIENCE_EACH))
    )
    if samples is None:
        return Budget(everywhere, questions, patience)
    return Budget(samples - samples // 2, samples // 2, samples // 2)
