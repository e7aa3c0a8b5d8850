from __future__ import annotations

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import MpsSyntaxError
from bilevel_lang.grammar.printer import print_info
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.entries import Core, Entry
from bilevel_lang.smps_files.pyomo_model import annotation, scenario_model
from bilevel_lang.smps_files.random_entries import Joint, StochasticData
from bilevel_lang.smps_files.stochastic_sections import read_stochastic
from bilevel_lang.smps_files.timing import Timing, read_timing
from tests.smps_files.files import CORE, INDEPENDENT, TIME
from tests.smps_files.test_stochastic_sections import SCENARIOS

TIMING = Timing(("ONE", "TWO"), 2, 1)


def test_the_core_with_parameters_where_it_is_random() -> None:
    core = Core(read_mps(CORE, "core.cor")[0])
    data = read_stochastic(SCENARIOS, "model.sto", core, TIMING)
    m = scenario_model(core, TIMING, data)
    assert [v.name for v in m.component_data_objects(pyo.Var)] == ["x[x1]", "x[x2]", "y[y1]", "y[y2]"]
    assert str(m.second["serve"].expr) == "data[RHS,serve]  <=  x[x1] + y[y1]"
    assert "data[y2,limit]*y[y2]" in str(m.second["limit"].expr)
    assert "data[y1,profit]*y[y1]" in str(m.cost.expr)
    assert pyo.value(m.data["RHS", "serve"]) == 3.0


def test_the_annotation_says_what_the_file_says() -> None:
    core = Core(read_mps(CORE, "core.cor")[0])
    text = print_info(annotation(read_stochastic(INDEPENDENT, "model.sto", core, TIMING), "<annotation>"))
    lines = text.splitlines()
    assert lines[0] == "stage 2 y second"
    assert lines[1] == "randvar data('RHS','serve') discrete 0.5 2.0 0.5 6.0"
    joint = print_info(annotation(read_stochastic(SCENARIOS, "model.sto", core, TIMING), "<annotation>"))
    assert "0.5 2.0 7.0 1.0 0.25 8.0 7.0 1.0 0.25 3.0 2.0 3.0" in joint


def test_a_file_may_hold_more_outcomes_than_a_text_has_words() -> None:
    entry = Entry(None, 1, ("RHS", "serve"))
    data = StochasticData([Joint((entry,), [(1e-5, (1.0,))] * 100_000, 1)])
    assert len(annotation(data, "<annotation>").statements[1].numbers) == 200_000  # type: ignore[union-attr]


def test_a_column_of_the_second_stage_in_a_row_of_the_first_is_a_mistake() -> None:
    text = CORE.replace("y1  profit  2  serve  1", "y1  profit  2  budget  1")
    core = Core(read_mps(text, "core.cor")[0])
    timing = read_timing(TIME, "core.tim", core.instance)
    data = read_stochastic(INDEPENDENT, "model.sto", core, timing)
    said = "core.tim:4:5: .*row `budget` of the core is of the first stage, and holds `y1` of the second"
    with pytest.raises(MpsSyntaxError, match=said):
        scenario_model(core, timing, data)
