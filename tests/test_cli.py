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
from tests.child import start

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
        (["one.mps"], "bilevel-solve one.mps one.aux"),
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


@pytest.mark.parametrize("option", ["--write", "--json", "--save-surrogate"])
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


@pytest.mark.parametrize("option", ["--json", "--save-surrogate"])
def test_the_network_that_was_brought_is_an_input_too(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = tmp_path / "net.onnx"
    network.write_bytes(b"weights")
    assert main([*files(tmp_path), "--method", "nn-embed", "--surrogate", str(network), option, str(network)]) == 2
    assert "will not be overwritten" in capsys.readouterr().err
    assert network.read_bytes() == b"weights"


@pytest.mark.parametrize("option", ["--json", "--write", "--save-surrogate"])
def test_a_file_that_cannot_be_written_is_told_before_the_solve(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "raises.py"
    model.write_text("raise AssertionError('the model was run')")
    annotation = tmp_path / "a.emp"
    annotation.write_text("bilevel x\n")
    assert main([str(model), str(annotation), option, str(tmp_path / "none" / "x.lp")]) == 2
    err = capsys.readouterr().err
    assert "there is no folder" in err
    assert "the model was run" not in err


def test_a_usage_mistake_does_not_write_its_json_over_an_input(tmp_path: Path) -> None:
    paths = files(tmp_path)
    assert main([*paths, "--gap", "no", "--json", paths[1]]) == 2
    assert Path(paths[1]).read_text().startswith("bilevel")


def test_no_json_over_what_an_annotation_or_a_core_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Also where the annotation is wrong, and the error would be the JSON.
    paths = files(tmp_path, "scenarios 'weeks.csv'\nstage 2 zz\n")
    (tmp_path / "weeks.csv").write_text("d\n1\n")
    for option in ("--json", "--write"):
        for more in ([], ["--gap", "no"]):
            assert main([*paths, option, str(tmp_path / "weeks.csv"), *more]) == 2
    assert (tmp_path / "weeks.csv").read_text() == "d\n1\n"
    assert "is an input and will not be overwritten" in capsys.readouterr().err
    smps = [str(tmp_path / name) for name in ("a.cor", "a.sto", "a.tim")]
    for name in smps:
        Path(name).write_text("as it was")
    assert main([*smps[:2], "--json", smps[2]]) == 2
    assert Path(smps[2]).read_text() == "as it was"


def test_a_json_file_that_cannot_be_written_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BARD, "--json", str(tmp_path / "none" / "a.json")]) == 2
    assert capsys.readouterr().err.count("cannot write") == 1


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


def test_json_that_cannot_be_written_is_one_more_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*BARD, "--gap", "no", "--json", str(tmp_path / "none" / "a.json")]) == 2
    err = capsys.readouterr().err
    assert "--gap" in err
    assert "cannot write" in err
    assert "Traceback" not in err


def test_two_outputs_need_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "a.mps")
    assert main([*files(tmp_path), "--write", target, "--json", target]) == 2
    assert "name the same file" in capsys.readouterr().err
    assert not Path(target).exists()


