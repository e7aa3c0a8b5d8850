"""Messages with a place, a caret and a mend."""

from __future__ import annotations

import bilevel_lang.errors as errors
from bilevel_lang.errors import BilevelError, Diagnostic, EmpSyntaxError, Source, Span, UsageError

SOURCE = Source("model.emp", "bilevel x\nmin cost\tyy e1\n")
SPAN = Span(19, 21, 2, 10)


def test_a_diagnostic_shows_the_place_the_line_and_a_caret_under_the_culprit() -> None:
    text = Diagnostic("E1", "nothing is named `yy`", "did you mean `y`?", SPAN, SOURCE).render()
    assert text.splitlines() == [
        "model.emp:2:10: error[E1]: nothing is named `yy`",
        "    2 | min cost\tyy e1",
        "      |         \t^^",
        "help: did you mean `y`?",
    ]


def test_without_a_place_there_is_only_the_fact_and_the_mend() -> None:
    assert Diagnostic("U1", "no file", "give one").render() == "error[U1]: no file\nhelp: give one"


def test_a_caret_never_runs_past_its_line() -> None:
    long = Diagnostic("S1", "statement", "", Span(0, 40, 1, 1), SOURCE).render()
    assert long.splitlines()[-1].count("^") == len("bilevel x")


def test_an_empty_span_still_gets_a_caret() -> None:
    assert Diagnostic("S1", "end", "", Span(9, 9, 1, 10), SOURCE).render().splitlines()[-1].endswith("^")


def test_a_long_line_is_shown_around_the_culprit() -> None:
    text = "a " * 5000 + "yy" + " b" * 5000
    rendered = Diagnostic("E1", "?", "", Span(10000, 10002, 1, 10001), Source("m.emp", text)).render()
    shown, caret = rendered.splitlines()[1:3]
    assert len(shown) < 200
    assert shown[caret.index("^") :].startswith("yy b")


def test_control_characters_do_not_reach_the_terminal() -> None:
    rendered = Diagnostic("S1", "?", "", Span(0, 1, 1, 1), Source("m.emp", "\x1b[2Jx")).render()
    assert "\x1b" not in rendered


def test_spans_join() -> None:
    assert Span(3, 5, 1, 4).to(Span(9, 12, 2, 1)) == Span(3, 12, 1, 4)


def test_an_error_carries_all_its_diagnostics() -> None:
    error = EmpSyntaxError([Diagnostic("S1", "one"), Diagnostic("S1", "two")])
    assert [d.message for d in error.diagnostics] == ["one", "two"]
    assert str(error) == "error[S1]: one\n\nerror[S1]: two"


def test_a_plain_text_becomes_a_diagnostic_of_the_class_code() -> None:
    (diagnostic,) = UsageError("what", "mend").diagnostics
    assert (diagnostic.code, diagnostic.message, diagnostic.help) == ("U1", "what", "mend")


def test_every_leaf_of_the_tree_is_drawn_with_its_exit_code() -> None:
    leaves = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, BilevelError) and c is not BilevelError]
    drawn = errors.__doc__ or ""
    for leaf in leaves:
        line = next(line for line in drawn.splitlines() if f"-- {leaf.__name__} " in line)
        assert f" {leaf.exit_code} " in line
    assert {leaf.exit_code for leaf in leaves} == {2, 3, 5, 6}
