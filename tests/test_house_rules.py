"""The rules that no other tool checks: imports, mirrored tests, rows in the docs, what a file says."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "bilevel_lang"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
PACKAGES = sorted(".".join(("bilevel_lang", *path.parent.parts)) for path in MODULES if path.name == "__init__.py")

HEAVY = {"torch", "onnx", "onnxruntime", "casadi", "cyipopt", "highspy", "pyscipopt"}

# Module -> why it has no test file of its own.
NO_MIRROR = {
    "__main__.py": "two lines, run as a program by the tests of the command line",
    "version.py": "a constant; tests/test_cli.py and the smoke test of the wheel look at it",
}

REGISTRIES = [
    ("bilevel_lang.reformulation.registry", "REWRITES", "docs/rewrites.md"),
    ("bilevel_lang.reformulation.complementarity.registry", "ENCODINGS", "docs/encodings.md"),
    ("bilevel_lang.reformulation.linear.registry", "LINEAR_ENCODINGS", "docs/encodings.md"),
    ("bilevel_lang.solvers.registry", "SOLVERS", "docs/solvers.md"),
    ("bilevel_lang.surrogate.embedding.registry", "FORMS", "docs/surrogates.md"),
    ("bilevel_lang.surrogate.sampling.designs.registry", "DESIGNS", "docs/sampling.md"),
]


# --- What an import may load: a user who asks for help, or imports us into a notebook, does not wait for torch.


def loaded_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python holds after ``code``."""
    report = "import sys; print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded:")[2].split())


def test_importing_the_package_loads_no_heavy_library() -> None:
    loaded = loaded_after("import bilevel_lang")
    assert "bilevel_lang" in loaded
    assert not loaded & HEAVY


def test_help_loads_neither_pyomo_nor_a_heavy_library() -> None:
    code = """
import runpy, sys
sys.argv = ["bilevel-solve", "--help"]
try:
    runpy.run_module("bilevel_lang", run_name="__main__", alter_sys=True)
except SystemExit as end:
    assert not end.code, end.code
else:
    raise AssertionError("--help did not end the program")
"""
    loaded = loaded_after(code)
    assert "bilevel_lang" in loaded
    assert not loaded & (HEAVY | {"pyomo"})


# --- The public face.


def test_all_is_sorted_and_complete() -> None:
    package = importlib.import_module("bilevel_lang")
    names = package.__all__
    assert list(names) == sorted(set(names))
    assert [name for name in names if not hasattr(package, name)] == []
    ours = {name for name, value in vars(package).items() if getattr(value, "__module__", "").startswith("bilevel_lang.")}
    assert {name for name in ours if not name.startswith("_")} <= set(names)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_in_a_package_hides_a_submodule(name: str) -> None:
    # "import a.b as x" yields the function b if a has one: packages are nouns, functions are verbs.
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            submodule = importlib.import_module(f"{name}.{module.name}")
            assert getattr(package, module.name) is submodule
            assert module.name not in getattr(package, "__all__", ())


# --- Every module has its test, every registered thing its row.


@pytest.mark.parametrize("module", [m for m in MODULES if m.name != "__init__.py"], ids=str)
def test_every_module_has_a_test_at_the_same_place(module: Path) -> None:
    mirror = ROOT / "tests" / module.parent / f"test_{module.name}"
    if module.as_posix() in NO_MIRROR:
        assert not mirror.exists(), "has a test now: take it off the list of exceptions"
    else:
        assert mirror.exists(), f"{mirror.relative_to(ROOT)} is missing"


def test_every_exception_is_a_module() -> None:
    assert NO_MIRROR.keys() <= {module.as_posix() for module in MODULES}


@pytest.mark.parametrize(("module", "registry", "page"), REGISTRIES, ids=[name for _, name, _ in REGISTRIES])
def test_everything_registered_has_a_row_in_the_docs(module: str, registry: str, page: str) -> None:
    entries = getattr(importlib.import_module(module), registry)
    assert isinstance(entries, tuple)
    names = [entry.name for entry in entries]
    assert len(names) == len(set(names)) > 0
    # The first cell of a row begins with the name: | `sos1` | ...
    rows = set(re.findall(r"^\|\s*`([^`]+)`", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
    assert [name for name in names if name not in rows] == []


# --- What the files may say.


def committed_files() -> list[Path]:
    """The files under version control."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_committed_file_holds_a_path_of_one_machine() -> None:
    # Each pattern is written so that it does not match itself.
    machine_path = re.compile(rb"(?<![\w.:/-])/(?:wor[k]|roo[t]|hom[e]/\w+|tm[p]/venv|op[t])/|[A-Z]:\\+User[s]\\", re.ASCII)
    found = []
    for path in committed_files():
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if machine_path.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()}")
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "constraints.txt", "pyproject.toml"])
def test_no_file_says_where_packages_come_from(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"--(?:extra-)?index-url|--find-links|index-strategy|\w+://\S+|^\S+ @ ", text, re.MULTILINE) == []


def test_the_lock_belongs_to_the_project_file_and_names_no_cuda() -> None:
    subprocess.run([sys.executable, "scripts/lock.py", "--check"], cwd=ROOT, check=True)
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert "torch==2.13.0" in constraints
    assert [line for line in constraints if re.match(r"nvidia|cuda|triton", line)] == []
