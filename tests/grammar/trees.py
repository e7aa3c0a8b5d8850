"""Hypothesis strategies: every tree that the language can express, and texts that are nearly annotations."""

from __future__ import annotations

from hypothesis import strategies as st

from bilevel_lang.grammar import leaves
from bilevel_lang.grammar import random_syntax as rand
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.parser import tokens
from bilevel_lang.grammar.printer import print_info
from bilevel_lang.grammar.scanner import LINE_ENDS, STATEMENT_KEYWORDS

CONTEXT_WORDS = ("in", "not", "else", "elseif", "discrete", "abs", "maxz", "sqr", "chull", "bigm", "indic", "normal")

line_text = st.text(st.characters(exclude_characters=LINE_ENDS, exclude_categories=["Cs"]), min_size=1, max_size=6)
plain_names = st.from_regex(r"[A-Za-z_][A-Za-z_0-9]{0,3}", fullmatch=True)
free_names = plain_names.filter(lambda name: name.lower() not in STATEMENT_KEYWORDS and name.lower() != "s")
names = st.one_of(plain_names, st.sampled_from((*STATEMENT_KEYWORDS, *CONTEXT_WORDS, "s", "t", "Min", "β", "mın")), line_text)
odd_bare_labels = st.sampled_from(["-1", "2.5", "new-york", "min", "+a.b_"])
bare_labels = st.one_of(st.from_regex(r"[A-Za-z0-9]{1,3}", fullmatch=True), odd_bare_labels)
labels = st.one_of(
    st.builds(leaves.Label, bare_labels), st.builds(leaves.Label, st.one_of(line_text, st.just("")), st.just(True))
)
indices = st.lists(st.one_of(labels, st.just(leaves.AnyIndex())), min_size=1, max_size=3).map(tuple)
segments = st.builds(leaves.Segment, names, st.none() | indices, bracket=st.sampled_from("(["))
references = st.builds(leaves.Reference, st.lists(segments, min_size=1, max_size=3).map(tuple), st.booleans())
number_texts = st.one_of(st.sampled_from(["0", "-1", "+2.", ".5", "1e-3", "-2.5E+4"]), st.integers(0, 999).map(str))
numbers = st.builds(leaves.Number, number_texts)
wildcards = st.just(leaves.Wildcard())


def several(*kinds: st.SearchStrategy[leaves.Item], at_least: int = 0) -> st.SearchStrategy[tuple[leaves.Item, ...]]:
    """Up to four items of these kinds."""
    return st.lists(st.one_of(*kinds), min_size=at_least, max_size=4).map(tuple)


items = several(references, wildcards)
items_or_numbers = several(references, wildcards, numbers)
governed = st.one_of(
    st.builds(s.Optimise, st.sampled_from(["min", "max"]), references, items),
    st.builds(s.VariationalInequality, items_or_numbers),
    st.builds(s.QuasiVariationalInequality, items_or_numbers),
    st.builds(s.DualVar, items),
    st.builds(s.DualEqu, items),
)
bindings = st.lists(st.builds(s.Binding, free_names, references), min_size=1, max_size=3).map(tuple)
reforms = st.one_of(
    st.builds(s.Reform, st.sampled_from(["chull", "bigm"]), st.none() | numbers),
    st.just(s.Reform("indic")),
)
first_branches = st.builds(s.Branch, st.one_of(references, wildcards), st.booleans(), items)
last_branches = st.builds(s.Branch, st.none(), st.just(False), items)
branches = st.tuples(st.lists(first_branches, min_size=1, max_size=3), st.lists(last_branches, max_size=1)).map(
    lambda parts: (*parts[0], *parts[1])
)
chance_arguments = st.tuples(several(numbers, at_least=1), st.lists(references, max_size=1)).map(lambda p: (*p[0], *p[1]))
statements = st.one_of(
    governed,
    st.builds(s.Bilevel, items),
    st.just(s.Equilibrium()),
    st.builds(s.ForEach, bindings, governed),
    st.builds(s.Implicit, items),
    st.builds(s.VISol, items),
    st.builds(s.SharedEqu, items),
    st.builds(s.ModelType, st.sampled_from(["mcp", "nlp"])),
    st.builds(
        s.AdjustEqu,
        st.lists(st.builds(s.Adjustment, references, st.sampled_from(["abs", "maxz", "sqr"]), several(numbers)), max_size=3).map(
            tuple
        ),
    ),
    st.builds(s.Disjunction, st.none() | reforms, branches),
    st.builds(s.Default, reforms),
    st.builds(rand.RandVar, references, st.sampled_from(["discrete", "normal", "abs"]), several(numbers)),
    st.builds(rand.JRandVar, several(references, at_least=2), several(numbers)),
    st.builds(rand.Stage, numbers, items_or_numbers),
    st.builds(rand.StageDefault, numbers),
    st.builds(rand.Sample, several(references), numbers, items_or_numbers),
    st.builds(rand.SetSeed, numbers),
    st.builds(rand.Correlation, references, references, numbers),
    st.builds(rand.Chance, several(references, at_least=1), chance_arguments),
    st.builds(rand.ExpectedValue, references, st.none() | references),
    st.builds(
        rand.RiskMeasure,
        st.sampled_from(["cvarlo", "cvarup", "varlo", "varup"]),
        st.lists(references, min_size=1, max_size=2).map(tuple),
        numbers,
    ),
    st.builds(rand.Scenarios, line_text),
)
infos = st.builds(s.EmpInfo, st.lists(statements, max_size=5).map(tuple))

