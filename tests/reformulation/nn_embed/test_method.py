"""The rewrite as users meet it: accepted on request only, verified answers, refusals that name the mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang import solve
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed import supplier
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose
from bilevel_lang.solution import Exactness, Status
from tests.reformulation.nn_embed.followers import continuous, interdiction, resolved

QUICK = NnOptions(samples=30, layers=(6,))


@pytest.fixture(autouse=True)
def _short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier, "STEPS", 60)


def test_the_answer_is_the_truth_and_the_surrogate_has_its_own_field() -> None:
    m, info = continuous()
    found = solve(m, info, method="nn-embed", nn=QUICK)
    assert found.verified and found.status in (Status.FEASIBLE, Status.OPTIMAL)
    assert found.objective == pytest.approx(-12.0, abs=1e-4)
    assert m.x.value == pytest.approx(0.0, abs=1e-6) and m.y.value == pytest.approx(3.0, abs=1e-6)
    assert found.surrogate is not None and found.surrogate["kind"] == "cuts"
    assert found.approximate_objective == pytest.approx(-12.0, abs=1e-4)
    assert found.bound is not None and found.bound <= -12.0 + 1e-6


@pytest.mark.parametrize(("network", "told"), [("auto", True), ("relu", False)])
def test_layers_that_exact_cuts_leave_without_use_are_told(network: str, told: bool) -> None:
    found = solve(*continuous(), method="nn-embed", nn=replace(QUICK, network=network))
    assert any("`layers` did nothing" in said for said in found.messages) is told
    silent = solve(*continuous(), method="nn-embed", nn=replace(QUICK, network=network, layers=None))
    assert not any("did nothing" in said for said in silent.messages)


def test_without_time_the_time_is_named_and_not_the_problem() -> None:
    found = solve(*continuous(), method="nn-embed", nn=QUICK, time_limit=1e-3)
    assert found.status is Status.LIMIT and any("time limit was over" in said for said in found.messages)


def test_without_proof_it_is_an_approximation() -> None:
    found = solve(*interdiction(), method="nn-embed", nn=QUICK)
    assert found.verified and found.status is Status.FEASIBLE and found.exactness is Exactness.APPROXIMATION
    assert found.objective == pytest.approx(7.0)


def test_auto_never_takes_it() -> None:
    for made in (continuous(), interdiction()):
        rewrite, path = choose(resolved(made), Options())
        assert rewrite.name != "nn-embed"
        assert not any(line.startswith("chosen    nn-embed") for line in path)


def test_an_input_without_bounds_is_named() -> None:
    m, info = continuous(None)
    m.cap.deactivate()
    m.y.setub(None)
    with pytest.raises(RefusedError, match="`x` has no upper bound"):
        solve(m, info, method="nn-embed", nn=QUICK)


@pytest.mark.parametrize(("options", "said"), [({"position": "pessimistic"}, "pessimistic"), ({"encoding": "sos1"}, "encode")])
def test_what_it_cannot_do_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        solve(*continuous(), method="nn-embed", **options)


def test_rows_that_contradict_one_another_are_infeasible() -> None:
    m, info = continuous()
    m.never = pyo.Constraint(expr=m.x >= 9)
    found = solve(m, info, method="nn-embed", nn=QUICK)
    assert found.status is Status.INFEASIBLE


@pytest.mark.slow
def test_a_cluster_and_processes_give_the_same_answer_as_this_process(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'bilevel-lang[dask]'")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as running:
        ways = {"alone": {}, "processes": {"workers": 2}, "dask": {"cluster": running.scheduler_address}}
        found = {
            name: solve(*continuous(), method="nn-embed", nn=replace(QUICK, folder=tmp_path / name, **way))  # type: ignore[arg-type]
            for name, way in ways.items()
        }
    assert len({answer.objective for answer in found.values()}) == 1
    drawn = [{p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.samples")} for name in ways]
    assert drawn[0] and drawn[0] == drawn[1] == drawn[2]
