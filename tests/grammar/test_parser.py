from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilevel_lang.errors import EmpSyntaxError
from bilevel_lang.grammar import leaves, mistakes, parser
from bilevel_lang.grammar import random_syntax as rand
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.parser import MAX_MISTAKES, parse, tokens

from .trees import noisy_texts, scraps


def ref(name: str, *indices: str, negated: bool = False) -> leaves.Reference:
    """``name(indices)`` with unquoted labels, and ``*`` for a slice."""
    places = tuple(leaves.AnyIndex() if index == "*" else leaves.Label(index) for index in indices)
    return leaves.Reference((leaves.Segment(name, places or None),), negated)


def refs(names: str) -> tuple[leaves.Item, ...]:
    """Items without indices: ``x -c *``."""
    return tuple(leaves.Wildcard() if n == "*" else ref(n.removeprefix("-"), negated=n.startswith("-")) for n in names.split())


def numbers(text: str) -> tuple[leaves.Number, ...]:
    return tuple(leaves.Number(word) for word in text.split())


def optimise(sense: str, names: str) -> s.Optimise:
    objective, _, items = names.partition(" ")
    assert sense in ("min", "max")
    return s.Optimise("min" if sense == "min" else "max", ref(objective), refs(items))


# Annotations of published models, restated, with what they say.
KNOWN: dict[str, tuple[s.Statement, ...]] = {
    "bilevel x min objin y1 y2 defin e1 e2 e3 e4": (s.Bilevel(refs("x")), optimise("min", "objin y1 y2 defin e1 e2 e3 e4")),
    "bilevel x min objin * defin e1 e2 e3 e4": (s.Bilevel(refs("x")), optimise("min", "objin * defin e1 e2 e3 e4")),
    "bilevel x min objin y defin e1 e2 e3 e4": (s.Bilevel(refs("x")), optimise("min", "objin y defin e1 e2 e3 e4")),
    "bilevel x1 x2 min objin y defin": (s.Bilevel(refs("x1 x2")), optimise("min", "objin y defin")),
    "bilevel x vi viin y e2": (s.Bilevel(refs("x")), s.VariationalInequality(refs("viin y e2"))),
    "bilevel x max y1 * c1 c2 c3 c4 c5": (s.Bilevel(refs("x")), optimise("max", "y1 * c1 c2 c3 c4 c5")),
    "bilevel min y upper lower": (s.Bilevel(()), optimise("min", "y upper lower")),
    "bilevel x1 x2 x3 x4\nmin h1 * defh1 e1\nmin h2 * defh2 e2": (
        s.Bilevel(refs("x1 x2 x3 x4")),
        optimise("min", "h1 * defh1 e1"),
        optimise("min", "h2 * defh2 e2"),
    ),
    "bilevel y\nmin z x cost supply demand\nvi extdem g": (
        s.Bilevel(refs("y")),
        optimise("min", "z x cost supply demand"),
        s.VariationalInequality(refs("extdem g")),
    ),
    "bilevel\nvi f1 u\n   f2 v\nvi f3 w": (
        s.Bilevel(()),
        s.VariationalInequality(refs("f1 u f2 v")),
        s.VariationalInequality(refs("f3 w")),
    ),
    "vi F x g": (s.VariationalInequality(refs("F x g")),),
    "vi z F_y y gCons": (s.VariationalInequality(refs("z F_y y gCons")),),
    "vi -F x": (s.VariationalInequality(refs("-F x")),),
    "qvi F y x g": (s.QuasiVariationalInequality(refs("F y x g")),),
    "equilibrium\nmax x optcons\nvi vicons y": (
        s.Equilibrium(),
        optimise("max", "x optcons"),
        s.VariationalInequality(refs("vicons y")),
    ),
    "dualequ H y\ndualvar lambda g": (s.DualEqu(refs("H y")), s.DualVar(refs("lambda g"))),
    "equilibrium\nmin z v w defz g\nvi Fy y\ndualvar u g": (
        s.Equilibrium(),
        optimise("min", "z v w defz g"),
        s.VariationalInequality(refs("Fy y")),
        s.DualVar(refs("u g")),
    ),
    "equilibrium\nmax z x flexprofit supply flexdemand\ndualVar p flexdemand": (
        s.Equilibrium(),
        optimise("max", "z x flexprofit supply flexdemand"),
        s.DualVar(refs("p flexdemand")),
    ),
    "dualVar p -dembalFlipped": (s.DualVar(refs("p -dembalFlipped")),),
    "dualEqu tcDef tc": (s.DualEqu(refs("tcDef tc")),),
    "max u x udef budget\nvi mkt p profit y": (
        optimise("max", "u x udef budget"),
        s.VariationalInequality(refs("mkt p profit y")),
    ),
    "* this is a test\n   \n         * another test\nequilibrium\n *now define the opt problem\nmax x optcons\n* and now the VI\n"
    "vi vicons y": (s.Equilibrium(), optimise("max", "x optcons"), s.VariationalInequality(refs("vicons y"))),
    "for a in A: min obj(a) x(a,:) defobj(a) cons(a)": (
        s.ForEach(
            (s.Binding("a", ref("A")),),
            s.Optimise("min", ref("obj", "a"), (ref("x", "a", "*"), ref("defobj", "a"), ref("cons", "a"))),
        ),
    ),
    "modeltype mcp": (s.ModelType("mcp"),),
    "randvar d discrete 0.4 90 0.3 60 0.3 30\nstage 2 d\nstage 2 sales": (
        rand.RandVar(ref("d"), "discrete", numbers("0.4 90 0.3 60 0.3 30")),
        rand.Stage(leaves.Number("2"), refs("d")),
        rand.Stage(leaves.Number("2"), refs("sales")),
    ),
    "randvar d normal 45 10\nsample d 6": (
        rand.RandVar(ref("d"), "normal", (leaves.Number("45"), leaves.Number("10"))),
        rand.Sample((ref("d"),), leaves.Number("6")),
    ),
}


