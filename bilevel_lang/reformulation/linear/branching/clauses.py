"""Clauses: sets of pairs of which at least one must have its first side at 0. What is learned once holds in the whole tree.

As in SAT solvers: a clause with one pair left undecided decides it, one with none left refutes the node.
Reference: Hu, Mitchell, Pang, Bennett and Kunapuli 2008, SIAM J. Optim. 19:445 (logical Benders cuts of such LPs);
Hansen, Jaumard and Savard 1992, SIAM J. Sci. Stat. Comput. 13:1194 (the same sets from monotonicity, for bilevel LPs).
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

OPEN, FIRST, SECOND = 0, 1, 2
"""State of a pair at a node: undecided, the first side is 0, the second side is 0."""


class Clauses:
    """A growing set of clauses over ``pairs`` pairs; one that an older one implies is not taken."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs
        self._clauses: list[Ints] = []
        self._members = np.zeros(0, dtype=np.int64)
        self._starts = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._clauses)

    def add(self, clause: Ints) -> None:
        """Take ``clause`` (distinct pairs, at least one); drop those that it implies."""
        inside = np.zeros(self._pairs, dtype=bool)
        inside[clause] = True
        if self._clauses:
            shared = self._sums(inside)
            sizes = np.diff(np.append(self._starts, len(self._members)))
            if (shared == sizes).any():
                return
            weaker = shared == len(clause)
            if weaker.any():
                self._clauses = [c for c, drop in zip(self._clauses, weaker, strict=True) if not drop]
        self._clauses.append(clause)
        self._members = np.concatenate(self._clauses)
        self._starts = np.concatenate([[0], np.cumsum([len(c) for c in self._clauses])[:-1]]).astype(np.int64)

    def propagate(self, state: Ints) -> bool:
        """Decide in ``state`` (in place) what clauses force; False if one of them cannot hold any more."""
        while self._clauses:
            unsatisfied = self._sums(state == FIRST) == 0
            undecided = self._sums(state == OPEN)
            if (unsatisfied & (undecided == 0)).any():
                return False
            units = np.flatnonzero(unsatisfied & (undecided == 1))
            if not units.size:
                break
            for i in units:
                clause = self._clauses[i]
                state[clause[state[clause] == OPEN]] = FIRST
        return True

    def shortest(self, state: Ints, at_zero: Flags) -> Ints | None:
        """The undecided pairs of the clause with fewest of them that the point does not satisfy; None where there is none.

        ``at_zero``: which pairs have their first side at 0 at the point.
        """
        if not self._clauses:
            return None
        broken = np.flatnonzero(self._sums((state == FIRST) | at_zero) == 0)
        if not broken.size:
            return None
        clause = self._clauses[broken[self._sums(state == OPEN)[broken].argmin()]]
        undecided: Ints = clause[state[clause] == OPEN]
        return undecided

    def _sums(self, flags: Flags | Floats) -> Ints:
        """For every clause, how many of its pairs are flagged."""
        counts: Ints = np.add.reduceat(flags[self._members].astype(np.int64), self._starts)
        return counts
