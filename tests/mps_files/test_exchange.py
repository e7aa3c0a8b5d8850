"""Files on disk: pairs, encodings, and a hundred ways to break them."""

from __future__ import annotations

import random
import re
import warnings
from pathlib import Path

import pyomo.environ as pyo
import pytest

import bilevel_lang
from bilevel_lang.errors import BilevelError, MpsSyntaxError, RefusedError, ResolutionError, UsageError
from bilevel_lang.mps_files.exchange import read_pair, write_pair
from tests.mps_files.instances import AUX, DATA, MPS, NAMED, NAMES
from tests.mps_files.mutations import mutated


def written(folder: Path, mps: str = MPS, aux: str = AUX) -> Path:
    (folder / "tiny.mps").write_text(mps, encoding="utf-8")
    (folder / "tiny.aux").write_text(aux, encoding="utf-8")
    return folder / "tiny.mps"


@pytest.mark.parametrize("dialect", ["named", "index"])
@pytest.mark.parametrize("name", NAMES)
def test_instances_of_the_field_survive_both_dialects(name: str, dialect: str, tmp_path: Path) -> None:
    first = read_pair(DATA / f"{name}.mps", DATA / f"{name}.aux")
    write_pair(first.instance, tmp_path / "a.mps", tmp_path / "a.aux", dialect)
    assert read_pair(tmp_path / "a.mps", tmp_path / "a.aux").instance == first.instance
    assert first.notices == ()


@pytest.mark.parametrize(
    ("name", "counts"),
    # Columns, rows and integer columns of leader and follower, as BOBILib states them.
    [("moore90", (1, 1, 0, 4, 1, 1)), ("K5010W02.KNP", (10, 10, 1, 11, 10, 10)), ("bmilplib_10_2", (10, 10, 4, 4, 10, 5))],
)
def test_who_owns_what(name: str, counts: tuple[int, ...]) -> None:
    model, info = bilevel_lang.read_mps_aux(DATA / f"{name}.mps")
    upper = len(model.upper) if model.component("upper") else 0
    whole = [sum(v.is_integer() for v in symbol.values()) for symbol in (model.x, model.y)]
    assert (len(model.x), len(model.y), upper, len(model.lower), *whole) == counts
    problem = bilevel_lang.resolve(model, info)
    assert [len(problem.leader.variables), len(problem.agents[0].variables)] == [*counts[:2]]
    assert [len(problem.leader.rows), len(problem.agents[0].rows)] == [*counts[2:4]]


def test_written_by_the_public_function_and_read_again(tmp_path: Path) -> None:
    model, info = bilevel_lang.read_mps_aux(written(tmp_path))
    bilevel_lang.write_mps_aux(model, info, tmp_path / "again.mps", dialect="index")
    first = read_pair(tmp_path / "tiny.mps", tmp_path / "tiny.aux").instance
    assert read_pair(tmp_path / "again.mps", tmp_path / "again.aux").instance == first


