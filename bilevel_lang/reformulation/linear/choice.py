"""Which encoding an MPEC on arrays gets, and why."""

from __future__ import annotations

from bilevel_lang.reformulation.encoding_choice import NO_BIG_M, NO_SCHOLTES, NO_SOS1, Choice
from bilevel_lang.reformulation.linear.branching.violated_pairs import takes
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS, linear_encoding
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.two_stage import FIRST
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import Feature

QUADRATIC_LIMIT = 500
"""Up to this many columns a convex quadratic objective goes to ``branch`` first: HiGHS's QP solver is for small programs."""


def choose_linear_encoding(mpec: LinearMpec, options: Options) -> Choice | str:
    """The encoding with the reasons as ``--explain`` prints them; or why none of those on arrays is meant."""
    solvers = {name for e in LINEAR_ENCODINGS for name in e.solvers}
    if options.solver is not None and options.solver not in solvers:
        return f"`{options.solver}` takes Pyomo models"
    if options.encoding is not None:
        return _asked_for(options.encoding, options.solver)
    if options.solver == "highs" and options.big_m is None and takes(mpec.program) is None:
        chosen = "chosen    branch: highs was asked for; exact, no big-M; all rows and conditions are linear"
        return _asked_for("branch", "highs", (chosen, NO_SOS1.format(solver="highs"), NO_SCHOLTES.format(why="it is for ipopt")))
    if options.solver == "highs":
        given = " with the M that was given" if options.big_m is not None else ""
        chosen = f"chosen    big-m: highs was asked for, and big-m is the encoding it takes{given}"
        return _asked_for("big-m", "highs", (chosen, NO_SOS1.format(solver="highs"), NO_SCHOLTES.format(why="it is for ipopt")))
    return _automatic(mpec, options)


def _asked_for(name: str, solver: str | None, reasons: tuple[str, ...] | None = None) -> Choice | str:
    encoding = linear_encoding(name)
    if encoding is None or (solver is not None and solver not in encoding.solvers):
        return f"`{name}` takes Pyomo components" + (f" where {solver} solves it" if solver else "")
    return Choice(name, reasons or (f"chosen    {name}: asked for",))


def _automatic(mpec: LinearMpec, options: Options) -> Choice | str:
    features = mpec.program.features()
    if features & {Feature.NONCONVEX_OBJECTIVE, Feature.QUADRATIC_ROWS}:
        return "the leader's objective or rows are quadratic and not convex"
    name, chosen = "sos1", "chosen    sos1: exact, no big-M; all rows and conditions are linear"
    if _for_branch(mpec, options):
        objective = "the leader's objective is linear" if mpec.program.quadratic is None else "the leader's is a convex QP"
        name, chosen = "branch", f"chosen    branch: exact, no big-M; all rows and conditions are linear, {objective}"
    if mpec.program.integer.any():
        j = int(mpec.program.integer.nonzero()[0][0])
        why = f"`{mpec.column_name(j)}` is integer"
        return Choice("sos1", (chosen, NO_BIG_M, NO_SCHOLTES.format(why=why)))
    if options.solver is not None or by_name("ipopt").missing() is not None:
        why = "ipopt is not installed" if options.solver is None else f"{options.solver} was asked for"
        return Choice(name, (chosen, NO_BIG_M, NO_SCHOLTES.format(why=why)))
    after = f"in hand   scholtes from {options.starts} starts, if {FIRST:g} s bring no proof, then {name} once more"
    after += " from the point found"
    return Choice(name, (chosen, after, NO_BIG_M), "scholtes", again=True)


def _for_branch(mpec: LinearMpec, options: Options) -> bool:
    """Whether the search over LPs or QPs is meant: not where the user has said something to SCIP."""
    program = mpec.program
    if options.solver is not None or options.solver_options.keys() - {"start"} or program.integer.any():
        return False
    small = program.quadratic is None or program.columns <= QUADRATIC_LIMIT
    return small and not program.quadratic_rows and takes(program) is None
