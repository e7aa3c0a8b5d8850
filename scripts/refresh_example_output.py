"""Run the commands in the READMEs of the examples and write their output below them.

A command stands in a fenced ``console`` block, after ``$``; it runs in the folder of its README. Understood are ``bilevel-solve``
(of this checkout), ``bilevel-solve ... | head -N`` and, for the exit code of the command before, ``echo $?``.
With names of examples as arguments, only these are done.

    python scripts/refresh_example_output.py [--check] [NAME ...]

``--check`` writes nothing and ends with 1 if a README says something else than the program does now.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)*(?:e[-+]?\d+)?")
VOLATILE = re.compile(r"^time\b|^search\b|seconds|\bgap\b|feasibility|residual|^solver\b|^bound\b")

Runner = Callable[[list[str], Path], tuple[str, int]]
"""Arguments of bilevel-solve and the folder to run it in, to what it printed and its exit code."""


def run_in_process_of_its_own(arguments: list[str], folder: Path) -> tuple[str, int]:
    """What a user sees: the report, or the messages where there is no report."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
    command = [sys.executable, "-m", "bilevel_lang", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    return done.stdout or done.stderr, done.returncode


def refreshed(text: str, folder: Path, run: Runner) -> str:
    """The text of a README with the output of today in its console blocks."""
    return BLOCK.sub(lambda block: "".join(_session(block.group(), folder, run)), text)


def _session(block: str, folder: Path, run: Runner) -> Iterator[str]:
    code = 0
    for line in block.splitlines():
        if not line.startswith("$ "):
            continue
        command, _, pipe = line[2:].partition(" | head -")
        program, *arguments = shlex.split(command)
        if program == "bilevel-solve":
            output, code = run(arguments, folder)
            if pipe:
                output = "\n".join(output.splitlines()[: int(pipe)])
        elif (program, arguments) == ("echo", ["$?"]):
            output = str(code)
        else:
            raise ValueError(f"{folder.name}: not understood: {line}")
        yield f"{line}\n"
        yield "".join(f"{printed.rstrip()}\n" for printed in output.strip("\n").splitlines())


def same_output(old: str, new: str) -> bool:
    """Whether two READMEs tell the same: numbers up to the tolerances of solvers, no digits of timings, gaps and versions."""
    ours, theirs = old.splitlines(), new.splitlines()
    if len(ours) != len(theirs):
        return False
    in_multipliers = False  # these need not be unique
    for one, other in zip(ours, theirs, strict=True):
        in_multipliers = one.startswith("multiplier") or (in_multipliers and one.strip() != "")
        if _words(one) != _words(other):
            return False
        if not (in_multipliers or VOLATILE.search(one)) and not _same_numbers(one, other):
            return False
    return True


def _words(line: str) -> list[str]:
    return NUMBER.sub("0", line).split()


def _same_numbers(one: str, other: str) -> bool:
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(a == b or (_is_number(a, b) and math.isclose(float(a), float(b), rel_tol=1e-4, abs_tol=1e-4)) for a, b in pairs)


def _is_number(*words: str) -> bool:
    return all(word.count(".") <= 1 for word in words)


def main() -> int:
    """Refresh, or check, the READMEs of the examples."""
    parser = argparse.ArgumentParser(description="Write the output of the commands in the examples' READMEs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders in examples/ (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if something would change")
    options = parser.parse_args()
    readmes = [EXAMPLES / name / "README.md" for name in options.names] or sorted(EXAMPLES.glob("*/README.md"))
    stale = 0
    for readme in readmes:
        old = readme.read_text(encoding="utf-8")
        new = refreshed(old, readme.parent, run_in_process_of_its_own)
        if same_output(old, new):
            continue
        stale += 1
        print(f"{'stale' if options.check else 'refreshed'}: {readme.relative_to(ROOT)}")
        if not options.check:
            readme.write_text(new, encoding="utf-8")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
