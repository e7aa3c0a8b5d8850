"""What the two files must have in common."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import ResolutionError
from bilevel_lang.mps_files.aux_reading import read_aux
from bilevel_lang.mps_files.instance import Follower
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.mps_files.pairing import pair
from tests.mps_files.instances import AUX, MPS, NAMED, read


def test_both_dialects_mean_the_same() -> None:
    assert read(MPS, AUX).follower == read(MPS, NAMED).follower == Follower((1,), (-1.0,), (0,), 1)


@pytest.mark.parametrize(
    ("aux", "place", "said"),
    [
        (AUX.replace("LC 1", "LC 2"), "tiny.aux:3:4", "index 2 is beyond the 2 columns"),
        (AUX.replace("LR 0", "LR 2"), "tiny.aux:4:4", "index 2 is beyond the 2 rows"),
        (NAMED.replace("y -1", "z -1"), "tiny.aux:6:1", "no column `z`"),
        (NAMED.replace("cap\n", "capp\n"), "tiny.aux:9:1", "did you mean `cap`"),
        (NAMED.replace("cap\n", "obj\n"), "tiny.aux:9:1", "no row `obj`"),
        ("N 0\nM 0\nOS 1\n", "tiny.aux:1:1", "no column is the follower's"),
    ],
)
def test_what_is_not_in_the_mps_file(aux: str, place: str, said: str) -> None:
    with pytest.raises(ResolutionError) as caught:
        read(MPS, aux)
    assert (caught.value.exit_code, caught.value.diagnostics[0].code, caught.value.diagnostics[0].place) == (3, "E25", place)
    assert said in str(caught.value)


def test_indices_are_refused_where_programs_count_differently() -> None:
    with pytest.raises(ResolutionError, match="further N rows"):
        read(MPS.replace(" G need", " N free\n G need"), AUX)
    assert read(MPS.replace(" G need", " N free\n G need"), NAMED).follower.rows == (0,)


def test_another_mps_file_is_a_warning() -> None:
    found, complaints = read_aux(NAMED, "tiny.aux")
    pair(read_mps(MPS)[0], found, complaints, mps_name="folder/tiny.mps")
    assert complaints.notices == []
    pair(read_mps(MPS)[0], found, complaints, mps_name="folder/other.mps")
    assert [(d.severity, d.code, d.place) for d in complaints.notices] == [("warning", "E25", "tiny.aux:14:1")]