@pytest.mark.parametrize("text", KNOWN)
def test_known_annotations(text: str) -> None:
    assert parse(text).statements == KNOWN[text]


@pytest.mark.parametrize("text", ["", "\n\n", "* only a comment", "  * one\n# two\n\t// three\n", "\ufeff", " , ; s.t. \n"])
def test_an_annotation_may_say_nothing(text: str) -> None:
    assert parse(text).statements == ()


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("vi 0 x F y", s.VariationalInequality((leaves.Number("0"), *refs("x F y")))),
        ("implicit z H", s.Implicit(refs("z H"))),
        ("visol g h", s.VISol(refs("g h"))),
        ("sharedequ g h", s.SharedEqu(refs("g h"))),
        (
            "adjustequ e1 abs 1 2 e2 SQR",
            s.AdjustEqu((s.Adjustment(ref("e1"), "abs", numbers("1 2")), s.Adjustment(ref("e2"), "sqr"))),
        ),
        ("default bigM 1000", s.Default(s.Reform("bigm", leaves.Number("1000")))),
        ("default indic", s.Default(s.Reform("indic"))),
        ("jrandvar d r .5 1 2 .5 3 4", rand.JRandVar((ref("d"), ref("r")), numbers(".5 1 2 .5 3 4"))),
        ("jrandvar d r discrete 1 2 3", rand.JRandVar((ref("d"), ref("r")), numbers("1 2 3"))),
        ("stagedefault 3", rand.StageDefault(leaves.Number("3"))),
        ("setseed 42", rand.SetSeed(leaves.Number("42"))),
        ("correlation a b -0.5", rand.Correlation(ref("a"), ref("b"), leaves.Number("-0.5"))),
        ("chance e1 e2 1 .95 w", rand.Chance((ref("e1"), ref("e2")), (leaves.Number("1"), leaves.Number(".95"), ref("w")))),
        ("expected_value r", rand.ExpectedValue(ref("r"))),
        ("EXPECTEDVALUE r", rand.ExpectedValue(ref("r"))),
        ("cvarlo r 0.1", rand.RiskMeasure("cvarlo", (ref("r"),), leaves.Number("0.1"))),
        ("varup r s 1e-1", rand.RiskMeasure("varup", (ref("r"), ref("s")), leaves.Number("1e-1"))),
        ("scenarios 'my file.csv'", rand.Scenarios("my file.csv")),
        ('scenarios "it\'s.csv"', rand.Scenarios("it's.csv")),
    ],
)
def test_every_other_statement(text: str, statement: s.Statement) -> None:
    assert parse(text).statements == (statement,)