def test_what_is_doubtful_is_warned_of_and_an_error_under_strict(tmp_path: Path) -> None:
    path = written(tmp_path, aux=NAMED.replace("tiny.mps", "other.mps"))
    with pytest.warns(UserWarning, match=r"belongs to `other\.mps`"):
        bilevel_lang.read_mps_aux(path)
    with pytest.raises(ResolutionError, match="belongs to"):
        read_pair(path, tmp_path / "tiny.aux", strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bilevel_lang.read_mps_aux(written(tmp_path, aux=NAMED))


def test_files_that_are_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.mps"):
        bilevel_lang.read_mps_aux(tmp_path / "nothing.mps")
    path = written(tmp_path)
    path.write_bytes(b"NAME \xff\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        bilevel_lang.read_mps_aux(path)


def test_cplex_says_that_it_wrote_latin_1(tmp_path: Path) -> None:
    path = written(tmp_path, aux=NAMED.replace("cap\n", "é\n"))
    path.write_bytes(b"* ENCODING=ISO-8859-1\n" + MPS.replace("cap", "é").encode("latin-1"))
    model, _ = bilevel_lang.read_mps_aux(path)
    assert list(model.lower) == ["é"]


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + MPS.replace("\n", "\r\n").encode())
    (tmp_path / "tiny.aux").write_bytes(AUX.replace("\n", "\r\n").encode())
    assert bilevel_lang.read_mps_aux(path)[0].x["x"].ub == 3


def test_an_integer_follower_gets_the_ordinary_message_where_kkt_is_asked_for() -> None:
    model, info = bilevel_lang.read_mps_aux(DATA / "moore90.mps")
    with pytest.raises((RefusedError, ResolutionError), match="integer"):
        bilevel_lang.solve(model, info, method="kkt")


def test_thousands_of_rows(tmp_path: Path) -> None:
    size = 3000
    rows = "".join(f" L r{k}\n" for k in range(size))
    columns = "".join(f" c{k} obj 1 r{k} 1\n c{k} r{(k + 1) % size} 2\n" for k in range(size))
    mps = f"NAME big\nROWS\n N obj\n{rows}COLUMNS\n{columns}RHS\n{''.join(f' b r{k} 3' + chr(10) for k in range(size))}ENDATA\n"
    half = size // 2
    aux = f"N {half}\nM {half}\n" + "".join(f"LC {k}\nLR {k}\nLO -1\n" for k in range(half)) + "OS 1\n"
    model, info = bilevel_lang.read_mps_aux(written(tmp_path, mps, aux))
    problem = bilevel_lang.resolve(model, info)
    assert (len(problem.agents[0].variables), len(problem.leader.rows)) == (half, half)
    assert sum(1 for _ in model.component_data_objects(pyo.Constraint)) == size


def broken(text: str, chance: random.Random) -> str:
    """``text`` with one to three accidents."""
    for _ in range(chance.randint(1, 3)):
        lines = text.split("\n")
        k, place = chance.randrange(len(lines)), chance.randrange(len(text) or 1)
        words = lines[k].split()
        accidents = [
            text[:place],
            text[:place] + text[place + 1 :],
            text[:place] + chance.choice("x 7-.@*\t\n\0é'") + text[place:],
            "\n".join(lines[:k] + lines[k + 1 :]),
            "\n".join([*lines[: k + 1], lines[k], *lines[k + 1 :]]),
            "\n".join([*lines[:k], *reversed(lines[k : k + 2]), *lines[k + 2 :]]),
        ]
        if words:
            word = chance.choice(words)
            other = chance.choice(["-1", "1e999", "nan", "", "C9999", "ENDATA", "LC", "@MPS", word.lower(), word * 2])
            accidents.append("\n".join([*lines[:k], lines[k].replace(word, other, 1), *lines[k + 1 :]]))
        text = chance.choice(accidents)
    return text


@pytest.mark.parametrize("seed", range(100))
def test_broken_files_end_in_a_message_with_a_place_or_are_read(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    name = chance.choice(NAMES)
    texts = [(DATA / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("mps", "aux")]
    which = chance.randrange(2)
    texts[which] = broken(texts[which], chance)
    path = written(tmp_path, *texts)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, info = bilevel_lang.read_mps_aux(path)
            bilevel_lang.resolve(model, info)
    except (MpsSyntaxError, ResolutionError, RefusedError) as error:
        assert error.exit_code in (2, 3)
        assert re.search(r"tiny\.(mps|aux):\d+:\d+: error", str(error)), str(error)
    except BilevelError as error:
        pytest.fail(f"another error than one of the files: {error}")


@pytest.mark.parametrize("seed", range(100))
def test_damaged_bytes_end_in_a_message_with_a_place_or_are_read(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    name, which = chance.choice(NAMES), chance.choice(["mps", "aux"])
    for kind in ("mps", "aux"):
        content = (DATA / f"{name}.{kind}").read_bytes()
        (tmp_path / f"tiny.{kind}").write_bytes(mutated(content, chance) if kind == which else content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, info = bilevel_lang.read_mps_aux(tmp_path / "tiny.mps")
            bilevel_lang.resolve(model, info)
    except BilevelError as error:
        assert error.exit_code in (2, 3)
        assert re.search(r"tiny\.(mps|aux):\d+:", str(error)), str(error)
