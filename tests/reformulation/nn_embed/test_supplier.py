"""What the engine knows of a target before it trains."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed import supplier as supplier_module
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.lessons import lessons
from bilevel_lang.reformulation.nn_embed.supplier import Supplier
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, options
from tests.reformulation.nn_embed.test_program import VALUE


def test_the_value_of_an_lp_follower_is_given_by_its_cuts() -> None:
    source, inputs, domain = arrays(continuous())
    judge = Judge(source, inputs, SolverOptions())
    labels = lessons([judge.ask(np.array([x])) for x in np.linspace(0, 5, 21)], "value", source, inputs, domain)
    supplier = Supplier(source, domain, options())
    found = supplier.supply(labels, "value", None)
    assert found is not None and found.kind == "cuts"
    points = np.linspace(0, 4.5, 50)
    assert np.allclose(found.network(points[:, None])[:, 0], np.maximum(3 - points, points - 1))
    assert supplier.said == ["value by cuts: held-out error 0, near good decisions 0"] or "cuts" in supplier.said[0]


def test_binary_decisions_get_a_convex_network_that_costs_no_binaries() -> None:
    source, inputs, domain = arrays(interdiction())
    judge = Judge(source, inputs, SolverOptions())
    known = [judge.ask(np.array([b >> i & 1 for i in range(4)], dtype=float)) for b in range(16)]
    used = [v for v in known if v.point is not None]
    asked = replace(options(), nn=replace(options().nn, network="icnn", layers=(6,)))
    found = Supplier(source, domain, asked).supply(lessons(used, "leader", source, inputs, domain), "leader", None)
    assert found is not None and found.kind == "icnn" and found.network.convex().all()


def test_too_few_samples_are_said() -> None:
    source, _, domain = arrays(continuous())
    supplier = Supplier(source, domain, options())
    assert supplier.supply(None, "value", None) is None
    assert "too few" in supplier.said[0]


def test_a_given_network_is_used_as_it_is() -> None:
    source, _, domain = arrays(continuous())
    given = Fitted("onnx", VALUE.widths, VALUE, float("nan"), float("nan"), float("nan"))
    supplier = Supplier(source, domain, options(), given)
    assert supplier.supply(None, "value", None) is given and not supplier.samples_needed


def test_a_search_is_made_once_for_a_target_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supplier_module, "STEPS", 200)
    source, inputs, domain = arrays(interdiction())
    judge = Judge(source, inputs, SolverOptions())
    known = [judge.ask(np.array([b >> i & 1 for i in range(4)], dtype=float)) for b in range(16)]
    labels = lessons([v for v in known if v.point is not None], "leader", source, inputs, domain)
    supplier = Supplier(source, domain, options(network="relu", search=4))
    first = supplier.supply(labels, "leader", None)
    supplier.supply(labels, "leader", None)
    assert first is not None and sum("4 settings searched" in line for line in supplier.said) == 1