def test_a_disjunction_has_branches() -> None:
    text = "disjunction chull 1e-3 not y e1 e2 elseif * e3 elseif not z else e4"
    assert parse(text).statements == (
        s.Disjunction(
            s.Reform("chull", leaves.Number("1e-3")),
            (
                s.Branch(ref("y"), True, refs("e1 e2")),
                s.Branch(leaves.Wildcard(), False, refs("e3")),
                s.Branch(ref("z"), True, ()),
                s.Branch(None, False, refs("e4")),
            ),
        ),
    )


def test_one_statement_for_every_pair() -> None:
    (loop,) = parse("for s in S, t in b[1].T:\n  max f(s,t)").statements
    pairs = leaves.Reference((leaves.Segment("b", (leaves.Label("1"),)), leaves.Segment("T")))
    expected = s.ForEach((s.Binding("s", ref("S")), s.Binding("t", pairs)), s.Optimise("max", ref("f", "s", "t"), ()))
    assert loop == expected


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("x(3)", (leaves.Label("3"),)),
        ("x[3]", (leaves.Label("3"),)),
        ("x ( 3 , -1 )", (leaves.Label("3"), leaves.Label("-1"))),
        ("x('3')", (leaves.Label("3", quoted=True),)),
        ("""x("a b",'c,d')""", (leaves.Label("a b", quoted=True), leaves.Label("c,d", quoted=True))),
        ("x('it''s')", (leaves.Label("it's", quoted=True),)),
        ("x(*,:)", (leaves.AnyIndex(), leaves.AnyIndex())),
        ("x(new-york,2.5,a.b+c)", (leaves.Label("new-york"), leaves.Label("2.5"), leaves.Label("a.b+c"))),
        ("x(min,else,s.t.)", (leaves.Label("min"), leaves.Label("else"), leaves.Label("s.t."))),
        ("x(ö,2020)", (leaves.Label("ö"), leaves.Label("2020"))),
        ("x(1, # first\n* comment\n 2)", (leaves.Label("1"), leaves.Label("2"))),
        ("x('*','#','//')", (leaves.Label("*", True), leaves.Label("#", True), leaves.Label("//", True))),
    ],
)
def test_labels(text: str, indices: tuple[leaves.Index, ...]) -> None:
    (statement,) = parse(f"bilevel {text}").statements
    assert statement == s.Bilevel((leaves.Reference((leaves.Segment("x", indices),)),))


def test_dotted_names_have_indices_on_every_part() -> None:
    (statement,) = parse("bilevel -blk[1].min.x(3,'a')").statements
    parts = (
        leaves.Segment("blk", (leaves.Label("1"),)),
        leaves.Segment("min"),
        leaves.Segment("x", (leaves.Label("3"), leaves.Label("a", quoted=True))),
    )
    assert statement == s.Bilevel((leaves.Reference(parts, True),))


def test_back_ticks_hold_any_name() -> None:
    (statement,) = parse("bilevel `min` `odd name!`(1) b.`x``y`").statements
    last = leaves.Reference((leaves.Segment("b"), leaves.Segment("x`y")))
    assert statement == s.Bilevel((ref("min"), ref("odd name!", "1"), last))


