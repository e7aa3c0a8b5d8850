"""A linear bilevel program with linking variables that need not be whole, from its arrays to an answer with a proof.

Each round solves the relaxation of :mod:`.master`, and the follower at its decision. Where the answer there is a best one, it is
the optimum; else the policy of the better answer goes into the relaxation. There are finitely many policies. Where the relaxation
touches the limit of the very policy that refutes it, it goes on with a witness: the best value may be approached there and not
attained.

Reference: Koeppe, Queyranne and Ryan 2010, J. Optim. Theory Appl. 146:137 (the infimum need not be attained); Moore and Bard
1990, Oper. Res. 38:911; Mitsos 2010, J. Glob. Optim. 47:557.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.continuous.follower import BEST, Answer, LinkedFollower
from bilevel_lang.reformulation.value_function.continuous.master import Master
from bilevel_lang.reformulation.value_function.continuous.policies import EPSILON
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.follower import OutOfTimeError
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.reformulation.value_function.integer.search import UNBOUNDED
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.tree_judge import TreeState

GAP = 1e-7
"""Relative distance of bound and answer at which the search ends, where no ``gap`` is asked for."""

APPROACHED = 1e-4
"""The same with a witness."""

LEAST_STEP = 0.02
"""The share of the way to the witness that a point has to go at least: so far off the limit is more than solvers' tolerances."""

NARROW = 1e-3
"""The share of :data:`EPSILON` below which a region has no width but what is rounding."""

SOLVERS: dict[str, Callable[[], Scip | Highs]] = {"scip": Scip, "highs": Highs}
"""Those of the relaxation, by name; the first is the default."""

BOX = 1e3
"""Bounds of all columns where the relaxation has none: for a point to learn from, nothing else."""

BOUNDLESS = (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)


@dataclass(frozen=True, eq=False)
class Found:
    """What the search ended with; ``epsilon`` in words, empty where the answer is exact."""

    run: MatrixRun
    epsilon: str


def find_optimum(source: BilevelProgram, solver: str, options: Options) -> Found:
    """The best point of ``source``. Raises SolverMissingError, SolverFailedError."""
    return _Search(source, solver, options).run()


