from __future__ import annotations

import pytest

from bilevel_lang.errors import BilevelError, RefusedError
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.entries import Core
from bilevel_lang.smps_files.random_entries import StochasticData
from bilevel_lang.smps_files.stochastic_sections import read_stochastic
from bilevel_lang.smps_files.timing import Timing
from tests.smps_files.files import CORE, INDEPENDENT


def read(text: str) -> StochasticData:
    core = Core(read_mps(CORE, "core.cor")[0])
    return read_stochastic(text, "model.sto", core, Timing(("ONE", "TWO"), 2, 1))


def joints(text: str) -> list[tuple[list[str], list[tuple[float, tuple[float, ...]]]]]:
    return [([str(e) for e in j.entries], j.outcomes) for j in read(text).joints]


def test_independent_entries() -> None:
    assert joints(INDEPENDENT) == [
        (["(RHS, serve)"], [(0.5, (2.0,)), (0.5, (6.0,))]),
        (["(RHS, limit)"], [(0.25, (1.0,)), (0.75, (5.0,))]),
    ]


def test_added_and_multiplied_values_start_from_the_core() -> None:
    assert joints(INDEPENDENT.replace("DISCRETE", "DISCRETE ADD"))[0][1] == [(0.5, (5.0,)), (0.5, (9.0,))]
    assert joints(INDEPENDENT.replace("DISCRETE", "DISCRETE MULTIPLY"))[1][1] == [(0.25, (4.0,)), (0.75, (20.0,))]


BLOCKS = """STOCH
BLOCKS DISCRETE
 BL B1 TWO 0.4
    RHS serve 2 limit 1
 BL B1 TWO 0.6
    RHS limit 9
ENDATA
"""


def test_what_a_later_block_does_not_mention_is_as_in_the_first() -> None:
    assert joints(BLOCKS) == [(["(RHS, serve)", "(RHS, limit)"], [(0.4, (2.0, 1.0)), (0.6, (2.0, 9.0))])]


SCENARIOS = """STOCH
SCENARIOS DISCRETE
 SC S1 'ROOT' 0.5 TWO
    RHS serve 2
    y1 profit 7
 SC S2 S1 0.25 TWO
    RHS serve 8
 SC S3 ROOT 0.25 TWO
    y2 limit 3
ENDATA
"""


def test_scenarios_branch_from_the_core_or_from_one_another() -> None:
    assert joints(SCENARIOS) == [
        (
            ["(RHS, serve)", "(y1, profit)", "(y2, limit)"],
            [(0.5, (2.0, 7.0, 1.0)), (0.25, (8.0, 7.0, 1.0)), (0.25, (3.0, 2.0, 3.0))],
        )
    ]


def test_a_scenario_without_a_parent_may_begin_with_the_first_period() -> None:
    earlier = SCENARIOS.replace("ROOT' 0.5 TWO", "ROOT' 0.5 ONE").replace("ROOT 0.25 TWO", "ROOT 0.25 ONE")
    assert earlier.count("ONE") == 2
    assert joints(earlier) == joints(SCENARIOS)


@pytest.mark.parametrize(
    ("law", "numbers", "expected"),
    [
        ("NORMAL", "45 TWO 100", ("normal", 45.0, 10.0)),
        ("UNIFORM", "2 TWO 6", ("uniform", 2.0, 6.0)),
        ("GAMMA", "2 TWO 3", ("gamma", 3.0, 2.0)),
        ("BETA", "2 TWO 3", ("beta", 2.0, 3.0)),
        ("LOGNORM", "1 TWO 0.25", ("lognormal", 1.0, 0.5)),
    ],
)
def test_continuous_laws(law: str, numbers: str, expected: tuple[str, float, float]) -> None:
    (found,) = read(f"STOCH\nINDEP {law}\n    RHS serve {numbers}\nENDATA\n").laws
    assert found.law == expected


