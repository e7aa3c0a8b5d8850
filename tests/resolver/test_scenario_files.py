"""``scenarios``: tables as they should be, and as they should not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import ResolutionError
from bilevel_lang.uncertainty.sampling import Discrete
from tests.resolver.test_random_parameters import STAGES, model


def program(folder: Path, table: str, name: str = "table.csv") -> Any:
    (folder / "table.csv").write_text(table, encoding="utf-8")
    (folder / "model.emp").write_text(f"scenarios '{name}'" + STAGES, encoding="utf-8")
    return bl.resolve(model(), folder / "model.emp").stochastic


def test_columns_are_parameters_rows_are_scenarios(tmp_path: Path) -> None:
    found = program(tmp_path, "scenario,probability,e,d[a]\ndry,0.25,1,10\nwet,0.75,2,2e1\n\n")
    (group,) = found.groups
    assert isinstance(group, Discrete)
    assert [p.name for p in found.parameters] == ["e", "d[a]"]
    assert group.values.tolist() == [[1, 10], [2, 20]]
    assert group.probabilities.tolist() == [0.25, 0.75]
    assert found.scenarios(None, 0).name(1) == "wet"


def test_without_probabilities_all_are_equally_likely(tmp_path: Path) -> None:
    (group,) = program(tmp_path, "e\n1\n2\n3\n4\n").groups
    assert group.probabilities.tolist() == [0.25] * 4


MISTAKES = {
    "e,nothing\n1,2\n": ("nothing in the model is named `nothing`", 1, 3),
    "fixed\n1\n": ("`fixed` is not mutable", 1, 1),
    "d\n1\n": ("`d` has 2 elements, a column holds one", 1, 1),
    "e,probability\n1,0.5\n2,0.6\n": ("the probabilities sum to 1.1", 2, 1),
    "e,probability\n1,1.5\n2,-0.5\n": ("the probability -0.5 is negative", 3, 1),
    "e,probability,probability\n1,1,1\n": ("a second column `probability`", 1, 15),
    "e\n1\ntwo\n": ("`two` is not a finite number", 3, 1),
    "e,x[1,2\n1,2\n": ("`x[1` is no name of a parameter", 1, 3),
    "e,d[a]\nx,1\n2,x\n": ("`x` is not a finite number", 2, 1),
    "e,d[a]\n1,1\n2,x\n": ("`x` is not a finite number", 3, 3),
    "probability,e,d[a]\n1,1,\n": ("a field is empty", 2, 5),
    "e;probability\n1,5;0,5\n2,5;0,5\n": ("the columns stand between semicolons", 1, 1),
    "e\tprobability\n1\t1\n": ("the columns stand between tabs", 1, 1),
    "e\n" + "1" * 200_000 + "\n": ("this is no table: field larger", 2, 1),
    "e\ninf\n": ("`inf` is not a finite number", 2, 1),
    "e,d[a]\n1\n": ("this line has 1 fields, the first one 2", 2, 1),
    "e\n": ("the table has no scenario", 1, 1),
    "scenario,e\ndry,1\nwet,2\ndry,3\n": ("scenario `dry` comes a second time", 4, 1),
    "probability\n1\n": ("no column is a parameter", 1, 1),
}


@pytest.mark.parametrize(("table", "expected"), MISTAKES.items(), ids=[m[0] for m in MISTAKES.values()])
def test_mistakes_have_their_place_in_the_table(table: str, expected: tuple[str, int, int], tmp_path: Path) -> None:
    with pytest.raises(ResolutionError) as caught:
        program(tmp_path, table)
    found = caught.value.diagnostics[0]
    assert expected[0] in found.message
    assert found.help
    assert found.source is not None and found.source.name.endswith("table.csv")
    assert found.span is not None
    assert (found.span.line, found.span.column) == expected[1:]


@pytest.mark.parametrize("name", ["../table.csv", "/etc/passwd", "below/../../table.csv"])
def test_a_table_stays_in_the_folder_of_the_annotation(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "table.csv").write_text("e\n1\n", encoding="utf-8")
    with pytest.raises(ResolutionError, match="leaves the annotation's folder"):
        program(folder, "e\n1\n", name)


def test_neither_does_a_link_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("e\n1\n", encoding="utf-8")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(ResolutionError, match="leaves the annotation's folder"):
        program(folder, "e\n1\n", "link.csv")


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ResolutionError, match=r"cannot read `other.csv`[\s\S]*annotation's folder"):
        program(tmp_path, "e\n1\n", "other.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResolutionError, match="is not UTF-8 text"):
        program(tmp_path, "e\n1\n", "binary.csv")


def test_lines_may_end_as_on_any_system(tmp_path: Path) -> None:
    for number, end in enumerate(("\n", "\r\n", "\r")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (group,) = program(folder, end.join(["e", "1", "2", ""])).groups
        assert group.values.tolist() == [[1], [2]]


def test_of_equal_mistakes_the_first_has_its_place_and_all_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ResolutionError) as caught:
        program(tmp_path, "e,d[a]\n1,x\nx,x\n")
    (found,) = caught.value.diagnostics
    assert "(and 2 more like this)" in found.message
    assert found.span is not None and (found.span.line, found.span.column) == (2, 3)


@pytest.mark.parametrize("name", ["probability", "Scenario"])
def test_a_parameter_called_as_a_column_of_the_table_is_told(name: str, tmp_path: Path) -> None:
    m = model()
    m.add_component(name, pyo.Param(initialize=1, mutable=True))
    (tmp_path / "table.csv").write_text(f"e,{name}\n2,1\n", encoding="utf-8")
    (tmp_path / "model.emp").write_text("scenarios 'table.csv'" + STAGES, encoding="utf-8")
    (warning,) = [n for n in bl.resolve(m, tmp_path / "model.emp").notices if n.severity == "warning"]
    assert f"not the model's parameter `{name}`" in warning.message
    assert warning.span is not None and (warning.span.line, warning.span.column) == (1, 3)
    assert not [n for n in bl.resolve(model(), tmp_path / "model.emp").notices if n.severity == "warning"]
