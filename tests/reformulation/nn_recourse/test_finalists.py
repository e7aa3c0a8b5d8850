from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import contender, finalists
from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.finalists import Finalists
from bilevel_lang.reformulation.nn_recourse.probe import Probe, Probed
from bilevel_lang.reformulation.nn_recourse.scout import Scout
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def test_finalists_are_evaluated_until_those_that_are_left_look_no_better() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    scouted = Scout(arrays, decisions, None).ask(corners())
    order = np.arange(arrays.scenarios)
    truth = {x.tobytes(): recourse_at(arrays, x).values for x in corners()}
    contenders = []
    for one in scouted:
        contenders.append(Contender(one, order, arrays.probabilities))
        for value in truth[one.x.tobytes()]:
            contenders[-1].enter(float(value), float(value))
    # The second best goes first, so that the best one has to overtake it.
    contenders.sort(key=lambda c: c.estimate())
    contenders[:2] = contenders[1::-1]
    said: list[str] = []
    final = Finalists(archive, Probe(arrays, 0.5), None, said.append)
    final.run(contenders)
    best = archive.best
    totals = {x: float(arrays.probabilities @ v) + arrays.first.objective_at(np.frombuffer(x)) for x, v in truth.items()}
    assert best is not None
    assert best.total == pytest.approx(min(totals.values()), rel=1e-3)
    assert len(archive.evaluations) == 2
    assert len(said) == 2
    assert final.leader is not None and final.leader.scouted.x.tobytes() == best.x.tobytes()
    assert final.leader.tried == arrays.scenarios
    final.run(contenders)
    assert len(archive.evaluations) == 2


def test_a_first_finalist_without_an_answer_leaves_its_place_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    probe = Probe(arrays, 1e-3)
    contenders = [
        Contender(s, np.arange(arrays.scenarios), arrays.probabilities) for s in Scout(arrays, decisions, None).ask(corners())
    ]
    broken, solve, any_answer = contenders[0].scouted.x, probe.__call__, probe.any_answer
    nothing = Probed(np.inf, np.inf, None)
    monkeypatch.setattr(Probe, "__call__", lambda self, k, x, most=np.inf: nothing if (x == broken).all() else solve(k, x, most))
    monkeypatch.setattr(Probe, "any_answer", lambda self, k, x: nothing if (x == broken).all() else any_answer(k, x))
    monkeypatch.setattr(contender, "FEWEST", 2)
    for each in contenders[1:]:
        for value in recourse_at(arrays, each.scouted.x).values[:2]:
            each.enter(float(value), float(value))
    final = Finalists(archive, probe, None, lambda said: None)
    final.run(contenders)
    best = archive.best
    assert final.leader is not None and best is not None
    assert np.isfinite(best.total) and not (best.x == broken).all()


@pytest.mark.parametrize(("deadline", "gaps"), [(None, [1e-3]), (np.inf, [1e-3, 1e-4])])
def test_a_time_limit_that_leaves_time_ends_with_closer_scenarios(
    monkeypatch: pytest.MonkeyPatch, deadline: float | None, gaps: list[float]
) -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    x = corners()[-1]
    truth = recourse_at(arrays, x)
    # As if every answer were bad and nothing proven.
    archive.enter(archive.key(x[decisions.seen]), x, 2 * abs(truth.values), truth.values * 0, truth.y)
    made: list[float] = []

    class Loose(Probe):
        def __init__(self, arrays: TwoStageArrays, gap: float, deadline: float | None = None) -> None:
            super().__init__(arrays, gap, deadline)
            made.append(gap)

        def __call__(self, number: int, point: Floats, most: float = np.inf) -> Probed | None:
            found = super().__call__(number, point, most)
            assert found is not None
            return Probed(found.value, found.value * (1 - self.gap), found.y)

    monkeypatch.setattr(finalists, "Probe", Loose)
    final = Finalists(archive, Probe(arrays, 0.5), None, lambda said: None)
    final.deadline = deadline
    final.sharpen()
    assert made == gaps
    assert archive.best is not None
    sharp = archive.evaluation(archive.best)
    assert sharp is not None
    assert sharp.values == pytest.approx(truth.values, rel=gaps[-1])
    assert (sharp.values - sharp.bounds) / sharp.values == pytest.approx(gaps[-1])