def test_probabilities_are_believed_to_the_digits_that_are_printed() -> None:
    lines = "".join(f" SC S{k} ROOT 0.066667 TWO\n    RHS serve {k}\n" for k in range(15))
    assert len(joints(f"STOCH\nSCENARIOS\n{lines}ENDATA\n")[0][1]) == 15
    with pytest.raises(BilevelError, match=r"sum to 1.0005"):
        joints(f"STOCH\nSCENARIOS\n{lines.replace('0.066667', '0.066700')}ENDATA\n")


MISTAKES = {
    (INDEPENDENT, "RHS  serve  2", "RHS  srve  2"): ("model.sto:3:10", "no row `srve`"),
    (INDEPENDENT, "RIGHT  limit  1", "WRONG  limit  1"): ("model.sto:5:5", "no column `WRONG`"),
    (INDEPENDENT, "2  TWO  0.5", "two  TWO  0.5"): ("model.sto:3:17", "`two` is not a finite number"),
    (INDEPENDENT, "2  TWO  0.5", "2  THREE  0.5"): ("model.sto:3:20", "`THREE` is not the second period"),
    (INDEPENDENT, "2  TWO  0.5", "2  TWO  0.4"): ("model.sto:3:5", "sum to 0.9, not to 1"),
    (INDEPENDENT, "2  TWO  0.5", "2"): ("model.sto:3:5", "a line of INDEP has"),
    (INDEPENDENT, "RHS  serve  2", "RHS  budget  2"): ("model.sto:3:10", "belongs to the first period"),
    (INDEPENDENT, "ENDATA", ""): ("model.sto:7", "no section ENDATA"),
    (INDEPENDENT, "INDEP", "INDPE"): ("model.sto:2:1", "did you mean INDEP?"),
    (BLOCKS, " BL B1 TWO 0.4\n", ""): ("model.sto:3:5", "an entry before any BL line"),
    (BLOCKS, "TWO 0.4", "TWO -0.4"): ("model.sto:3:12", "the probability -0.4 is negative"),
    (BLOCKS, "TWO 0.4", "TWO 0.4eX"): ("model.sto:3:12", "`0.4eX` is not a finite number"),
    (BLOCKS, "BL B1 TWO 0.4", "BL B1 TWO"): ("model.sto:3:2", "a BL line has"),
    (BLOCKS, "RHS limit 9", "RHS limit 9 limit 8"): ("model.sto:6:17", "(RHS, limit) comes a second time in this realisation"),
    (SCENARIOS, "RHS serve 8", "RHS serve 8\n    RHS serve 9"): ("model.sto:8:9", "(RHS, serve) comes a second time"),
    (SCENARIOS, "SC S2 S1", "SC S2 S9"): ("model.sto:6:8", "no scenario `S9` before this one"),
    (SCENARIOS, "SC S2 S1 0.25 TWO", "SC S2 S1 0.25 ONE"): ("model.sto:6:16", "`ONE` is not the second period"),
    (SCENARIOS, "SC S3", "SC S1"): ("model.sto:8:5", "scenario `S1` comes a second time"),
    (INDEPENDENT, "TWO  0.25", "TWO  -0.25"): ("model.sto:5:27", "the probability -0.25 is negative"),
    (INDEPENDENT, "ENDATA", "ENDATA\n    RHS serve 3 TWO 0.1"): ("model.sto:8:5", "text after ENDATA"),
    (INDEPENDENT, "ENDATA", "ENDATA\nINDEP DISCRETE"): ("model.sto:8:1", "text after ENDATA"),
    (INDEPENDENT, "    RHS  serve  2", "    ' \n    RHS  serve  2"): ("model.sto:3:5", "a line without a word"),
    (BLOCKS, "BL B1 TWO 0.4", "SC B1 ROOT 0.4 TWO"): ("model.sto:3:2", "a line SC in section BLOCKS"),
    (SCENARIOS, "SC S3 ROOT 0.25 TWO", "BL S3 TWO 0.25"): ("model.sto:8:2", "a line BL in section SCENARIOS"),
    (SCENARIOS, "SC S2 S1", "SC S2 S2"): ("model.sto:6:8", "no scenario `S2` before this one"),
    (SCENARIOS, "STOCH", "STOCH\nINDEP DISCRETE\n    RHS serve 1 TWO 1"): ("model.sto:5:2", "is random in two places"),
}


