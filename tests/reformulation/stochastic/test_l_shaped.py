from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.registry import choose
from bilevel_lang.reformulation.stochastic import l_shaped
from tests.reformulation.stochastic.test_decomposition import servers
from tests.stochastic_models import LATE, RISKY, THREE, newsvendor, newsvendor_with_profit


def test_both_methods_give_one_answer_and_the_examiner_agrees() -> None:
    m, text = servers(2)
    answers = [bl.solve(m, text, method=method) for method in ("l-shaped", "extensive-form")]
    assert [a.method for a in answers] == ["l-shaped", "extensive-form"]
    assert [a.status.value for a in answers] == ["optimal", "optimal"]
    assert answers[0].objective == pytest.approx(answers[1].objective)
    assert answers[0].verified
    assert "l-shaped" in answers[0].solver
    assert answers[0].stochastic is not None and answers[1].stochastic is not None
    assert answers[0].stochastic.evpi == pytest.approx(answers[1].stochastic.evpi)


def test_the_engine_takes_it_where_the_extensive_form_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    m, text = servers(2)
    problem = bl.resolve(m, text)
    rewrite, path = choose(problem, Options())
    assert rewrite.name == "extensive-form"
    assert any("refused   l-shaped: the extensive form, with 120 integers" in line for line in path)
    monkeypatch.setattr(l_shaped, "WORTH", 120)
    assert choose(problem, Options())[0].name == "l-shaped"
    monkeypatch.setattr(l_shaped, "MOST_BINARIES", 3)
    assert choose(problem, Options())[0].name == "extensive-form"


@pytest.mark.parametrize(
    ("model", "text", "options", "said"),
    [
        (newsvendor, THREE + LATE, {}, "`x` of the first stage is not binary"),
        (newsvendor_with_profit, RISKY + "cvarlo p 0.1", {}, "tie the scenarios together"),
        (lambda: servers(0)[0], servers(0)[1], {"solver": "scip"}, "works with HiGHS, not with scip"),
        (newsvendor, "", {}, "nothing in the annotation is random"),
    ],
)
def test_what_it_does_not_take(model: object, text: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        bl.solve(model(), text, method="l-shaped", **options)  # type: ignore[operator]


def test_reformulate_gives_the_extensive_form() -> None:
    m, text = servers(3)
    made = bl.reformulate(m, text, method="l-shaped")
    assert len(made.model.scenario) == 6
    assert isinstance(made.model.expected, pyo.Objective)


def test_a_second_stage_without_integers_is_taken_as_well() -> None:
    m, text = servers(2)
    for i in m.I:
        for j in m.J:
            m.y[i, j].domain = pyo.NonNegativeReals
    answers = [bl.solve(m, text, method=method) for method in ("l-shaped", "extensive-form")]
    assert [a.status.value for a in answers] == ["optimal", "optimal"]
    assert answers[0].objective == pytest.approx(answers[1].objective)
    assert answers[0].verified
