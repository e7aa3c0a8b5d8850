from __future__ import annotations

import pytest
from hypothesis import given

from bilevel_lang.errors import EmpSyntaxError
from bilevel_lang.grammar import leaves
from bilevel_lang.grammar import random_syntax as rand
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.printer import format_text, print_info

from .test_parser import KNOWN, ref
from .trees import infos, noisy_texts


def bilevel(*items: leaves.Item) -> s.EmpInfo:
    return s.EmpInfo((s.Bilevel(items),))


@pytest.mark.parametrize("text", KNOWN)
def test_known_annotations_survive(text: str) -> None:
    info = parse(text)
    assert parse(print_info(info)) == info
    assert parse(format_text(text)) == info


def test_a_tree_is_printed_one_statement_a_line() -> None:
    text = "BILEVEL x,y\n MIN obj *\n -e[ 'a' , : ] for s in S t in T : vi 0 F"
    assert print_info(parse(text)) == "bilevel x y\nmin obj * -e['a',*]\nfor s in S, t in T: vi 0 F\n"


def test_nothing_prints_as_nothing() -> None:
    assert print_info(s.EmpInfo(())) == ""


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (ref("min"), "`min`"),
        (ref("Stage"), "`Stage`"),
        (ref("a b"), "`a b`"),
        (ref("a`b"), "`a``b`"),
        (ref("1x"), "`1x`"),
        (leaves.Reference((leaves.Segment("b"), leaves.Segment("min"))), "b.min"),
        (leaves.Reference((leaves.Segment("x", (leaves.Label("a b"),)),)), "x('a b')"),
        (leaves.Reference((leaves.Segment("x", (leaves.Label("1", quoted=True),)),)), "x('1')"),
        (leaves.Reference((leaves.Segment("x", (leaves.Label("it's", quoted=True),)),)), 'x("it\'s")'),
        (leaves.Reference((leaves.Segment("x", (leaves.Label("*"),)),)), "x('*')"),
        (leaves.Reference((leaves.Segment("x", (leaves.Label(""),)),)), "x('')"),
        (leaves.Reference((leaves.Segment("x", (leaves.AnyIndex(), leaves.Label("-1")), bracket="["),), True), "-x[*,-1]"),
    ],
)
def test_names_and_labels_are_quoted_where_they_must(item: leaves.Item, text: str) -> None:
    assert print_info(bilevel(item)) == f"bilevel {text}\n"


@pytest.mark.parametrize(
    "statement",
    [
        s.Bilevel((ref("a\nb"),)),
        s.Bilevel((ref(""),)),
        s.Bilevel((ref("x", "a\u2028b"),)),
        s.Bilevel((leaves.Reference((leaves.Segment("x", ()),)),)),
        rand.SetSeed(leaves.Number("nan")),
        rand.Scenarios("a\rb"),
        s.ForEach((s.Binding("a b", ref("S")),), s.DualVar(())),
        s.ForEach((s.Binding("min", ref("S")),), s.DualVar(())),
    ],
)
def test_what_no_text_can_say_is_refused(statement: s.Statement) -> None:
    with pytest.raises(ValueError, match="no "):
        print_info(s.EmpInfo((statement,)))


@given(infos)
def test_parsing_undoes_printing(info: s.EmpInfo) -> None:
    assert parse(print_info(info)) == info


# --- Layout.


def test_layout() -> None:
    before = """

* Leader

BILEVEL x ,y;   # decides first
   z( 'new york' , :)



 // followers
MIN cost * defcost   MAX `min` s.t. - cap [ 1 ]
* about the pair
   Dualvar  p  -cap
     q
* about q
  capq

"""
    after = """\
* Leader

bilevel x y  # decides first
    z('new york',:)

// followers
min cost * defcost
max `min` -cap[1]
* about the pair
dualvar p -cap
    q
    * about q
    capq
"""
    assert format_text(before) == after


def test_a_loop_keeps_its_statement_and_its_commas() -> None:
    assert format_text("FOR s IN S,t in T :Min f(s,t)\nfor s in S:\nvi F( s )") == (
        "for s in S, t in T: min f(s,t)\nfor s in S:\n    vi F(s)\n"
    )


def test_words_of_a_statement_become_lower_case_and_names_do_not() -> None:
    before = "Disjunction ChULL 1E-3 NOT b.NOT e1 ELSE E2 min ELSE b.MIN(MAX)"
    assert format_text(before) == "disjunction chull 1E-3 not b.NOT e1 else E2\nmin ELSE b.MIN(MAX)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("min obj\n, * e", "min obj * e\n"),
        ("min obj # note\n; * e", "min obj * e\n# note\n"),
        ("min obj x\n* note\n , *\n e", "min obj x *\n    * note\n    e\n"),
        ("min obj x(1,\n *c\n 2) y", "min obj x(1,2) y\n*c\n"),
    ],
)
def test_a_wildcard_never_becomes_a_comment(before: str, after: str) -> None:
    assert format_text(before) == after
    assert parse(after) == parse(before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (" \n\t\r\n", ""),
        ("* c", "* c\n"),
        ("# a\r\n\r\n\r\n  * b  \r\n", "# a\n\n* b\n"),
        (" ; \n", ""),
        ("\ufeffmin x", "min x\n"),
    ],
)
def test_layout_of_texts_that_say_little(before: str, after: str) -> None:
    assert format_text(before) == after


def test_layout_refuses_what_cannot_be_read() -> None:
    with pytest.raises(EmpSyntaxError) as caught:
        format_text("min", "a.emp")
    assert caught.value.diagnostics[0].place == "a.emp:1:4"


@given(noisy_texts())
def test_laws_of_layout(example: tuple[s.EmpInfo, str]) -> None:
    info, text = example
    laid_out = format_text(text)
    assert parse(laid_out) == info
    assert format_text(laid_out) == laid_out
    assert laid_out.count("remark") == text.count("remark")
    assert laid_out == "" or (laid_out.endswith("\n") and not laid_out.endswith("\n\n"))
    assert all(line == line.rstrip() for line in laid_out.splitlines())