@pytest.mark.parametrize(("change", "expected"), MISTAKES.items(), ids=[m[1] for m in MISTAKES.values()])
def test_mistakes_have_their_place(change: tuple[str, str, str], expected: tuple[str, str]) -> None:
    text, old, new = change
    with pytest.raises(BilevelError) as caught:
        read(text.replace(old, new, 1))
    assert expected[0] in str(caught.value)
    assert expected[1] in str(caught.value)


@pytest.mark.parametrize("header", ["INDEP LINTR", "BLOCKS MVNORMAL", "SCENARIOS UNIFORM", "NODES", "INDEP NORMAL ADD"])
def test_what_is_not_carried_out_is_refused(header: str) -> None:
    with pytest.raises(RefusedError):
        read(f"STOCH\n{header}\nENDATA\n")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("INDEP UNIFORM\n RHS serve 6 TWO 4", "model.sto:3:18", "UNIFORM cannot have the numbers 6 and 4"),
        ("INDEP BETA\n RHS serve 6 TWO -4", "model.sto:3:18", "BETA cannot have the numbers 6 and -4"),
        ("INDEP NORMAL\n RHS serve 6 4\n RHS serve 6 4", "model.sto:4", "(RHS, serve) is random in two places"),
        ("SCENARIOS\n SC A ROOT 1 TWO", "model.sto:1", "nothing is random"),
    ],
)
def test_laws_and_what_is_random_twice_or_not_at_all(text: str, place: str, said: str) -> None:
    with pytest.raises(BilevelError) as caught:
        read(f"STOCH\n{text}\nENDATA\n")
    assert place in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(("change", "expected"), MISTAKES.items(), ids=[m[1] for m in MISTAKES.values()])
def test_one_mistake_is_told_once(change: tuple[str, str, str], expected: tuple[str, str]) -> None:
    # A line that is not understood leaves probabilities that sum to less than 1: that is no second mistake.
    text, old, new = change
    with pytest.raises(BilevelError) as caught:
        read(text.replace(old, new, 1))
    told = {d.message for d in caught.value.diagnostics}
    assert len(told) == 1
    assert all(d.help for d in caught.value.diagnostics if "sum to" in d.message or "negative" in d.message)


FIXED_CORE = """NAME          SMALL
ROWS
 N  cost
 L  bud get
 G  ser ve
COLUMNS
    x 1       cost      1.0            bud get   1.0
    x 1       ser ve    1.0
    y         cost      3.0            ser ve    1.0
RHS
    RIGHT     bud get   10.0           ser ve    3.0
ENDATA
"""

FIXED = {
    "independent": "INDEP         DISCRETE\n    RIGHT     ser ve    2.0            TWO       0.25\n"
    "    RIGHT     ser ve    6.0            TWO       0.75\n",
    "blocks": "BLOCKS        DISCRETE\n BL B 1       TWO       0.25\n    RIGHT     ser ve    2.0\n"
    " BL B 1       TWO       0.75\n    RIGHT     ser ve    6.0\n",
    "scenarios": "SCENARIOS     DISCRETE\n SC S 1       'ROOT'    0.25           TWO\n    RIGHT     ser ve    2.0\n"
    " SC S 2       S 1       0.75           TWO\n    RIGHT     ser ve    6.0\n",
}


@pytest.mark.parametrize("text", FIXED.values(), ids=list(FIXED))
def test_names_may_hold_blanks_in_the_fixed_format(text: str) -> None:
    core = Core(read_mps(FIXED_CORE, "core.cor")[0])
    found = read_stochastic(f"STOCH         SMALL\n{text}ENDATA\n", "model.sto", core, Timing(("ONE", "TWO"), 1, 1))
    (joint,) = found.joints
    assert [str(e) for e in joint.entries] == ["(RHS, ser ve)"]
    assert joint.outcomes == [(0.25, (2.0,)), (0.75, (6.0,))]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_and_tabs_do_not_matter(end: str) -> None:
    assert joints(SCENARIOS.replace("\n", end).replace("    ", "\t")) == joints(SCENARIOS)
