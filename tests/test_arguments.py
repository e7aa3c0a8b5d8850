"""The options of the command line: which values they take, and what they ask of the engine."""

from __future__ import annotations

import pytest

from bilevel_lang.arguments import asked_options, option_parser
from bilevel_lang.errors import UsageError
from bilevel_lang.reformulation.options import Options


def asked(*arguments: str) -> Options:
    return asked_options(option_parser().parse_args(["model.py", "model.emp", *arguments]))


def test_without_options_the_engine_chooses_everything() -> None:
    assert asked() == Options()


def test_what_is_given_arrives() -> None:
    found = asked("--encoding", "product", "--mu", "1,0.1", "--form", "inequality", "--starts", "3", "--gap", "0", "--seed", "7")
    assert (found.encoding, found.nlp.mu, found.nlp.form, found.starts, found.gap, found.seed) == (
        "product",
        (1.0, 0.1),
        "inequality",
        3,
        0.0,
        7,
    )


def test_big_m_for_all_or_row_by_row() -> None:
    assert asked("--big-m", "5").big_m == 5.0
    assert asked("--big-m", "e1=50", "--big-m", "x[a=1]=3", "--big-m", "7").big_m == {"e1": 50.0, "x[a=1]": 3.0, "*": 7.0}


@pytest.mark.parametrize(
    "wrong",
    [
        ["--gap", "-1"],
        ["--time-limit", "0"],
        ["--time-limit", "inf"],
        ["--tolerance", "nan"],
        ["--threads", "0"],
        ["--starts", "1.5"],
        ["--seed", "-1"],
        ["--big-m", "e1="],
        ["--position", "hopeful"],
        ["--enc", "sos1"],
        ["--mu", "1,2"],
    ],
    ids=" ".join,
)
def test_values_out_of_range_and_abbreviations_are_usage_errors(wrong: list[str]) -> None:
    with pytest.raises(UsageError):
        asked(*wrong)


def test_what_is_asked_of_a_surrogate_arrives() -> None:
    found = asked("--method", "nn-embed", "--layers", "8x4", "--refine", "2", "--network", "icnn").nn
    assert (found.layers, found.refine, found.network) == ((8, 4), 2, "icnn")
    assert str(asked("--method", "nn-embed", "--surrogate", "net.onnx").nn.surrogate) == "net.onnx"
    with pytest.raises(UsageError, match="layers"):
        asked("--layers", "wide")
