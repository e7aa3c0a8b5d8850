"""Small random instances, the files of the data folder, and a reader for texts."""

from __future__ import annotations

import math
from pathlib import Path

from hypothesis import strategies as st

from bilevel_lang.mps_files.aux_reading import read_aux
from bilevel_lang.mps_files.instance import BilevelInstance, Column, Follower, MpsInstance, Row
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.mps_files.pairing import pair

DATA = Path(__file__).resolve().parent / "data"
NAMES = ["moore90", "bmilplib_10_2", "K5010W02.KNP"]

MPS = """\
NAME tiny
ROWS
 N obj
 L cap
 G need
COLUMNS
 x obj 1 cap 1
 y obj -2 cap 1
 y need 3
RHS
 rhs cap 4
BOUNDS
 UP bnd x 3
ENDATA
"""
AUX = "N 1\nM 1\nLC 1\nLR 0\nLO -1\nOS 1\n"
NAMED = "@NUMVARS\n1\n@NUMCONSTRS\n1\n@VARSBEGIN\ny -1\n@VARSEND\n@CONSTSBEGIN\ncap\n@CONSTSEND\n@NAME\ntiny\n@MPS\ntiny.mps\n"


def read(mps: str, aux: str, mps_name: str = "") -> BilevelInstance:
    found, complaints = read_aux(aux, "tiny.aux")
    return pair(read_mps(mps, "tiny.mps")[0], found, complaints, mps_name=mps_name)


NUMBERS = st.one_of(st.integers(-50, 50).map(float), st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-9))
# Eighths are exact in sums, so that a range gives both sides back exactly.
EIGHTHS = st.integers(-400, 400).map(lambda k: k / 8)


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    lower = draw(st.one_of(st.just(0.0), st.just(-math.inf), NUMBERS))
    upper = draw(st.one_of(st.just(math.inf), NUMBERS))
    if upper < lower:
        lower, upper = upper, lower
    return Column(name, lower, upper, draw(st.booleans()), draw(NUMBERS))


@st.composite
def rows(draw: st.DrawFn, name: str, width: int) -> Row:
    places = sorted(draw(st.sets(st.integers(0, width - 1))))
    terms = tuple((j, draw(NUMBERS.filter(bool))) for j in places)
    kind = draw(st.sampled_from("ELGR"))
    side = draw(NUMBERS)
    if kind == "R":
        one, other = sorted((draw(EIGHTHS), draw(EIGHTHS)))
        return Row(name, one, other, terms)
    return Row(name, -math.inf if kind == "L" else side, math.inf if kind == "G" else side, terms)


LETTERS = "abcXYZ0189_.[](),-$#é"


@st.composite
def instances(draw: st.DrawFn) -> BilevelInstance:
    names = st.text(LETTERS, min_size=1, max_size=12)
    width, height = draw(st.integers(1, 5)), draw(st.integers(0, 4))
    column_names = draw(st.lists(names, min_size=width, max_size=width, unique=True))
    row_names = draw(st.lists(names, min_size=height, max_size=height, unique=True))
    mps = MpsInstance(
        draw(st.sampled_from(["", "tiny", "./a/b c"])),
        draw(st.sampled_from([1, -1])),
        draw(NUMBERS),
        tuple(draw(columns(name)) for name in column_names),
        tuple(draw(rows(name, width)) for name in row_names),
    )
    lower = draw(st.lists(st.integers(0, width - 1), min_size=1, unique=True))
    own = draw(st.lists(st.integers(0, height - 1), unique=True)) if height else []
    costs = tuple(draw(NUMBERS) for _ in lower)
    return BilevelInstance(mps, Follower(tuple(lower), costs, tuple(own), draw(st.sampled_from([1, -1]))))
