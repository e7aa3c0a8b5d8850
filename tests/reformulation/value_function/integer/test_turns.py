from __future__ import annotations

import pytest

from bilevel_lang.reformulation.value_function.integer import turns
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.reformulation.value_function.integer.turns import in_turns
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration, random_opposed, random_program
from tests.reformulation.value_function.integer.programs import moore90_extended


def run(seed: int) -> tuple[float | None, MatrixRun]:
    tiny = random_program(seed) if seed % 3 else random_opposed(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return None, MatrixRun(Termination.INFEASIBLE, "")
    prepared = Prepared(extended, Follower(extended, SolverOptions()), Progress(False), SolverOptions())
    return best_by_enumeration(tiny), in_turns(prepared)


@pytest.mark.parametrize("seed", [*range(30), 5059])
@pytest.mark.parametrize("first", [0.0005, 0.004])
def test_short_turns_against_enumeration(seed: int, first: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both engines are interrupted and go on; whichever has the proof, it is the same.
    monkeypatch.setattr(turns, "FIRST_TURN", first)
    known, found = run(seed)
    if known is None:
        assert found.termination is Termination.INFEASIBLE
        assert found.x is None
    else:
        assert found.termination is Termination.OPTIMAL
        assert found.objective == pytest.approx(known, abs=1e-9)
        assert found.bound == pytest.approx(known, abs=1e-9)


def test_the_loop_alone_where_its_turn_is_long_enough() -> None:
    extended = moore90_extended()
    found = in_turns(Prepared(extended, Follower(extended, SolverOptions()), Progress(False), SolverOptions()))
    assert (found.objective, found.bound) == (-22.0, -22.0)
    assert "disjunctions" in found.message
    assert "cuts" not in found.message


def test_no_time_at_all() -> None:
    extended = moore90_extended()
    options = SolverOptions(time_limit=1e-9)
    found = in_turns(Prepared(extended, Follower(extended, SolverOptions()), Progress(False), options))
    assert found.termination is Termination.LIMIT
    assert found.x is None


@pytest.mark.parametrize(
    ("loop_bound", "order"),
    [(-30.0, ["loop", "tree", "loop", "tree", "loop", "tree"]), (-50.0, ["loop", "tree", "tree", "tree", "tree", "loop"])],
)
def test_a_loop_that_finishes_nothing_waits_unless_its_bound_is_ahead(
    loop_bound: float, order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extended = moore90_extended()
    search = turns._Turns(Prepared(extended, Follower(extended, SolverOptions()), Progress(False), SolverOptions()))
    sense, asked = search._loop.sense, []

    def turn(engine: str, go: object, seconds: float) -> MatrixRun:
        asked.append(engine)
        ended = Termination.INTERRUPTED if len(asked) == len(order) else Termination.LIMIT
        search._last[engine] = MatrixRun(ended, "", bound=sense * (loop_bound if engine == "loop" else -40.0))
        return search._last[engine]

    monkeypatch.setattr(search, "_turn", turn)
    search.run()
    assert asked == order
