"""The extensive form as arrays against the one that Pyomo states."""

from __future__ import annotations

from typing import Any

import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.extension import Extension
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.stochastic.test_compilation import EVERYWHERE, everywhere
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor, profits


def arrays_of_text(m: Any, text: str) -> TwoStageArrays:
    problem = bl.resolve(m, text)
    assert problem.stochastic is not None
    return compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays


@pytest.mark.parametrize(
    ("make", "text"),
    [(newsvendor, THREE + LATE), (farmer, FARMER), (everywhere, EVERYWHERE)],
    ids=["news", "farmer", "everywhere"],
)
def test_the_optimum_is_that_of_the_components(make: Any, text: str) -> None:
    arrays = arrays_of_text(make(), text)
    mine = Highs().run_matrix(extensive_form(arrays), SolverOptions())
    theirs = bl.reformulate(make(), text).run(Options())
    assert mine.objective == pytest.approx(theirs.objective, rel=1e-9)


def test_sizes_and_the_way_back() -> None:
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    form = extensive_form(arrays)
    assert (form.columns, form.rows) == (1 + 3 * 3, 2 * 3)
    run = Highs().run_matrix(form, SolverOptions())
    assert run.x is not None
    x, y = parted(arrays, run.x)
    assert x == pytest.approx([60])
    costs = y @ arrays.cost + arrays.first.objective_at(x)
    assert costs == pytest.approx(profits(60))


def test_a_row_over_all_scenarios_counts_with_expected_values() -> None:
    # No more than 3 units of stock in expectation: with probability 0.3 each, 90, 60, 30 against x leave 0.3 (x - 30) at x <= 60.
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    stored = int((arrays.cost == -10).argmax())
    extension = Extension(arrays)
    extension.couple({}, {stored: 1.0}, 0.0, 3.0)
    run = Highs().run_matrix(extensive_form(extension.finished()), SolverOptions())
    assert run.x is not None
    assert run.x[0] == pytest.approx(40)
