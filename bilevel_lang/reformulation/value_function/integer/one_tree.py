"""The search in one tree: SCIP's branch and bound with the follower in it."""

from __future__ import annotations

from dataclasses import replace

from bilevel_lang.reformulation.value_function.integer.features import Features
from bilevel_lang.reformulation.value_function.integer.judge import TreeJudge
from bilevel_lang.reformulation.value_function.integer.opposition import as_opposed
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared, with_best
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.scip_tree import TreeSearch


def in_one_tree(prepared: Prepared) -> MatrixRun:
    """Search until the proof, or the end of the time."""
    return OneTree(prepared).go(prepared.options.time_limit)


class OneTree:
    """A search that can be interrupted: :meth:`go` goes on where it stopped."""

    def __init__(self, prepared: Prepared) -> None:
        extended, features = prepared.extended, Features()
        opposed = as_opposed(extended) if features.opposed else None
        if opposed is not None:
            # Steps say what the follower's columns can be, and the search does without them.
            extended, features = opposed, replace(features, directions=False)
        self._extended, self._opposed = extended, opposed is not None
        self.judge = TreeJudge(extended, prepared.follower, prepared.progress, features, prepared.incumbent)
        self._search = TreeSearch(extended.program, self.judge, prepared.options)

    def go(self, seconds: float | None) -> MatrixRun:
        """Search on for at most ``seconds``. LIMIT where they are over."""
        judge = self.judge
        run = self._search.go(seconds)
        message = f"{run.message}; {judge.cuts} cuts, {judge.solves} problems of the follower"
        run = replace(run, message=message, cuts=judge.cuts, follower_solves=judge.solves)
        if self._opposed or judge.follower.pessimistic:
            # SCIP's own point has fractions, or is no better than the one that the leader can be sure of: the judge has that one.
            run = replace(run, x=None, objective=None)
        return with_best(run, self._extended, judge.best)
