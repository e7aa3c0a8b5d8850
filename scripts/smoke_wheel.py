#!/usr/bin/env python3
"""Build the wheel and try it where nothing of the checkout can help it.

    python scripts/smoke_wheel.py

The wheel must hold bilevel_lang and nothing else at its top, every module of the checkout and the grammar. It is installed
without extras into a fresh environment in a temporary folder, with the versions of constraints.txt, and has to answer --version
and --help and to solve a copy of examples/bard851 there. Needs the package "build". Exit code 0 if all of this holds, 1 if not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "bard851"


class SmokeError(Exception):
    """The wheel is not fit to be published; the message says why."""


def main() -> int:
    """Build, inspect, try out. Returns the exit code."""
    # ignore_cleanup_errors: on Windows a library that is still being let go of must not turn success into failure.
    with tempfile.TemporaryDirectory(prefix="bilevel-lang-wheel-", ignore_cleanup_errors=True) as folder:
        try:
            wheel = build(Path(folder, "dist"))
            inspect(wheel)
            try_out(wheel, Path(folder))
        except SmokeError as error:
            print(f"wheel: {error}", file=sys.stderr)
            return 1
    print(f"wheel: {wheel.name} is sound")
    return 0


def build(target: Path) -> Path:
    """The wheel, built in isolation."""
    call([sys.executable, "-m", "build", "--wheel", "--outdir", str(target), str(ROOT)], ROOT)
    (wheel,) = target.glob("*.whl")
    return wheel


def inspect(wheel: Path) -> None:
    """Compare the content of the wheel with the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    strangers = {top for top in tops if top != "bilevel_lang" and not top.endswith(".dist-info")}
    if strangers:
        raise SmokeError(f"holds more than bilevel_lang at its top: {', '.join(sorted(strangers))}")
    package = ROOT / "bilevel_lang"
    wanted = {path.relative_to(ROOT).as_posix() for path in package.rglob("*.py")}
    wanted |= {"bilevel_lang/grammar/emp.lark", "bilevel_lang/py.typed"}
    if wanted - names:
        raise SmokeError(f"lacks {', '.join(sorted(wanted - names))}")


def try_out(wheel: Path, folder: Path) -> None:
    """Install the wheel into an environment of its own and use it there."""
    call([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python, solve = str(programs / "python"), str(programs / "bilevel-solve")
    install = [python, "-m", "pip", "install", "--disable-pip-version-check", "-qq", "--only-binary", ":all:"]
    call([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], folder)
    place = call([python, "-c", "import bilevel_lang; print(bilevel_lang.__file__)"], folder).strip()
    if not Path(place).resolve().is_relative_to(folder.resolve()):
        raise SmokeError(f"was not what Python imported: {place}")
    version = call([solve, "--version"], folder).strip()
    if wheel.name.split("-")[1] not in version:
        raise SmokeError(f"says {version!r} when asked for its version")
    call([solve, "--help"], folder)
    shutil.copytree(EXAMPLE, folder / "example", ignore=shutil.ignore_patterns("__pycache__"))
    print(call([solve, "model.py", "model.emp"], folder / "example"))


def call(command: list[str], folder: Path) -> str:
    """What the program prints on stdout. A failure of it is an error of the wheel."""
    print("$", " ".join(command), flush=True)
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=folder, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        line = " ".join([Path(command[0]).name, *command[1:]])
        raise SmokeError(f"{line} ended with exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
