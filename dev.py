#!/usr/bin/env python3
"""Set up a checkout and run it. Needs Python 3.10 or later and pip, nothing else.

    python3 dev.py example           install into .venv what solving needs, and solve examples/bard851
    python3 dev.py test [ARG ...]    install everything, run the tests; ARGs go to pytest (without any: two processes)
    python3 dev.py check [STEP ...]  install everything, run all checks or the STEPs named, and sum up

The environment is .venv in this folder. It is made once, and brought up to date when the dependencies change. Packages come
from where pip is configured to look. The exit code is that of the program that ran; check gives 1 if a step failed.
"""

# Old Pythons must be able to read this file, or they could not say that they are too old: hence no newer syntax here.
import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 10)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "bilevel-lang-installed.json"

QUICK = "quick"
FULL = "full"
CONTENT = {
    QUICK: "what solving needs: the package, casadi, cyipopt",
    FULL: "everything: with torch, onnx and the tools for development",
}
# What decides the content of the environment; version.py because the version is part of what gets installed.
INPUTS = ("pyproject.toml", "constraints.txt", "requirements.lock", "bilevel_lang/version.py")

EXAMPLE = "examples/bard851"
PARALLEL = ("-n", "2", "--dist", "worksteal")


def main() -> int:
    """Do what the command line asks for. Returns the exit code."""
    if sys.version_info < OLDEST:
        return complain(f"Python {dotted(OLDEST)} or later is needed, this is {dotted(sys.version_info[:2])}.")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("example", "test", "check"), help="what to do")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="ARG", help="handed to the task")
    arguments = parser.parse_args()
    return {"example": example, "test": test, "check": check}[arguments.task](arguments.rest)


def example(rest: list) -> int:
    """Solve the first example; ``rest`` goes to bilevel-solve."""
    command = ["bilevel-solve", EXAMPLE + "/model.py", EXAMPLE + "/model.emp", *rest]
    return set_up(QUICK) or run(command, show=True)


def test(rest: list) -> int:
    """Run the tests; ``rest`` goes to pytest."""
    return set_up(FULL) or run(pytest(rest), show=True)


def check(rest: list) -> int:
    """Run every step even after one failed, so that one round shows all there is to mend."""
    steps = {
        "format": ["ruff", "format", "--check", "."],
        "lint": ["ruff", "check", "."],
        "types": ["mypy"],
        "layers": ["lint-imports", "--no-logo"],
        "lock": ["python", "scripts/lock.py", "--check"],
        "tests": pytest([]),
        "wheel": ["python", "scripts/smoke_wheel.py"],
    }
    unknown = [name for name in rest if name not in steps]
    if unknown:
        return complain("no step named {}; there are {}.".format(", ".join(unknown), ", ".join(steps)), code=2)
    failed = set_up(FULL)
    if failed:
        return failed
    codes = {name: run(steps[name], show=True) for name in rest or steps}
    say("")
    for name, code in codes.items():
        say(f"{name:8} " + ("passed" if code == 0 else f"FAILED (exit code {code})"))
    return 1 if any(codes.values()) else 0


def pytest(rest: list) -> list:
    """The tests in two processes, or exactly what was asked for: a single test starts faster in one."""
    return ["python", "-m", "pytest", *(rest or PARALLEL)]


def set_up(wanted: str) -> int:
    """See to it that .venv holds at least ``wanted``. Returns 0, or the exit code of what failed."""
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in INPUTS)).hexdigest()
    usable = works()
    if usable and read_stamp().get("inputs") == digest and read_stamp().get("set") in (wanted, FULL):
        return 0
    failed = 0 if usable else make_environment()
    if failed:
        return failed
    say(f"Installing into .venv {CONTENT[wanted]} ...")
    install = [str(PYTHON), "-m", "pip", "install", "--only-binary", ":all:"]
    if not sys.stderr.isatty():
        install += ["-qq"]
    if wanted == FULL:
        # First everything whose files are known by their hashes; then torch, whose build the machine chooses, and the checkout.
        commands = [["--require-hashes", "-r", "requirements.lock"], ["-c", "constraints.txt", "-e", ".[all,dev]"]]
    else:
        commands = [["-c", "constraints.txt", "-e", ".[nlp]"]]
    if STAMP.exists():
        STAMP.unlink()  # an interrupted installation must not pass for a finished one
    for command in commands:
        failed = run(install + command)
        if failed:
            return complain(
                "pip could not install the packages, its own message is above. If it could not reach its index, look at the "
                "network and at `pip config list`; then give the same command again, what was downloaded is kept.",
                code=failed,
            )
    STAMP.write_text(json.dumps({"set": wanted, "inputs": digest}), encoding="utf-8")
    return 0


def make_environment() -> int:
    """Make .venv afresh with the Python that runs this."""
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
        return complain(f"{VENV} is not a virtual environment. Move it away, then give the same command again.")
    say(f"Making .venv with Python {dotted(sys.version_info[:3])} ...")
    failed = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if failed:
        return complain(
            "Python could not make a virtual environment. On Debian and Ubuntu its venv module is a package of its own: "
            f"sudo apt install python3-venv, or python{dotted(sys.version_info[:2])}-venv.",
            code=failed,
        )
    return 0


def works() -> bool:
    """True if .venv has a Python that starts, is new enough and has pip (an interrupted or moved environment has not)."""
    if not PYTHON.exists():
        return False
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    return subprocess.run([str(PYTHON), "-c", probe], env=environment(), stderr=subprocess.DEVNULL, check=False).returncode == 0


def read_stamp() -> dict:
    """What the last complete installation put into .venv; empty if there was none."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def run(command: list, show: bool = False) -> int:
    """Run a program at the top of the checkout, that of .venv if it has one. Returns the exit code, 128 + n for signal n."""
    if show:
        say("$ " + " ".join(map(shlex.quote, command)))
    program = BIN / (command[0] + (".exe" if os.name == "nt" else ""))
    if program.exists():
        command = [str(program), *command[1:]]
    process = subprocess.Popen(command, cwd=str(ROOT), env=environment())
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C reached the program too: let it end in its own way
        return code if code >= 0 else 128 - code


def environment() -> dict:
    """The environment without what would lead another Python's packages into ours, with the programs of .venv first."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "__PYVENV_LAUNCHER__")}
    path = os.pathsep.join([str(BIN), kept.get("PATH", os.defpath)])
    return dict(kept, PATH=path, VIRTUAL_ENV=str(VENV), PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_USER="0")


def dotted(version: tuple) -> str:
    """``(3, 10)`` as 3.10."""
    return ".".join(map(str, version))


def say(text: str) -> None:
    """Print now, before the programs that share our output."""
    print(text, flush=True)


def complain(text: str, code: int = 1) -> int:
    """Print an error and return the exit code."""
    print("dev.py: " + text, file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