class _Search:
    def __init__(self, source: BilevelProgram, solver: str, options: Options) -> None:
        self.source, self.solver, self.options = source, solver, options
        self.sense = source.relaxation.sense
        self.began = time.perf_counter()
        self.deadline = None if options.time_limit is None else self.began + options.time_limit
        self.plain = replace(options.for_solver(None), gap=None, verbose=False)
        self.master = Master(source)
        self.follower = LinkedFollower(source, self.master.most, SolverOptions(seed=options.seed), self.deadline)
        self.progress = Progress(options.verbose)
        self.witness = False
        self.best: Floats | None = None
        self.best_objective = math.inf
        self.bound = -math.inf
        self.closed_bound = -math.inf
        """The bound before there was a witness; both of the minimisation."""
        self.nodes = 0
        self.complete = True
        """Whether nothing is lost where no point was a witness."""

    def run(self) -> Found:
        try:
            termination, said = self._checked(*self._rounds())
        except OutOfTimeError:
            termination, said = Termination.LIMIT, "the time limit is reached"
        except KeyboardInterrupt:
            termination, said = Termination.INTERRUPTED, "interrupted"
        return self._found(termination, said)

    def _rounds(self) -> tuple[Termination, str]:
        if self.follower.improves_without_end():
            return Termination.INFEASIBLE, "the follower has no best answer to any decision: its objective is unbounded"
        while True:
            found = self._relaxed(self.master.program(self.witness))
            self.nodes += found.nodes or 0
            if found.termination is Termination.INFEASIBLE:
                return self._nothing_left()
            if found.termination in BOUNDLESS:
                if not self._is_bounded_by_the_follower():
                    return Termination.INFEASIBLE_OR_UNBOUNDED, f"{UNBOUNDED}: give the leader's variables bounds"
                continue
            self._bounded_by(found)
            if found.termination is not Termination.OPTIMAL or found.x is None:
                return found.termination, found.message
            ended = self._approach(found.x) if self.witness else self._learn(found.x)
            if ended is not None:
                return ended
            if self._distance() <= self._wanted:
                return Termination.OPTIMAL, "the bounds have met"
            self._tell()

    def _relaxed(self, program: MatrixProgram) -> MatrixRun:
        left = None if self.deadline is None else self.deadline - time.perf_counter()
        if left is not None and left <= 0:
            raise OutOfTimeError("the time limit is reached")
        options = replace(self.plain, time_limit=left)
        return SOLVERS[self.solver]().run_matrix(program, options)

    def _bounded_by(self, found: MatrixRun) -> None:
        if found.bound is None:
            return
        self.bound = max(self.bound, self.sense * found.bound)
        if not self.witness:
            self.closed_bound = self.bound

    # Points

    def _learn(self, x: Floats) -> tuple[Termination, str] | None:
        """What the follower says of the relaxation's point; the end where it is the optimum."""
        z = self._tidy(x)
        if self._is_solution(z):
            return Termination.OPTIMAL, "the follower's answer in the relaxation is a best one"
        if self.master.policies[-1].excess(z) >= -EPSILON * LEAST_STEP:
            self.witness = True
        return None

    def _is_bounded_by_the_follower(self) -> bool:
        """Whether a point in a box has taught the unbounded relaxation something, which may give it a bound."""
        known = len(self.master.policies)
        program = self.master.program(witness=False)
        point = self._relaxed(replace(program, lower=np.maximum(program.lower, -BOX), upper=np.minimum(program.upper, BOX)))
        if point.x is not None:
            self._is_solution(self._tidy(point.x))
        return len(self.master.policies) > known

    def _approach(self, x: Floats) -> tuple[Termination, str] | None:
        """The same with a witness: the best one for the leader, and a point between it and the relaxation's."""
        leaf = self._relaxed(self.master.leaf(x))
        inside = self.master.witness_of(x if leaf.x is None else leaf.x)
        inside = self._tidy(inside)
        if not self._is_solution(inside):
            if self.master.policies[-1].excess(inside) >= EPSILON * (1 - LEAST_STEP):
                return Termination.FAILED, "a better answer of the follower could not be cut off: rescale the model"
            return None
        if (distance := self._distance()) > self._wanted:
            step = max(LEAST_STEP, 0.5 * self._wanted / distance)
            near = self._tidy(x)
            self._is_solution(near + step * (inside - near))
        if self._distance() <= self._wanted:
            return Termination.OPTIMAL, "the best value is approached"
        return Termination.LIMIT, "the best value can be approached, but no nearer within the solvers' tolerances"

    def _is_solution(self, z: Floats) -> bool:
        """Whether the follower has no better answer; learns from it in either case."""
        answer = self.follower.answer(z)
        value = float(self.source.follower_cost @ z)
        solved = value <= answer.value + 10 * BEST * max(1.0, abs(answer.value))
        if solved:
            self._remember(z)
        else:
            self._add(z, answer, value)
            favourable = self.follower.favourable(z, answer.value)
            if favourable is not None:
                self._remember(favourable)
        return solved

    def _add(self, z: Floats, answer: Answer, value: float) -> None:
        """The better answer's policy comes last."""
        margin = 1e-6 * max(1.0, abs(value))
        for at_most in {answer.value, value - margin}:
            policy = self.follower.hard_to_violate(z, at_most)
            if policy is not None:
                self.master.add(policy)
        self.master.add(answer.policy)

    def _tidy(self, x: Floats) -> Floats:
        relaxation = self.source.relaxation
        z = x[: relaxation.columns].copy()
        z[relaxation.integer] = np.rint(z[relaxation.integer])
        inside: Floats = np.clip(z, relaxation.lower, relaxation.upper)
        return inside

    def _remember(self, z: Floats) -> None:
        objective = self.sense * self.source.relaxation.objective_at(z)
        if objective < self.best_objective:
            self.best, self.best_objective = z.copy(), objective

    # The end

    def _checked(self, termination: Termination, said: str) -> tuple[Termination, str]:
        """The same, once it is known whether there are narrow regions that had no witness."""
        if not self.witness or termination not in (Termination.OPTIMAL, Termination.INFEASIBLE):
            self.complete = not self.witness
            return termination, said
        at_most = None if not math.isfinite(self.bound) or self.best is None else self.bound - GAP * max(1.0, abs(self.bound))
        found = self._relaxed(self.master.widest(at_most))
        self.nodes += found.nodes or 0
        width = 0.0 if found.termination is Termination.INFEASIBLE else found.bound
        self.complete = width is not None and -width <= NARROW
        if self.complete or termination is Termination.OPTIMAL:
            return termination, said
        return Termination.LIMIT, f"nothing is left but regions narrower than {EPSILON:g}, where no answer could be told"

    @property
    def _wanted(self) -> float:
        """Absolute."""
        relative = self.options.gap if self.options.gap is not None else APPROACHED if self.witness else GAP
        return max(relative, GAP) * max(1.0, abs(self.best_objective)) if self.best is not None else 0.0

    def _distance(self) -> float:
        return self.best_objective - self.bound if self.best is not None else math.inf

    def _nothing_left(self) -> tuple[Termination, str]:
        if self.best is not None:
            self.bound = self.best_objective
            return Termination.OPTIMAL, "nothing is left beside the best point"
        return Termination.INFEASIBLE, "no point of the relaxation has a best answer of the follower"

    def _found(self, termination: Termination, said: str) -> Found:
        cuts, solves = len(self.master.policies), self.follower.solves
        # Without the last word on narrow regions what was proven with a witness is none for all decisions.
        proven = self.bound if not self.witness or termination is Termination.OPTIMAL else self.closed_bound
        bound = min(proven, self.best_objective)
        run = MatrixRun(
            termination,
            SOLVERS[self.solver]().version(),
            x=self.best,
            objective=None if self.best is None else self.sense * self.best_objective,
            bound=self.sense * bound if math.isfinite(bound) else None,
            seconds=time.perf_counter() - self.began,
            message=f"{said}; {cuts} policies, {solves} problems of the follower",
            nodes=self.nodes,
            cuts=cuts,
            follower_solves=solves,
        )
        return Found(run, self._epsilon() if self.best is not None else "")

    def _epsilon(self) -> str:
        """What the answer may miss, in words; nothing where it is exact."""
        said = []
        if self.witness and self._distance() > GAP * max(1.0, abs(self.best_objective)):
            said.append(f"the answer is {self._distance():.2g} from the bound; {NOT_ATTAINED}")
        if not self.complete:
            rest = self.sense * self.closed_bound
            said.append(f"decisions off such a row by less than epsilon were left out; with them the bound is {rest:.10g}")
        if not said:
            return ""
        return "; ".join([f"epsilon-optimal with epsilon = {EPSILON:g} max(1, |side of the follower's row|)", *said])

    def _tell(self) -> None:
        best = self.sense * self.best_objective if self.best is not None else None
        bound = self.sense * self.bound if math.isfinite(self.bound) else None
        state = TreeState(time.perf_counter() - self.began, self.nodes, 0, best, bound)
        self.progress.tell(state, len(self.master.policies), self.follower.solves)


NOT_ATTAINED = (
    "the best value is perhaps approached and not attained: at its very decision a better answer of the follower becomes feasible"
    ", and the answer keeps off there by at most epsilon"
)
