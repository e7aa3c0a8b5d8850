"""The command line: what goes to stdout, what to stderr, which exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bilevel_lang.cli as cli
from bilevel_lang.cli import main
from bilevel_lang.version import __version__

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
BARD = [str(EXAMPLES / "bard851" / "model.py"), str(EXAMPLES / "bard851" / "model.emp")]

FLAT = """
import pyomo.environ as pyo
model = pyo.ConcreteModel()
model.x = pyo.Var(bounds=(0, 4))
model.y = pyo.Var(bounds=(0, 4))
model.lead = pyo.Objective(expr=model.x - 2 * model.y)
model.low = pyo.Objective(expr={low})
model.low.deactivate()
model.row = pyo.Constraint(expr=model.y >= model.x - 1)
{more}
"""


def files(folder: Path, emp: str = "bilevel x\nmin low y row\n", low: str = "model.y", more: str = "") -> list[str]:
    model, annotation = folder / "model.py", folder / "model.emp"
    model.write_text(FLAT.format(low=low, more=more))
    annotation.write_text(emp)
    return [str(model), str(annotation)]


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = main([*arguments, "--json", "-"])
    return code, json.loads(capsys.readouterr().out)


def test_the_report_goes_to_stdout_and_the_code_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BARD) == 0
    out, err = capsys.readouterr()
    assert "Bilevel Followers = 1" in out
    assert "-1.4074074" in out
    assert "follower verified" in out
    assert err == ""


def test_json_to_stdout_is_the_only_thing_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *BARD, "--explain")
    assert (code, answer["status"], answer["schema"]) == (0, "optimal", "bilevel-lang/1")


def test_json_to_a_file_leaves_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "answer.json"
    assert main([*BARD, "--json", str(target)]) == 0
    assert json.loads(target.read_text())["exit_code"] == 0
    assert "status" in capsys.readouterr().out


def test_quiet_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BARD, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_what_the_model_file_prints_does_not_spoil_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *files(tmp_path, more="print('hello')"))
    # y = max(0, x - 1), so x - 2 y is best at x = 4: 4 - 6.
    assert (code, answer["objective"]) == (0, -2.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a model and an annotation are needed"),
        (["one.py"], "1 file given"),
        (["a.emp", "b.py"], "the model comes first"),
        (["a.mps", "b.aux"], "cannot read a.mps"),
        (["b.aux", "a.mps"], "the .mps file comes first"),
        (["a.mps", "b.emp"], "beside an .mps file goes an .aux file"),
        (["a.py", "b.aux"], "beside an .aux file goes an .mps file"),
        ([*BARD, "--write", "a.lp", "--aux-format", "index"], "--aux-format goes with"),
        ([*BARD, "--write", "a.aux", "--method", "kkt"], "leave --method and --encoding out"),
        ([*BARD, "--time-limit", "-1"], "positive"),
        ([*BARD, "--time-limit", "soon"], "not a number"),
        ([*BARD, "--gap", "-0.1"], ">= 0"),
        ([*BARD, "--threads", "0"], ">= 1"),
        ([*BARD, "--seed", "x"], ">= 0"),
        ([*BARD, "--position", "neutral"], "neutral"),
        ([*BARD, "--in-place"], "--format"),
        ([*BARD, "--method", "ktk"], "kkt"),
        ([*BARD, "--encoding", "sos2"], "sos1"),
        ([*BARD, "--solver", "scipp"], "scip"),
        ([*BARD, "--write", "model.xyz"], ".xyz"),
        (["no-such.py", BARD[1]], "no-such.py"),
        ([BARD[0], "no-such.emp"], "no-such.emp"),
        (["--format"], "--format needs"),
        (["--formt", "x.emp"], "--formt"),
    ],
)
def test_usage_mistakes_get_code_2_and_a_mend(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("option", ["--write", "--json"])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("linked", [False, True])
def test_an_input_is_never_overwritten(
    option: str, which: int, linked: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = files(tmp_path)
    before = [Path(p).read_text() for p in paths]
    target = paths[which]
    if linked:
        target = str(tmp_path / "link.lp")
        os.link(paths[which], target)
    assert main([*paths, option, target]) == 2
    assert "will not be overwritten" in capsys.readouterr().err
    assert [Path(p).read_text() for p in paths] == before


def test_a_usage_mistake_does_not_write_its_json_over_an_input(tmp_path: Path) -> None:
    paths = files(tmp_path)
    assert main([*paths, "--gap", "no", "--json", paths[1]]) == 2
    assert Path(paths[1]).read_text().startswith("bilevel")


def test_errors_are_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *files(tmp_path, "bilevel x\nmin low yy row\nmin lo z\n"))
    assert (code, answer["status"], answer["exit_code"]) == (3, "error", 3)
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert [(e["code"], e["line"], e["column"]) for e in errors][:1] == [("E1", 2, 9)]
    assert len(errors) >= 3


def test_usage_errors_are_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *BARD, "--gap", "no")
    assert (code, answer["exit_code"]) == (2, 2)


def test_syntax_gets_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path, "bilevl x\nmin low y row\n")) == 2
    assert "model.emp:1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("emp", "options", "code"),
    [
        ("bilevel x\nmin low y row\n", ["--method", "value-function"], 3),
        ("bilevel x\nmin low y row\n", ["--method", "nn-embed"], 3),
        ("bilevel x\nmin low y row\nstage 2 y\n", [], 3),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(
    emp: str, options: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files(tmp_path, emp), *options]) == code
    assert "help:" in capsys.readouterr().err


def test_a_model_that_raises_gets_code_3_with_its_own_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path, more="1 / 0")) == 3
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "model_file.py" not in err


def test_infeasible_is_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *files(tmp_path, more="model.high = pyo.Constraint(expr=model.y >= 3.5)"))
    assert (code, answer["status"], answer["objective"]) == (4, "infeasible", None)


def test_a_refuted_follower_is_7(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A concave follower: y = 2 is stationary and the leader's favourite, y = 0 or 4 is optimal.
    lead = "model.lead.set_value((model.y - 2)**2 + model.x)"
    paths = files(tmp_path, "bilevel x\nmin low y\n", low="-(model.y - 2)**2", more=lead)
    code, answer = run_json(capsys, *paths)
    assert (code, answer["status"]) == (7, "verification_failed")
    assert answer["gap"] is None


def test_a_missing_solver_is_6(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BARD, "--solver", "gurobi"]) == 6
    assert "gurobi" in capsys.readouterr().err


def test_a_bug_of_ours_is_1_and_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("boom")

    monkeypatch.setattr(cli, "_dispatch", broken)
    assert main(BARD) == 1
    assert "bug of bilevel-lang" in capsys.readouterr().err


def test_check_prints_the_counters_and_who_owns_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BARD, "--check"]) == 0
    out = capsys.readouterr().out
    assert "Bilevel Followers    = 1" in out
    assert "Logical Constraints  = 0" in out
    assert "multiplier <= 0" in out
    assert "-1.4074" not in out


def test_strict_makes_warnings_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = files(tmp_path, "bilevel\nmin low y row\n")
    assert main([*paths, "--check"]) == 0
    assert main([*paths, "--check", "--strict"]) == 3
    assert "`x`" in capsys.readouterr().err


def test_format_to_stdout_leaves_the_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "* a comment\nBILEVEL   x\n\nMin low   y row # end\n"
    path = tmp_path / "a.emp"
    path.write_text(text)
    assert main(["--format", str(path)]) == 0
    assert capsys.readouterr().out == "* a comment\nbilevel x\n\nmin low y row  # end\n"
    assert path.read_text() == text
    assert main(["--format", "--in-place", str(path)]) == 0
    assert path.read_text() == "* a comment\nbilevel x\n\nmin low y row  # end\n"


def test_write_saves_the_rewritten_model_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.lp"
    assert main([*BARD, "--write", str(target)]) == 0
    assert "kkt_stationarity" in target.read_text()
    assert capsys.readouterr().out == ""


def test_write_tells_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = run_json(capsys, *BARD, "--write", str(tmp_path / "out.lp"))
    assert (code, answer["status"], answer["exit_code"]) == (0, "unknown", 0)


@pytest.mark.parametrize("mode", [["--doctor"], ["--format", BARD[1]]])
def test_json_is_refused_where_there_is_nothing_to_tell(mode: list[str]) -> None:
    assert main([*mode, "--json", "-"]) == 2


def test_explain_names_what_was_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    main([*BARD, "--explain"])
    out = capsys.readouterr().out
    assert "chosen    kkt" in out
    assert "refused   big-m" in out
    assert "refused   value-function" in out


def test_version_and_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert __version__ in capsys.readouterr().out
    assert main(["--doctor"]) == 0
    assert "HiGHS" in capsys.readouterr().out


def test_python_dash_m_is_the_same_program() -> None:
    done = subprocess.run([sys.executable, "-m", "bilevel_lang", "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, f"bilevel-lang {__version__}")


def test_ctrl_c_while_the_model_builds_is_130(tmp_path: Path) -> None:
    paths = files(tmp_path, more="import time; print('building', flush=True); time.sleep(60)")
    command = [sys.executable, "-m", "bilevel_lang", *paths]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "building" in process.stderr.readline()
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
