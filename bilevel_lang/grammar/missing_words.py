"""What a statement still needs: a name, a number, a law, a file, the statement after ``for``, what a sign stands before."""

from __future__ import annotations

from bilevel_lang.grammar.keyword_mistakes import meant, unless_name
from bilevel_lang.grammar.situation import Finding, Situation, show


def for_head(s: Situation) -> Finding | None:
    """``for`` without index, ``in``, set, ``:`` or with a statement that it cannot govern."""
    if s.statement != "for":
        return None
    if s.accepts <= _AGENTS and s.culprit.text.lower() == "for":
        mend = "write one `for` with all indices: `for s in S, t in T: ...`"
        return Finding("one `for` cannot govern another", mend, s.at, s.culprit.end)
    if s.accepts <= _AGENTS and s.found_keyword:
        return Finding(f"`for` cannot govern `{s.culprit.text.lower()}`", _GOVERNED, s.at, s.culprit.end)
    if s.accepts <= _AGENTS:
        return s.blame(f"expected the statement that `for` governs, {s.found}", meant(s.culprit.text) or _GOVERNED)
    if "IN" in s.accepts and s.before.text.lower() == "in":
        mend = "write the index between `for` and `in`: `for s in S: ...`"
        return Finding("expected the name of an index after `for`, found `in`", mend, s.before.start, s.before.end)
    if "IN" in s.accepts:
        return s.blame(f"expected `in` after the index `{s.before.text}`, {s.found}", f"write `for {s.before.text} in S: ...`")
    if s.complete or "COLON" not in s.accepts:
        need = "the set after `in`" if s.before.text.lower() == "in" else "the name of an index after `for`"
        return s.blame(f"expected {need}, {s.found}", "write `for s in S: ...`" + unless_name(s))
    return s.blame(f"expected `:` before the statement that `for` governs, {s.found}", "write `for s in S: min obj(s) x(s)`")


_AGENTS = frozenset({"MIN", "MAX", "VI", "QVI", "DUALVAR", "DUALEQU"})


_GOVERNED = "after `for ...:` stands one statement with `min`, `max`, `vi`, `qvi`, `dualvar` or `dualequ`"


def missing_word(s: Situation) -> Finding | None:
    """A penalty, a reformulation, a type, a distribution or a file name is missing."""
    if s.complete:
        return None
    if "ABS" in s.accepts:
        message = f"expected the penalty of the row {show(s.before.text)}, {s.found}"
        return s.blame(message, "write `abs`, `maxz` or `sqr` after the row")
    if s.statement == "default":
        mend = "write `chull`, `bigm` or `indic`" + unless_name(s)
        return s.blame(f"expected a reformulation after `default`, {s.found}", mend)
    if s.statement == "scenarios":
        mend = "write its name in quotes: scenarios 'demand.csv'"
        return s.blame(f"expected the file of the scenarios, {s.found}", mend + unless_name(s))
    if s.statement == "modeltype":
        mend = "write it after `modeltype`: `modeltype mcp`" + unless_name(s)
        return s.blame(f"expected the type of the model, {s.found}", mend)
    if s.statement == "randvar" and s.before is not s.keyword and s.before.text.lower() != "randvar":
        mend = "write a law and its numbers: `randvar d normal 45 10`"
        return s.blame(f"expected the distribution of the parameter {show(s.before.text)}, {s.found}", mend)
    return None


def dangling_sign(s: Situation) -> Finding | None:
    """``-`` or ``.`` with no name after it."""
    if s.before.text == "-" and s.culprit.text == "*":
        return s.blame("the wildcard `*` cannot be flipped", "list the rows that are to be flipped: `-row1 -row2`")
    if s.before.text == "-" and s.culprit.text == "-":
        return s.blame("one `-` is enough", "take one `-` away; if this is to be a comment, begin it with # or //")
    if s.before.text == "-":
        message = f"expected the name of a row after `-`, {s.found}"
        return Finding(message, "write the row after the `-`, or take the `-` away", s.before.start, s.before.end)
    if s.before.text == ".":
        mend = "write the name of the component after the dot: `blk.x`"
        return Finding(f"expected a name after `.`, {s.found}", mend, s.before.start, s.before.end)
    return None


def missing_name(s: Situation) -> Finding | None:
    """The statement needs a name: an objective, a parameter, an indicator, a row."""
    if s.complete or "NAME" not in s.accepts or "NUMBER" in s.accepts:
        return None
    if s.culprit.kind in ("other", "quoted") and s.culprit.text != "*":
        return None
    need, mend = _NAMES.get(s.statement, ("a name", "write the name here"))
    mend += unless_name(s)
    if s.culprit.text == "*":
        return s.blame(f"expected {need}, found the wildcard `*`", mend)
    return s.blame(f"expected {need}, {s.found}", mend)


_NAMES = {
    "min": ("the objective after `min`", "write what is minimised first: `min obj x row`"),
    "max": ("the objective after `max`", "write what is maximised first: `max obj x row`"),
    "disjunction": ("an indicator variable or `*`", "write what switches these rows on: `disjunction b row1 else row2`"),
    "randvar": ("the parameter that is random", "write `randvar d normal 45 10`"),
    "jrandvar": (
        "two or more parameters",
        "write `jrandvar d r 0.5 10 1 0.5 20 2`, `jrandvar d[1] d[2] ...` for elements of one; a single number takes `randvar`",
    ),
    "correlation": ("two parameters", "write `correlation d r 0.3`"),
    "chance": ("the rows that hold with a probability", "write `chance row 0.95`"),
    "expectedvalue": ("a variable after `expectedvalue`", "write `expectedvalue r`"),
    "expected_value": ("a variable after `expected_value`", "write `expected_value r`"),
    **{kind: (f"a variable after `{kind}`", f"write `{kind} r 0.1`") for kind in ("cvarlo", "cvarup", "varlo", "varup")},
}


def missing_number(s: Situation) -> Finding | None:
    """The statement needs a number: a stage, a size, a seed, a probability."""
    if s.complete or "NUMBER" not in s.accepts or s.culprit.kind == "number":
        return None
    need, mend = _NUMBERS.get(s.statement, ("a number", "write the number here"))
    return s.blame(f"expected {need}, {s.found}", mend + unless_name(s))


_NUMBERS = {
    "stage": ("the number of the stage", "write `stage 2 x row`"),
    "stagedefault": ("the number of a stage", "write `stagedefault 2`"),
    "sample": ("the size of the sample, a number", "write `sample d 100`"),
    "setseed": ("a number after `setseed`", "write `setseed 42`"),
    "correlation": ("the correlation, a number", "write `correlation d r 0.3`"),
    "chance": ("the probability, a number", "write `chance row 0.95`"),
    **{kind: ("the level, a number", f"write `{kind} r 0.1`") for kind in ("cvarlo", "cvarup", "varlo", "varup")},
}