_WORDS = (
    """bilevel min max vi for in : ( ) [ ] , ; s.t. * - . ' " ` # // equilibrium dualvar stage disjunction else not 3 .5 1e x y"""
)
_ODD_WORDS = ["x(1)", "x('a,b')", "b.y[*,2]", "`min`", "$", "=", "é", "\ufeff", "\x00", "…"]
_BREAKS = ["\n", "\n*", "\r\n", "\r", " ", "\t", "\n  * c\n", "# c\n", "\x0c", "\u2028", "\x85", "\xa0"]
_pieces = st.sampled_from([*_WORDS.split(), *_ODD_WORDS, *_BREAKS])
scraps = st.lists(_pieces, max_size=25).flatmap(lambda words: st.sampled_from(["", " "]).map(lambda gap: gap.join(words)))

_GAPS = (" ", "\t", "\n", "\r\n", "  # remark 'x\n", " // remark `\n", "\n* remark [\n", "\n\n  * remark\n ", "\n\n\n", "\xa0")
_NOISE = (", ", ",", " ; ", " s.t. ", ",\n", " ,# remark\n;")


@st.composite
def noisy_texts(draw: st.DrawFn) -> tuple[s.EmpInfo, str]:
    """A tree and its text as a careless author writes it: any breaks, comments, noise and capitals that change nothing."""
    info = draw(infos)
    text, depth = draw(st.sampled_from(["", "\ufeff", "* remark\n", "\n \t* remark\r\n# remark\n"])), 0
    before = ""
    for token in tokens(print_info(info)):
        glued = ["LPAR", "LSQB", "RPAR", "RSQB", "COMMA", "DOT", "COLON", "ANY_INDEX", "LABEL"]
        may_touch = token.type in glued and before not in ("NUMBER", "")
        gap = draw(st.sampled_from(("", *_GAPS) if may_touch or before in ("MINUS", "LPAR", "LSQB") else (*_GAPS, *_NOISE)))
        if depth or before in ("MINUS", "DOT", "", "COMMA") or token.type in glued:
            gap = gap if gap in _GAPS or may_touch else " "
        if token == "*" and gap.rpartition("\n")[2].strip() == "" and "\n" in gap:
            gap = " " if depth else gap + ","
        depth += (token.type in ("LPAR", "LSQB")) - (token.type in ("RPAR", "RSQB"))
        capitals = draw(st.booleans()) and token.type not in ("NAME", "PART", "LABEL", "QUOTED", "TICKED", "NUMBER")
        text += gap + (token.upper() if capitals else str(token))
        before = token.type
    return info, text + draw(st.sampled_from(["", "\n", " # remark", "\n* remark", " ;\n\n"]))
