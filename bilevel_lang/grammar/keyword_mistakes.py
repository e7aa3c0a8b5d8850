"""Mistakes about keywords: one as a name, none where a statement begins, a label before it, a second ``else``."""

from __future__ import annotations

import re
from difflib import get_close_matches

from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS, Piece, is_keyword
from bilevel_lang.grammar.situation import Finding, Situation, show, ticked


def keyword_as_name(s: Situation) -> Finding | None:
    """``min.x``, ``stage(3)``: a keyword that is written as names are written."""
    if s.culprit.text not in (".", "(", "[") or s.before.end != s.at or not is_keyword(s.before.text):
        return None
    word = s.before.text
    return Finding(f"`{word}` is a keyword and cannot be a name as it is", _as_name(word), s.before.start, s.before.end)


def _as_name(word: str) -> str:
    return f"if `{word}` is a name of the model, write it in back-ticks: {ticked(word)}"


def node_label(s: Situation) -> Finding | None:
    """``lower: min obj x`` and ``n(i): min obj(i)``: problems with labels, as a sister language has them."""
    if s.statement == "for" and not s.complete:
        return None
    if s.culprit.text == ":" and (s.before.kind == "word" or s.before.text in (")", "]")):
        label = s.before if s.before.kind == "word" else s.culprit
    elif s.culprit.kind == "word" and s.keyword is None and re.compile(r"\w+\s*([(\[][^()\[\]]*[)\]])?\s*:").match(s.text, s.at):
        label = s.culprit
    else:
        return None
    message = "this looks like the label of a problem, and there are no labels"
    mend = "write `for i in I: min obj(i) ...`" if _is_family(s.text, label) else _HIERARCHY
    return Finding(message, f"take the label away; {mend}", label.start, label.end)


def _is_family(text: str, label: Piece) -> bool:
    return label.text == ":" or text[label.end :].lstrip()[:1] in ("(", "[")


_HIERARCHY = "`bilevel` or `equilibrium`, and then `min`, `max` or `vi` for each agent, say who is who"


def no_keyword(s: Situation) -> Finding | None:
    """A word where only a statement can begin."""
    if s.at_end or s.found_keyword or "BILEVEL" not in s.accepts or "NAME" in s.accepts or s.culprit.kind not in WORDS:
        return None
    word = s.culprit.text
    if s.keyword is None:
        message = f"expected a keyword such as `bilevel`, `min` or `equilibrium`, {s.found}"
        return s.blame(message, meant(word) or f"every statement begins with its keyword: put it before {show(word)}")
    if s.statement == "equilibrium":
        mend = meant(word) or "list variables and rows with the agents: `min obj x row`"
        return s.blame(f"`equilibrium` stands alone, {s.found} after it", mend)
    message = f"the `{s.statement}` statement is complete, {s.found} after it"
    return s.blame(message, meant(word) or f"take {show(word)} away, or begin a new statement with a keyword")


WORDS = ("word", "ticked", "number", "quoted")


_SYNONYMS = {
    **dict.fromkeys(("minimize", "minimise", "minimum", "minimization", "minimisation"), "min"),
    **dict.fromkeys(("maximize", "maximise", "maximum", "maximization", "maximisation"), "max"),
    **dict.fromkeys(("leader", "upper", "stackelberg"), "bilevel"),
    **dict.fromkeys(("nash", "mopec", "game"), "equilibrium"),
    **dict.fromkeys(("foreach", "forall", "loop"), "for"),
    **dict.fromkeys(("dual", "multiplier"), "dualvar"),
    "seed": "setseed",
    "random": "randvar",
    "variational": "vi",
}


def meant(word: str) -> str:
    """The question whether another keyword was meant; empty if none is near."""
    lower = word.lower()
    near = [_SYNONYMS[lower]] if lower in _SYNONYMS else get_close_matches(lower, STATEMENT_KEYWORDS, 1, 0.65)
    return f"did you mean `{near[0]}`?" if near else ""


def unless_name(s: Situation) -> str:
    """What to add if the keyword of the statement, or the one found, may be a name of the model."""
    if s.keyword and s.before.start == s.keyword.start and _starts_inside_line(s.text, s.keyword.start):
        return f"; {_as_name(s.keyword.text)}"
    if s.found_keyword and not s.first_on_line:
        return f"; {_as_name(s.culprit.text)}"
    return ""


def _starts_inside_line(text: str, at: int) -> bool:
    return bool(text[text.rfind("\n", 0, at) + 1 : at].strip())


def second_else(s: Situation) -> Finding | None:
    """``else`` or ``elseif`` after the closing ``else``."""
    word = s.culprit.text.lower()
    if s.statement != "disjunction" or word not in ("else", "elseif"):
        return None
    mend = "`else` comes last: move this branch before it"
    if word == "else":
        mend = "there is one `else`, and it comes last; the branches before it are written `elseif b row`"
    return s.blame(f"found `{word}` after the `else` of this disjunction", mend)