@pytest.mark.parametrize(
    "word", ["in", "not", "else", "elseif", "discrete", "normal", "abs", "maxz", "sqr", "chull", "bigm", "indic"]
)
def test_words_of_one_statement_are_names_in_the_others(word: str) -> None:
    text = f"bilevel {word} x {word}(1) min {word} {word} -{word} dualvar {word} b.{word} randvar {word} {word} 1"
    leader, follower, dual, law = parse(text).statements
    assert leader == s.Bilevel((ref(word), ref("x"), ref(word, "1")))
    assert follower == s.Optimise("min", ref(word), (ref(word), ref(word, negated=True)))
    assert dual == s.DualVar((ref(word), leaves.Reference((leaves.Segment("b"), leaves.Segment(word)))))
    assert law == rand.RandVar(ref(word), word, (leaves.Number("1"),))


def test_noise_between_items_is_ignored() -> None:
    assert parse("max obj, x, y s.t. e1, e2; dualvar p c;").statements == parse("max obj x y e1 e2 dualvar p c").statements


def test_names_that_look_like_noise_stay_names() -> None:
    (statement,) = parse("bilevel s.t.x s.t s.t.`x`").statements
    s_t = (leaves.Segment("s"), leaves.Segment("t"))
    three = leaves.Reference((*s_t, leaves.Segment("x")))
    assert statement == s.Bilevel((three, leaves.Reference(s_t), three))


# --- Lines that begin with a star.


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("indent", ["", "  ", "\t", " \t "])
def test_a_star_first_on_its_line_begins_a_comment(indent: str, end: str) -> None:
    text = f"{indent}* bilevel a{end}bilevel x{end}{indent}*y it's ({end}z{end}{indent}*"
    assert parse(text).statements == (s.Bilevel(refs("x z")),)


def test_a_star_elsewhere_is_the_wildcard() -> None:
    assert parse("min obj *\nmin obj2 x * # * note").statements == (optimise("min", "obj *"), optimise("min", "obj2 x *"))


def test_the_wildcard_of_a_broken_line_is_lost_in_a_comment() -> None:
    # The hazard that the documentation warns of: legal, and not what was meant.
    assert parse("min obj\n* defobj").statements == (optimise("min", "obj"),)


# --- Places.


def test_places_are_those_of_an_editor() -> None:
    info = parse("\ufeffbilevel x\r\n\tmin obj y(1)\n", "a.emp")
    follower = info.statements[1]
    assert isinstance(follower, s.Optimise)
    assert (follower.keyword.line, follower.keyword.column) == (2, 2)
    assert (follower.items[0].span.line, follower.items[0].span.column) == (2, 10)
    assert (info.source.name, info.source.line(2)) == ("a.emp", "\tmin obj y(1)")


@pytest.mark.parametrize("odd", ["\x0c", "\x0b", "\x85", "\u2028", "\x1c"])
def test_odd_line_ends_are_blanks(odd: str) -> None:
    info = parse(f"bilevel{odd}x{odd}\nmin obj")
    assert info.statements[1].span.line == 2
    assert info.source.line(2) == "min obj"


def spanned(info: s.EmpInfo) -> list[str]:
    """The text under every node, outermost first."""
    found = []
    stack: list[object] = [info.statements]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack += reversed(node)
        elif hasattr(node, "span"):
            found.append(info.source.text[node.span.start : node.span.end])
            stack += reversed([getattr(node, name) for name in node.__dataclass_fields__ if name not in ("span", "keyword")])
    return found