def test_syntax_gets_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files(tmp_path, "bilevl x\nmin low y row\n")) == 2
    assert "model.emp:1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("emp", "options", "code"),
    [
        ("bilevel x\nmin low y row\n", ["--method", "extensive-form"], 3),
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
    code, answer = run_json(capsys, *paths, "--method", "kkt")
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
    told = capsys.readouterr()
    assert "RuntimeError: boom" in told.err and "bug of bilevel-lang" in told.err and told.out == ""


@pytest.mark.parametrize("where", ["verify_point", "assemble"])
def test_a_bug_of_ours_is_an_object_too(
    where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(f"bilevel_lang.api.{where}", broken)
    code, answer = run_json(capsys, *BARD)
    assert (code, answer["exit_code"], answer["status"]) == (1, 1, "error")
    (bug,) = answer["errors"]
    assert bug["code"] == "B1" and bug["message"].endswith("ZeroDivisionError: division by zero")
    assert "report it" in bug["help"] and (bug["file"], bug["line"], bug["column"]) == (None, None, None)
    target = tmp_path / "answer.json"
    assert main([*BARD, "--json", str(target)]) == 1
    assert json.loads(target.read_text()) == answer


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
    assert "refused   nn-embed" in out


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


LONG = """
import random
import pyomo.environ as pyo
draw = random.Random(3).randint
N = range(10)
model = pyo.ConcreteModel()
model.x = pyo.Var(N, domain=pyo.Integers, bounds=(0, 9))
model.y = pyo.Var(N, domain=pyo.Integers, bounds=(0, 9))
gain = [draw(5, 30) for _ in N]
model.lead = pyo.Objective(expr=sum(-draw(5, 30) * model.x[i] - gain[i] * model.y[i] for i in N))
model.low = pyo.Expression(expr=sum((gain[i] + draw(-4, 4)) * model.y[i] for i in N))
model.row = pyo.ConstraintList()
for _ in range(5):
    model.row.add(sum(draw(1, 40) * model.x[i] + draw(1, 40) * model.y[i] for i in N) <= 600)
    model.row.add(sum(draw(-20, 40) * model.x[i] + draw(1, 40) * model.y[i] for i in N) >= 150)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child process alone")
def test_ctrl_c_in_a_search_gives_the_best_point_and_130(tmp_path: Path) -> None:
    model, annotation = tmp_path / "model.py", tmp_path / "model.emp"
    model.write_text(LONG)
    annotation.write_text("bilevel x\nmin low y row\n")
    command = [sys.executable, "-m", "bilevel_lang", str(model), str(annotation)]
    command += ["--solver", "scip", "--verbose", "--json", "-", "--time-limit", "120"]
    process = start(command)
    assert process.stderr is not None
    try:
        seen = ""
        for line in process.stderr:
            words = line.split()
            # Seconds, nodes, open nodes, incumbent: a point is known as soon as the last is a number.
            if len(words) > 4 and words[0].endswith("s") and words[1].isdigit() and words[3] != "-":
                seen = words[3]
                break
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    # One JSON object and nothing else: what SCIP prints about Ctrl-C goes to stderr.
    answer = json.loads(out)
    assert (process.returncode, answer["exit_code"], answer["status"]) == (130, 130, "interrupted"), err
    assert answer["objective"] <= float(seen)
    assert answer["bound"] <= answer["objective"]


def test_the_pessimistic_position_of_an_integer_follower(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The follower minds y alone, and w in 0..x not at all; the leader gets 3 w for 2 x: by the worst w = 0 it is sure of x = 0.
    more = (
        "model.x.domain = model.y.domain = pyo.Integers\n"
        "model.w = pyo.Var(domain=pyo.Integers, bounds=(0, 4))\n"
        "model.most = pyo.Constraint(expr=model.w <= model.x)\n"
        "model.lead.set_value(2 * model.x - 3 * model.w)\n"
    )
    paths = files(tmp_path, emp="bilevel x\nmin low y w row most\n", more=more)
    code, answer = run_json(capsys, *paths, "--position", "pessimistic")
    assert (code, answer["position"], answer["objective"], answer["bound"]) == (0, "pessimistic", 0, 0)
    code, answer = run_json(capsys, *paths)
    assert (code, answer["position"], answer["objective"]) == (0, "optimistic", -4)


def test_ctrl_c_while_the_model_builds_is_130(tmp_path: Path) -> None:
    paths = files(tmp_path, more="import time; print('building', flush=True); time.sleep(60)")
    command = [sys.executable, "-m", "bilevel_lang", *paths]
    process = start(command)
    assert process.stderr is not None
    assert "building" in process.stderr.readline()
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err


# --- MPS files with their .aux files.

INSTANCE = """\
NAME tiny
ROWS
 N cost
 L capacity
COLUMNS
 x cost 1 capacity 1
 y cost -2 capacity 1
RHS
 RHS capacity 4
BOUNDS
 UP BND x 3
ENDATA
"""


def instance(folder: Path, aux: str = "N 1\nM 1\nLC 1\nLR 0\nLO -1\nOS 1\n") -> list[str]:
    (folder / "tiny.mps").write_text(INSTANCE)
    (folder / "tiny.aux").write_text(aux)
    return [str(folder / "tiny.mps"), str(folder / "tiny.aux")]


def test_an_instance_of_two_files_is_solved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The follower sells 4 - x, so the leader has x - 2 (4 - x) = 3 x - 8.
    code, answer = run_json(capsys, *instance(tmp_path))
    assert (code, answer["status"], answer["objective"]) == (0, "optimal", pytest.approx(-8))
    assert answer["variables"] == pytest.approx({"x[x]": 0, "y[y]": 4})


def test_check_of_an_instance_says_who_owns_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*instance(tmp_path), "--check"]) == 0
    out = capsys.readouterr().out
    assert "variables  x[x]" in out
    assert "lower[capacity]: x[x] + y[y] <= 4" in out


@pytest.mark.parametrize(("aux", "expected", "code"), [("N 1\n", 2, "S2"), ("N 1\nM 0\nLC 9\nLO 1\nOS 1\n", 3, "E25")])
def test_broken_instances_have_their_exit_codes(
    aux: str, expected: int, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, answer = run_json(capsys, *instance(tmp_path, aux))
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert (found, errors[0]["code"], errors[0]["file"].endswith("tiny.aux")) == (expected, code, True)


def test_what_is_doubtful_in_an_instance_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    aux = "@NUMVARS\n1\n@NUMCONSTRS\n0\n@VARSBEGIN\ny 1\n@VARSEND\n@CONSTSBEGIN\n@CONSTSEND\n@MPS\nother.mps\n"
    paths = instance(tmp_path, aux)
    assert main([*paths, "--check"]) == 0
    assert "belongs to `other.mps`" in capsys.readouterr().out
    assert main([*paths, "--check", "--strict"]) == 3


@pytest.mark.parametrize("target", ["copy.mps", "copy.aux"])
def test_a_linear_problem_is_written_as_two_files(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files(tmp_path), "--write", str(tmp_path / target)]) == 0
    assert "the bilevel problem itself" in capsys.readouterr().err
    code, answer = run_json(capsys, str(tmp_path / "copy.mps"), str(tmp_path / "copy.aux"))
    # y = max(0, x - 1), so x - 2 y is best at x = 4: 4 - 6.
    assert (code, answer["objective"]) == (0, pytest.approx(-2))


def test_the_rewritten_model_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "rewritten.mps"
    assert main([*files(tmp_path), "--write", str(target), "--method", "kkt", "--encoding", "big-m", "--big-m", "100"]) == 0
    assert "kkt" in target.read_text()
    assert not target.with_suffix(".aux").exists()


def test_a_problem_that_two_files_cannot_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = files(tmp_path, low="model.y**2")
    assert main([*paths, "--write", str(tmp_path / "a.aux")]) == 3
    assert "objective 'low' is not linear" in capsys.readouterr().err
    assert main([*paths, "--write", str(tmp_path / "a.mps")]) == 0
    assert "kkt + " in capsys.readouterr().err
    assert not (tmp_path / "a.aux").exists()


@pytest.mark.parametrize("target", ["tiny.mps", "tiny.aux"])
def test_neither_file_of_an_instance_is_overwritten(target: str, tmp_path: Path) -> None:
    paths = instance(tmp_path)
    assert main([*paths, "--write", str(tmp_path / target)]) == 2
    assert Path(paths[0]).read_text() == INSTANCE


def test_a_leader_that_maximises_is_told_of_what_mibs_does_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = files(tmp_path, more="model.lead.sense = pyo.maximize")
    assert main([*paths, "--write", str(tmp_path / "a.mps")]) == 0
    assert "MibS does not read" in capsys.readouterr().err
