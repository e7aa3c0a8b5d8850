"""The pages under docs/ and ARCHITECTURE: snippets run, links lead somewhere, lists are complete."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import bilevel_lang
from bilevel_lang.json_report import SCHEMA, interrupted_object
from bilevel_lang.solution import EXIT_CODES, Exactness
from tests.pages import ROOT, bilevel_solve, blocks, run_page

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
RUNNING = [
    "after-the-solve.md",
    "api.md",
    "encodings.md",
    "how-it-works.md",
    "json.md",
    "mps-files.md",
    "pyomo.md",
    "sampling.md",
    "signs.md",
    "smps-files.md",
]
BARD = ROOT / "examples" / "bard851"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- Snippets.


@pytest.mark.parametrize("name", RUNNING)
def test_snippets_run(name: str, tmp_path: Path) -> None:
    run_page(DOCS / name, tmp_path, EXAMPLES=str(ROOT / "examples"))


# --- Links.


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", t) for t in re.findall(r"^#+ +(.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(path: Path) -> list[str]:
    """What a page links to in this repository."""
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"\w+:", target)]


@pytest.mark.parametrize("path", PAGES, ids=label)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in links(path):
        file, _, anchor = target.partition("#")
        goal = (path.parent / file).resolve() if file else path
        if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(goal)):
            broken.append(target)
    assert broken == []


def test_the_index_has_every_page() -> None:
    linked = {(DOCS / target.partition("#")[0]).resolve() for target in links(DOCS / "README.md")}
    assert {p.resolve() for p in DOCS.rglob("*.md")} - {(DOCS / "README.md").resolve()} <= linked


# --- The command line.


def test_every_option_is_explained_and_no_other() -> None:
    help_text, code = bilevel_solve("bilevel-solve --help")
    assert code == 0
    offered = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text.partition("options:")[2].partition("exit codes")[0]))
    rows = "\n".join(re.findall(r"^\| (`-.*?) \|", page("cli.md"), re.MULTILINE))
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", rows)) == offered


def test_defaults_are_those_of_the_code() -> None:
    from bilevel_lang.reformulation.options import Options

    defaults = dict(re.findall(r"^\| `--([\w-]+)[^`]*` \| `?([^|`]*?)`? \|", page("cli.md"), re.MULTILINE))
    options = Options()
    assert float(defaults["tolerance"]) == options.tolerance
    assert int(defaults["starts"]) == options.starts
    assert int(defaults["seed"]) == options.seed
    assert (defaults["method"], defaults["position"]) == (options.method, options.position)


# --- The public names.


def test_every_public_name_is_on_the_page() -> None:
    text = page("api.md")
    assert [name for name in bilevel_lang.__all__ if not re.search(rf"`{name}\b", text)] == []


def test_the_errors_have_their_exit_codes() -> None:
    for name, code in re.findall(r"^\| `(\w+Error)` \| (\d) \|", page("api.md"), re.MULTILINE):
        assert getattr(bilevel_lang, name).exit_code == int(code), name


# --- JSON.


def section(name: str) -> str:
    """A section of docs/json.md, without its subsections."""
    found = re.search(rf"^##+ {re.escape(name)}\n(.*?)(?=^##|\Z)", page("json.md"), re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


def fields(text: str) -> list[str]:
    """The fields that the rows of a table name in their first cell."""
    return [name for cell in re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)]


def answer(arguments: str, expected: int) -> dict[str, Any]:
    printed, code = bilevel_solve(f"bilevel-solve {arguments} --json - --quiet")
    assert code == expected, printed
    found, _ = json.JSONDecoder().raw_decode(printed)
    assert found["schema"] == SCHEMA
    assert found["exit_code"] == code
    return dict(found)


@pytest.fixture(scope="module")
def solved() -> dict[str, Any]:
    return answer(f"{BARD}/model.py {BARD}/model.emp", 0)


def test_the_fields_of_a_solve(solved: dict[str, Any]) -> None:
    assert fields(section("A solve")) == list(solved)
    assert set(fields(section("Followers"))) == set(solved["followers"][0])
    assert set(fields(section("Certificate"))) == set(solved["certificate"])
    stages = next(line for line in section("A solve").splitlines() if line.startswith("| `seconds`"))
    assert set(re.findall(r"`(\w+)`", stages.partition("never")[2])) == set(solved["seconds"])


def test_a_solve_without_a_point_has_the_same_fields(solved: dict[str, Any], tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    lines = [
        "import pyomo.environ as pyo",
        "model = m = pyo.ConcreteModel()",
        "m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))",
    ]
    lines += ["m.leader = pyo.Objective(expr=m.x)", "m.f = pyo.Expression(expr=m.y)", "m.c = pyo.Constraint(expr=m.y >= 2)"]
    model.write_text("\n".join(lines), encoding="utf-8")
    annotation = tmp_path / "model.emp"
    annotation.write_text("bilevel x\nmin f y\n", encoding="utf-8")
    found = answer(f"{model} {annotation}", 4)
    assert list(found) == list(solved)
    assert found["status"] == "infeasible"
    assert (found["exactness"], found["objective"], found["certificate"], found["followers"]) == (None, None, None, [])


def test_the_fields_of_check() -> None:
    found = answer(f"{BARD}/model.py {BARD}/model.emp --check", 0)
    text = section("`--check`")
    assert set(fields(text)) - {"name", "kind", "variables"} == set(found)
    row = next(line for line in text.splitlines() if line.startswith("| `followers`"))
    assert set(re.findall(r"`(\w+)`", row)) - {"followers"} == set(found["followers"][0])


def test_the_fields_of_an_error(tmp_path: Path) -> None:
    annotation = tmp_path / "wrong.emp"
    annotation.write_text("bilevel x\nmin objin y1 nothing\n", encoding="utf-8")
    found = answer(f"{BARD}/model.py {annotation}", 3)
    table, _, each = section("An error").partition("Each of the `errors`:")
    assert set(fields(table)) == set(found)
    assert set(fields(each)) == set(found["errors"][0])
    assert found["errors"][0]["line"] == 2


def test_the_fields_of_an_interrupt() -> None:
    sentence = re.search(r"^Ctrl-C before any point: (.*)", section("An error"), re.MULTILINE)
    assert sentence is not None
    found = interrupted_object()
    assert set(re.findall(r"`(\w+)`", sentence[1])) - {found["status"]} == set(found)


def test_every_status_with_its_exit_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+)\b", section("Status"), re.MULTILINE))
    assert {name: int(code) for name, code in rows.items()} == {status.value: code for status, code in EXIT_CODES.items()}


def test_every_exactness_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", page("rewrites.md").partition("## What the words")[2], re.MULTILINE)
    assert {e.value for e in Exactness} <= set(explained)


def test_every_encoding_has_its_solver_on_the_page_of_solvers() -> None:
    from bilevel_lang.reformulation.complementarity.registry import ENCODINGS
    from bilevel_lang.reformulation.linear.registry import LINEAR_ENCODINGS

    table = page("solvers.md").partition("## Which encoding goes where")[2].partition("\n## ")[0]
    rows = {
        name: row for row in re.findall(r"^\| `.*$", table, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert rows.keys() == {e.name for e in (*ENCODINGS, *LINEAR_ENCODINGS)}
    for encoding in LINEAR_ENCODINGS:
        assert [s for s in encoding.solvers if f"`{s}`" not in rows[encoding.name]] == [], encoding.name
    for plain in ENCODINGS:
        assert f"`{plain.solver}`" in rows[plain.name], plain.name


# --- The engine's figures that pages quote.


def test_figures_are_those_of_the_code() -> None:
    from bilevel_lang.reformulation import encoding_choice, given_bounds, two_stage
    from bilevel_lang.reformulation.complementarity import big_m, homotopy
    from bilevel_lang.reformulation.linear.bounds import derived, lps
    from bilevel_lang.solvers import scip

    encodings, plan = page("encodings.md"), page("decisions/0004-global-local-global.md")
    assert f"more than {encoding_choice.GLOBAL_LIMIT} variables" in encodings
    assert f"of {two_stage.FIRST:g} s" in encodings
    assert f"for {two_stage.FIRST:g} seconds" in plan
    assert f"for {two_stage.AGAIN:g} seconds" in plan
    assert f"above {big_m.LARGEST:.0e}".replace("e+0", "e") in encodings
    assert f"reaches {100 * given_bounds.BINDING:g} %" in encodings
    assert f"without a bound below {derived.TIGHT_ENOUGH:g} are asked" in encodings
    assert f"is {lps.ITERATIONS:,} simplex iterations" in encodings
    assert "mu = 1, 1e-2, 1e-4, 1e-6, 1e-8" in encodings
    assert homotopy.MU == (1, 1e-2, 1e-4, 1e-6, 1e-8)
    tolerances = page("decisions/0005-scip-tolerance.md")
    assert f"{scip.FEASIBILITY_TOLERANCE:.0e}".replace("e-0", "e-") in tolerances
    assert f"{scip.CURVED_FEASIBILITY_TOLERANCE:.0e}".replace("e-0", "e-") in tolerances


# --- ARCHITECTURE.


def test_the_layers_are_those_of_the_project_file() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r"^layers = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert declared is not None
    drawn = next(b.text for b in blocks(ROOT / "ARCHITECTURE.md") if b.text.startswith("__main__"))
    assert drawn.split("\n")[:-1] == re.sub(r"[()]", "", "\n".join(re.findall(r'"(.*)"', declared[1]))).split("\n")


def test_every_file_it_names_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|lark))", text)) - {"registry.py"}
    places = [ROOT / "bilevel_lang", ROOT, *(p for p in (ROOT / "bilevel_lang").rglob("*") if p.is_dir())]
    assert [name for name in sorted(named) if not any((place / name).exists() for place in places)] == []


def test_every_module_of_the_top_level_has_its_place() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    done = subprocess.run(["git", "ls-files", "bilevel_lang"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    tops = {Path(name).parts[1] for name in done.stdout.splitlines()} - {"__init__.py", "__main__.py", "version.py", "py.typed"}
    assert [top for top in sorted(tops) if f"`{top}" not in text] == []
