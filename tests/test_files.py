"""Files are written whole or not at all; models in the format of their suffix."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError, UsageError
from bilevel_lang.files import encoding_for, read_text, require_folder, require_writable, write_bytes, write_model, write_text


def test_texts_are_read_with_and_without_a_mark(tmp_path: Path) -> None:
    (tmp_path / "a.emp").write_bytes(b"\xef\xbb\xbfmin z\r\n")
    assert read_text(tmp_path / "a.emp") == "min z\r\n"
    (tmp_path / "b.emp").write_bytes(b"caf\xe9")
    with pytest.raises(UsageError, match=r"b\.emp is not UTF-8 text \(byte 3\)"):
        read_text(tmp_path / "b.emp")
    with pytest.raises(UsageError, match=r"cannot read the annotation .*none\.emp: No such file"):
        read_text(tmp_path / "none.emp", "the annotation ")


def test_text_replaces_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.emp"
    target.write_text("old")
    write_text(target, "new\n")
    assert target.read_text() == "new\n"
    assert os.listdir(tmp_path) == ["a.emp"]


def test_bytes_stay_as_they_are(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.onnx", b"\x00\r\n\xff")
    assert (tmp_path / "a.onnx").read_bytes() == b"\x00\r\n\xff"


def test_the_mode_of_a_file_survives(tmp_path: Path) -> None:
    target = tmp_path / "a.emp"
    target.write_text("old")
    target.chmod(0o640)
    write_text(target, "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.emp"
    target.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="No space left"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.emp"]


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_text(tmp_path / "none" / "a.emp", "x")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_text(tmp_path, "x")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(pipe, "new")
        assert os.read(reader, 10) == b"new"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def quadratic() -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 4))
    model.row = pyo.Constraint(expr=model.x >= 1)
    model.cost = pyo.Objective(expr=model.x**2)
    return model


@pytest.mark.parametrize("suffix", [".lp", ".mps", ".nl", ".gms"])
def test_every_format_is_written(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{suffix}"
    write_model(quadratic(), target)
    assert target.stat().st_size > 100


def test_the_lp_file_holds_the_models_own_names(tmp_path: Path) -> None:
    write_model(quadratic(), tmp_path / "out.lp")
    text = (tmp_path / "out.lp").read_text()
    assert "row" in text
    assert "x" in text


def test_a_model_without_objective_gets_a_constant_one(tmp_path: Path) -> None:
    model = quadratic()
    model.cost.deactivate()
    write_model(model, tmp_path / "out.lp")
    assert "no_objective" in (tmp_path / "out.lp").read_text()


def test_an_unknown_suffix_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.xyz"):
        write_model(quadratic(), tmp_path / "out.xyz")


def test_a_nonlinear_model_is_no_lp_file(tmp_path: Path) -> None:
    model = quadratic()
    model.curved = pyo.Constraint(expr=pyo.exp(model.x) <= 9)
    with pytest.raises(RefusedError, match=r"cannot be written as \.lp"):
        write_model(model, tmp_path / "out.lp")
    assert not (tmp_path / "out.lp").exists()


def test_gams_files_get_products_because_gams_knows_no_sos1() -> None:
    assert encoding_for(Path("a.gms")) == "scholtes"
    assert encoding_for(Path("a.lp")) is None


def test_what_cannot_be_written_is_told_before() -> None:
    require_writable(Path("/dev/null"))
    with pytest.raises(UsageError, match="there is no folder"):
        require_writable(Path("/no/such/folder/a.json"))
    with pytest.raises(UsageError, match="it is a folder"):
        require_writable(Path("/"))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")
def test_folders_that_take_no_file_from_anybody_are_told_before() -> None:
    with pytest.raises(UsageError, match=r"cannot write /proc/a\.onnx: no file can be made in /proc"):
        require_writable(Path("/proc/a.onnx"))


def test_a_new_file_in_a_folder_can_be_written_and_is_not_made(tmp_path: Path) -> None:
    require_writable(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_made_and_what_cannot_be_one_is_told(tmp_path: Path) -> None:
    require_folder(tmp_path / "a" / "b")
    require_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("text")
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="cannot be a folder"):
            require_folder(wrong)