def test_every_node_has_the_place_of_its_text() -> None:
    text = "for s in b.S: vi 0 -x(s, *) disjunction chull 2 not y e1 else e2 adjustequ e abs 3"
    assert spanned(parse(text)) == [
        "for s in b.S: vi 0 -x(s, *)", "s in b.S", "b.S", "b", "S", "vi 0 -x(s, *)", "0", "-x(s, *)", "x(s, *)", "s", "*",
        "disjunction chull 2 not y e1 else e2", "chull 2", "2", "not y e1", "y", "y", "e1", "e1", "else e2", "e2", "e2",
        "adjustequ e abs 3", "e abs 3", "e", "e", "3",
    ]  # fmt: skip


# --- Mistakes, limits, laws.


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(EmpSyntaxError) as caught:
        parse("bilevel x)\nmin\nmax obj y\nvi 'F' x\nstage y\n", "a.emp")
    assert [d.place for d in caught.value.diagnostics] == ["a.emp:1:10", "a.emp:2:4", "a.emp:4:4", "a.emp:5:7"]
    assert {d.code for d in caught.value.diagnostics} == {"S1"}


def test_mistakes_are_counted_to_a_limit() -> None:
    with pytest.raises(EmpSyntaxError) as caught:
        parse("min\n" * 50)
    assert len(caught.value.diagnostics) == MAX_MISTAKES


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(EmpSyntaxError, match="too long"):
        parse("x" * (mistakes.MAX_CHARACTERS + 1))


def test_too_many_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "MAX_TOKENS", 5)
    assert len(parse("min obj a b c").statements) == 1
    with pytest.raises(EmpSyntaxError, match="more than"):
        parse("min obj a b c d")


def test_a_long_list_needs_no_recursion() -> None:
    count = 10 * sys.getrecursionlimit()
    (statement,) = parse("bilevel " + " ".join(f"x{n}" for n in range(count))).statements
    assert isinstance(statement, s.Bilevel)
    assert len(statement.variables) == count


@pytest.mark.slow
def test_a_hundred_thousand_items() -> None:
    (statement,) = parse("bilevel " + "x " * 100_000).statements
    assert isinstance(statement, s.Bilevel)
    assert len(statement.variables) == 100_000


def test_importing_the_parser_does_not_load_lark() -> None:
    code = "import sys, bilevel_lang.grammar.parser; sys.exit('lark' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_words_are_seen_as_the_grammar_sees_them() -> None:
    types = [token.type for token in tokens("min else, x s.t. b.max(vi) # c")]
    assert " ".join(types) == "MIN NAME NAME NAME DOT PART LPAR LABEL RPAR"


def check_refusal(text: str) -> None:
    """If ``text`` cannot be read, then only in the way that is promised."""
    try:
        parse(text)
    except EmpSyntaxError as error:
        assert 1 <= len(error.diagnostics) <= MAX_MISTAKES
        for found in error.diagnostics:
            assert found.message and found.help and found.span and found.source
            before = found.source.text[: found.span.start]
            assert (found.span.line, found.span.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


@settings(max_examples=60)
@given(scraps)
def test_scraps_of_annotations_end_in_a_tree_or_a_syntax_error(text: str) -> None:
    check_refusal(text)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_tree_or_a_syntax_error(data: bytes) -> None:
    check_refusal(data.decode("latin-1"))
    check_refusal(data.decode("utf-8", "surrogateescape"))


@given(noisy_texts())
def test_case_breaks_comments_and_noise_do_not_matter(example: tuple[s.EmpInfo, str]) -> None:
    info, text = example
    assert parse(text) == info


@pytest.mark.parametrize(
    "text",
    [
        "stage " + "1" * 50_000 + "x",
        "bilevel " + "x(" * 50_000,
        "bilevel x(" + "+" * 50_000,
        "bilevel x('" + "'" * 50_001,
        "min " * 50_000,
    ],
    ids=["digits", "brackets", "signs", "quotes", "keywords"],
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    # Quadratic time would need minutes for these, not a second.
    start = time.perf_counter()
    with pytest.raises(EmpSyntaxError):
        parse(text)
    assert time.perf_counter() - start < 20
