"""Markdown pages as tests see them: blocks with the comment above them, pages run block by block, output without its noise.

A comment on the line above a block says what is special about it::

    <!-- file: NAME -->       the block is written to NAME in the page's folder
    <!-- run -->              a console block: its commands run, its output is compared
    <!-- output: COMMAND -->  the block is the output of COMMAND at the top of the checkout
    <!-- not run -->          a python block that is only shown

``python`` blocks of a page share one namespace; ``pycon`` blocks are doctests in it.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilevel_lang.cli import main

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"(?:<!-- (?P<note>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ``note`` is the comment above it (empty if none), ``line`` where its text begins."""

    note: str
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["note"] or "", m["language"], m["text"], text.count("\n", 0, m.start("text")) + 1) for m in _BLOCK.finditer(text)
    ]


def run_page(page: Path, folder: Path, **names: str) -> None:
    """Run what is meant to run on ``page``, in ``folder``; its python blocks know ``names``. Raises AssertionError."""
    space: dict[str, Any] = {"__name__": "page", **names}
    with working_in(folder):
        for block in blocks(page):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            if block.note.startswith("file: "):
                Path(block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
            elif block.note == "run":
                compare_console(block.text, where)
            elif block.language == "python" and block.note != "not run":
                exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), space)
            elif block.language == "pycon":
                _doctest(block, where, space)


def compare_console(text: str, where: str) -> None:
    """Run each ``$ bilevel-solve ...`` of ``text`` and compare what it prints with what follows it; no lines: not compared."""
    for command, expected in console(text):
        printed, _ = bilevel_solve(command)
        if expected.strip():
            assert without_noise(printed) == without_noise(expected), where


def console(text: str) -> list[tuple[str, str]]:
    """(command, output) pairs of a console block."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def bilevel_solve(command: str) -> tuple[str, int]:
    """What ``command`` prints (stdout, then stderr) and its exit code; run in this process, for speed."""
    program, *arguments = shlex.split(command)
    assert program == "bilevel-solve", command
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return out.getvalue() + err.getvalue(), code


def without_noise(text: str) -> str:
    """``text`` without what differs from run to run and machine to machine: times, versions, rounding, trailing blanks."""
    text = re.sub(r"\d+\.\d\d s\b", "0.00 s", text)
    text = re.sub(r"\b(SCIP|HiGHS|Ipopt) \d+\.\d+\.\d+", r"\1", text)
    text = re.sub(r"-?\b\d\.?\d*e-\d\d\b|-?0\.0e\+00", "0", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _doctest(block: Block, where: str, space: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, space, where, where, block.line - 1)
    said = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=said.write, clear_globs=False)
    space.update(test.globs)
    assert runner.failures == 0, said.getvalue()


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """``folder`` as the working folder."""
    # contextlib.chdir came with Python 3.11 only.
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
