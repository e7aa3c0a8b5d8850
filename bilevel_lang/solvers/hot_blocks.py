"""A MILP again and again, by branch and price where knapsacks are its greater part; otherwise, and for whatever that does not
settle, by HiGHS."""

from __future__ import annotations

from bilevel_lang.solvers.branch_and_price.form import BlockForm, block_form
from bilevel_lang.solvers.branch_and_price.search import Found, Search
from bilevel_lang.solvers.highs_instance import TOLERANCES
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

PATIENCE = 3
"""So many more programs may be left to HiGHS than are settled before; then it gets them all."""


class HotBlocks:
    """As :class:`~bilevel_lang.solvers.hot_milp.HotMilp`, with a ``gap`` of its own (relative)."""

    def __init__(self, form: BlockForm, gap: float, options: SolverOptions, deadline: float | None = None) -> None:
        program = form.program
        self.program, self.gap, self.deadline, self.solves = program, gap, deadline, 0
        self.left_over = 0
        self._options = options
        self._search = Search(form, gap)
        self._highs: HotMilp | None = None
        self._bounds, self._sides, self._cost = (
            (program.lower, program.upper),
            (program.row_lower, program.row_upper),
            program.cost,
        )

    def set_bounds(self, lower: Floats, upper: Floats) -> None:
        """New bounds (n,) for the next solves."""
        self._bounds = lower, upper

    def set_sides(self, lower: Floats, upper: Floats) -> None:
        """New sides (m,) of the rows for the next solves."""
        self._sides = lower, upper

    def set_cost(self, cost: Floats) -> None:
        """New costs (n,) for the next solves."""
        self._cost = cost

    def solve(self) -> MilpAnswer:
        """Minimise. Raises SolverFailedError where HiGHS gives up."""
        self.solves += 1
        if 2 * self.left_over > self.solves + PATIENCE:
            return self._by_highs()
        found = self._search.solve(self._cost, self._bounds, self._sides, self.deadline)
        if found.closed:
            return MilpAnswer(Termination.OPTIMAL, found.x, found.objective, found.bound)
        self.left_over += 1
        return _better(self._by_highs(found.x), found)

    def least(self) -> float:
        """A proven bound, many times quicker than :meth:`solve`; -inf where patterns prove nothing."""
        return self._search.least(self._cost, self._bounds, self._sides, self.deadline)

    def _by_highs(self, start: Floats | None = None) -> MilpAnswer:
        if self._highs is None:
            self._highs = HotMilp(self.program, self._options, self.deadline)
        hot = self._highs
        hot.deadline = self.deadline
        hot.set_bounds(*self._bounds)
        hot.set_sides(*self._sides)
        hot.set_cost(self._cost)
        return hot.solve(start)


def hot_milp(program: MatrixProgram, options: SolverOptions, deadline: float | None = None) -> HotMilp | HotBlocks:
    """The one that suits ``program``; the relative gap is ``mip_rel_gap`` of ``options.extra``, and HiGHS's tolerance without."""
    form = block_form(program)
    gap = float(options.extra.get("mip_rel_gap", TOLERANCES["mip_rel_gap"]))
    return HotMilp(program, options, deadline) if form is None else HotBlocks(form, gap, options, deadline)


def _better(answer: MilpAnswer, found: Found) -> MilpAnswer:
    """HiGHS's answer with what the search before it has found and proven."""
    if found.x is None or answer.termination not in (Termination.OPTIMAL, Termination.LIMIT):
        return answer
    known = answer.x is not None and answer.objective <= found.objective
    x, objective = (answer.x, answer.objective) if known else (found.x, found.objective)
    return MilpAnswer(answer.termination, x, objective, min(objective, max(answer.bound, found.bound)))
