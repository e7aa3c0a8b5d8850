""".aux texts of both dialects, right and broken."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import BilevelError, MpsSyntaxError, RefusedError
from bilevel_lang.mps_files.aux_reading import read_aux
from tests.mps_files.instances import AUX, NAMED


def test_the_index_dialect() -> None:
    found, _ = read_aux("N 2\nM 1\nLC 4\nLC 5\nLR 0\nLO 1\nLO -1.5\nOS -1\n")
    assert ([i.index for i in found.columns], found.costs, [i.index for i in found.rows]) == ([4, 5], (1.0, -1.5), [0])
    assert (found.sense, found.by_index) == (-1, True)


@pytest.mark.parametrize("plural", ["CONSTS", "CONSTRS", "CONSTR"])
def test_the_named_dialect_in_all_its_spellings(plural: str) -> None:
    text = (
        NAMED.replace("@CONSTSBEGIN", f"@{plural}BEGIN")
        .replace("@CONSTSEND", f"@{plural}END")
        .replace("@NUMCONSTRS", f"@NUM{plural}")
    )
    found, _ = read_aux(text)
    assert ([i.text for i in found.columns], found.costs, [i.text for i in found.rows]) == (["y"], (-1.0,), ["cap"])
    assert (found.sense, found.by_index, found.mps) == (1, False, "tiny.mps")


def test_the_sense_of_the_named_dialect() -> None:
    assert read_aux(NAMED + "@OBJSENSE\nMAX\n")[0].sense == -1


BROKEN = [
    ("", 1, "there is no N"),
    (AUX.replace("OS 1\n", ""), 5, "there is no OS"),
    (AUX.replace("OS 1", "OS 2"), 6, "`2` is no sense"),
    (AUX.replace("OS 1", "OS"), 6, "after OS comes one value"),
    (AUX.replace("N 1", "N 2"), 1, "N 2, but there are 1 LC lines"),
    (AUX.replace("M 1", "M 0"), 2, "M 0, but there are 1 LR lines"),
    (AUX.replace("N 1", "N -1"), 1, "`-1` is no count"),
    (AUX.replace("M 1", "M one"), 2, "`one` is no count"),
    (AUX.replace("LC 1", "LC -1"), 3, "`-1` is no index"),
    (AUX.replace("LC 1", "LC y"), 3, "`y` is no index"),
    (AUX.replace("LC 1", "LC 1\nLC 1"), 4, "LC 1 comes a second time"),
    (AUX.replace("LO -1", "LO x"), 5, "`x` is not a finite number"),
    (AUX.replace("LO -1\n", ""), 3, "1 LC lines and 0 LO lines"),
    (AUX.replace("LR", "RL"), 4, "`RL` is no key"),
    (AUX + "N 1\n", 7, "N comes a second time"),
    (NAMED.replace("@NUMVARS\n1", "@NUMVARS\n2"), 2, "@NUMVARS 2, but there are 1"),
    (NAMED.replace("@NUMVARS\n1", "@NUMVARS\n-1"), 2, "`-1` is no count"),
    (NAMED.replace("@NUMVARS\n1\n", "@NUMVARS\n"), 2, "@NUMVARS has no value"),
    (NAMED.replace("@NUMVARS\n1\n", ""), 12, "there is no @NUMVARS"),
    (NAMED[: NAMED.index("@CONSTSBEGIN")], 7, "there is no @CONSTSBEGIN"),
    (NAMED[: NAMED.index("@CONSTSEND")], 8, "has no @CONSTSEND"),
    (NAMED.replace("@VARSEND\n", ""), 7, "@VARSBEGIN is still open"),
    (NAMED.replace("@NAME", "@NAMES"), 11, "`@NAMES` is no keyword"),
    (NAMED.replace("y -1", "y"), 6, "a column and its coefficient"),
    (NAMED.replace("y -1", "y minus"), 6, "`minus` is not a finite number"),
    (NAMED.replace("y -1", "y -1\ny 1"), 7, "`y` comes a second time"),
    (NAMED.replace("cap\n", "cap 1\n"), 9, "the name of one row"),
    (NAMED + "N 1\n", 15, "outside any section"),
    (NAMED + "@OBJSENSE\nUP\n", 16, "`UP` is no sense"),
]


@pytest.mark.parametrize(("text", "line", "said"), BROKEN, ids=[f"{n}: {said}" for n, (_, _, said) in enumerate(BROKEN)])
def test_broken_files_are_told_with_their_lines(text: str, line: int, said: str) -> None:
    with pytest.raises(MpsSyntaxError) as caught:
        read_aux(text, "tiny.aux")
    places = {(d.span.line if d.span else 0) for d in caught.value.diagnostics if said in d.message}
    assert line in places, str(caught.value)


@pytest.mark.parametrize(("text", "said"), [(AUX + "IC 3\nIB 5\n", "interdiction"), (NAMED + "@LP\nx.lp\n", "LP files")])
def test_what_is_not_carried_out(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        read_aux(text)


def test_a_keyword_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(BilevelError, match="did you mean `@NUMVARS`"):
        read_aux(NAMED.replace("@NUMVARS", "@NUMVAR"))
