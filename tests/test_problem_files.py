"""The two files of the command line: their order, their kinds, and the problem in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilevel_lang.clock import Clock
from bilevel_lang.errors import ResolutionError, UsageError
from bilevel_lang.problem_files import further_inputs, problem_of, two_files

MODEL = """
import pyomo.environ as pyo
print("hello from the model")
model = pyo.ConcreteModel()
model.x = pyo.Var(bounds=(0, 4))
model.y = pyo.Var(bounds=(0, 4))
model.lead = pyo.Objective(expr=model.x - 2 * model.y)
model.low = pyo.Expression(expr=model.y)
model.row = pyo.Constraint(expr=model.y >= model.x - 1)
"""
MPS = "NAME t\nROWS\n N cost\n L cap\nCOLUMNS\n x cost 1 cap 1\n y cost -2 cap 1\nRHS\n RHS cap 4\nBOUNDS\n UP BND x 3\nENDATA\n"
NAMED = "@NUMVARS\n1\n@NUMCONSTRS\n1\n@VARSBEGIN\ny -1\n@VARSEND\n@CONSTSBEGIN\ncap\n@CONSTSEND\n@MPS\n{}\n"


@pytest.mark.parametrize("names", [("m.py", "m.emp"), ("M.PY", "any.txt"), ("i.mps", "i.aux"), ("I.MPS", "other.AUX")])
def test_two_files_that_go_together(names: tuple[str, str]) -> None:
    assert two_files([*names]) == (Path(names[0]), Path(names[1]))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "nothing given"),
        (["m.py"], "1 file given"),
        (["a", "b", "c"], "3 files given"),
        (["m.emp", "m.py"], "bilevel-solve m.py m.emp"),
        (["i.aux", "i.mps"], "bilevel-solve i.mps i.aux"),
        (["i.mps", "m.emp"], "goes an .aux file"),
        (["m.py", "i.aux"], "goes an .mps file"),
        (["m.lp", "m.emp"], "models are Python files"),
    ],
)
def test_others_get_a_message_with_the_mend(names: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        two_files(names)
    assert said in str(caught.value)


def test_a_model_and_its_annotation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    (tmp_path / "m.emp").write_text("bilevel x\nmin low y row\n")
    problem = problem_of(tmp_path / "m.py", tmp_path / "m.emp", Clock(), strict=False)
    assert [v.name for v in problem.leader.variables] == ["x"]
    assert [(a.name, [v.name for v in a.variables]) for a in problem.agents] == [("min low", ["y"])]
    assert capsys.readouterr() == ("", "hello from the model\n")


def test_an_instance_of_data_with_its_doubts(tmp_path: Path) -> None:
    (tmp_path / "i.mps").write_text(MPS)
    (tmp_path / "i.aux").write_text(NAMED.format("another.mps"))
    files = two_files([str(tmp_path / "i.mps"), str(tmp_path / "i.aux")])
    problem = problem_of(*files, Clock(), strict=False)
    assert [v.name for v in problem.agents[0].variables] == ["y[y]"]
    assert ["another.mps" in n.message for n in problem.notices if n.severity == "warning"] == [True]
    with pytest.raises(ResolutionError, match=r"another\.mps"):
        problem_of(*files, Clock(), strict=True)


def test_what_is_read_besides_the_files_that_are_named(tmp_path: Path) -> None:
    annotation = tmp_path / "m.emp"
    annotation.write_text("Scenarios 'a.csv'\nstage 2 y\nscenarios \"below/it's.csv\" scenarios 'it''s too.csv'")
    named = ["a.csv", "below/it's.csv", "it's too.csv"]
    assert further_inputs(["m.py", str(annotation)]) == tuple(tmp_path / name for name in named)
    assert Path("core.tim") in further_inputs(["core.cor", "model.sto"])
    assert further_inputs([str(tmp_path), str(tmp_path / "none.emp"), "--gap", "a\0b"]) == ()
