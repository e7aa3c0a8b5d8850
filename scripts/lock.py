#!/usr/bin/env python3
"""Write requirements.lock and constraints.txt from pyproject.toml.

    python3 scripts/lock.py            pin again; versions that still fit stay as they are
    python3 scripts/lock.py --upgrade  take the newest versions that fit
    python3 scripts/lock.py --check    change nothing; exit 1 if the two files do not belong to pyproject.toml or to each other

One resolution serves Python 3.10 and later on every platform: where the answer differs, a line carries an environment marker.
Only releases that come as wheels are considered. The resolver is uv, looked for on the PATH and as a module of this Python;
``--check`` needs neither uv nor a network.

requirements.lock  every package of the extras nlp, nn, dask, plots and dev, with the hashes of its files. pip install
                   --require-hashes -r requirements.lock takes nothing but these files. torch is not in it: docs/decisions/0002.
constraints.txt    the same versions and markers without hashes, and torch: what pip install -c wants.

Neither file says where packages come from: that is for each machine to configure.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
LOCK = ROOT / "requirements.lock"
CONSTRAINTS = ROOT / "constraints.txt"

LOWEST_PYTHON = "3.10"
TORCH = "torch==2.13.0"

# What the CUDA build of torch brings along. Nothing of ours needs it, so no file of ours names it.
CUDA = re.compile(r"^(nvidia-|cuda-|triton==)")

LOCK_HEADER = f"""\
# Made by scripts/lock.py from pyproject.toml: do not edit.
# Every package of the extras nlp, nn, dask, plots and dev, with the hashes of its files, for Python {LOWEST_PYTHON} and later.
# {TORCH} belongs here too, but is published in several builds of one version (CPU, CUDA, ROCm), each with files and
# hashes of its own. The machine chooses the build, constraints.txt holds its version: see docs/decisions/0002.
"""
CONSTRAINTS_HEADER = """\
# Made by scripts/lock.py from pyproject.toml: do not edit.
# The versions of requirements.lock, and torch, for: pip install -c constraints.txt '.[all]'
"""


def main() -> int:
    """Do what the command line asks for. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if the files are out of date")
    arguments = parser.parse_args()
    if arguments.check:
        return check()
    body = resolve(upgrade=arguments.upgrade)
    replace(LOCK, f"{LOCK_HEADER}{digest_line()}\n{body}")
    replace(CONSTRAINTS, constraints_of(body))
    print(f"{LOCK.name}: {body.count('==')} pins; {CONSTRAINTS.name}: the same and torch")
    return 0


def check() -> int:
    """0 if the lock was made from these dependencies and the constraints from this lock."""
    for file in (LOCK, CONSTRAINTS):
        if not file.exists():
            print(f"{file.name} is missing: run python3 scripts/lock.py", file=sys.stderr)
            return 1
    lock = LOCK.read_text(encoding="utf-8")
    if digest_line() not in lock.splitlines():
        print(f"{PYPROJECT.name} has other dependencies than {LOCK.name}: run python3 scripts/lock.py", file=sys.stderr)
        return 1
    body = "".join(line for line in lock.splitlines(keepends=True) if not line.startswith("#"))
    if constraints_of(body) != CONSTRAINTS.read_text(encoding="utf-8"):
        print(f"{CONSTRAINTS.name} was edited by hand: run python3 scripts/lock.py", file=sys.stderr)
        return 1
    return 0


def resolve(*, upgrade: bool) -> str:
    """The pins with their hashes, without torch and what its CUDA build needs."""
    with tempfile.TemporaryDirectory() as folder:
        torch = Path(folder, "torch.txt")
        torch.write_text(f"{TORCH}\n", encoding="utf-8")
        output = Path(folder, LOCK.name)
        if LOCK.exists() and not upgrade:
            # uv keeps the versions it finds in the output file, as long as they fit.
            shutil.copy(LOCK, output)
        command = [*uv(), "pip", "compile", str(PYPROJECT), "--all-extras", "--universal", "--python-version", LOWEST_PYTHON]
        command += ["--only-binary", ":all:", "--generate-hashes", "--constraint", str(torch), "--output-file", str(output)]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header", "--quiet"]
        # A build of torch in a local folder would decide the version of everybody's torch, with its local label.
        environment = {name: value for name, value in os.environ.items() if name != "UV_FIND_LINKS"}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            sys.exit(f"uv could not resolve the dependencies of {PYPROJECT.name} (exit code {done.returncode})")
        # A pin is one line, its hashes are the indented lines that follow.
        pins = re.split(r"^(?=\S)", output.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "".join(pin for pin in pins if pin and not pin.startswith("torch==") and not CUDA.match(pin))


def constraints_of(body: str) -> str:
    """constraints.txt for the pins in ``body``: no hashes, sorted, with torch."""
    pins = [line.removesuffix("\\").rstrip() for line in body.splitlines() if line[:1].isalnum()]
    return CONSTRAINTS_HEADER + "\n".join(sorted([*pins, TORCH])) + "\n"


def digest_line() -> str:
    """A comment that changes when the dependencies in pyproject.toml do, and not when anything else there does."""
    text = PYPROJECT.read_text(encoding="utf-8")
    names = "dependencies|nlp|nn|dask|plots|dev|all"
    lists = re.findall(rf'^(?:requires-python = .*|(?:{names}) = \[(?:[^\]"]|"[^"]*")*\])', text, re.MULTILINE)
    return "# dependencies sha256 " + hashlib.sha256("\n".join([*lists, TORCH]).encode()).hexdigest()


def replace(path: Path, text: str) -> None:
    """Write ``text`` in one step, so that an interrupted run leaves the old file."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    os.replace(fresh, path)


def uv() -> list[str]:
    """How to call uv, or the end of the program with the mend."""
    if found := shutil.which("uv"):
        return [found]
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    sys.exit("uv is needed to resolve: pip install uv, or run this in an environment that has it")


if __name__ == "__main__":
    sys.exit(main())
