"""Broken annotations and what is said about them, word for word.

``tests/mistakes/syntax/NAME.emp`` is an annotation with mistakes, ``NAME.err`` the message. To write the messages anew, run this
file as a program; then read every one of them as somebody would who sees the language for the first time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bilevel_lang.errors import EmpSyntaxError
from bilevel_lang.grammar import mistakes
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.situation import Finding, Situation

FILES = sorted((Path(__file__).parents[1] / "mistakes" / "syntax").glob("*.emp"))


def message(path: Path) -> str:
    """What is said about a file."""
    with pytest.raises(EmpSyntaxError) as caught:
        parse(path.read_bytes().decode(), path.name)
    return f"{caught.value}\n"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_syntax(path: Path) -> None:
    assert message(path) == path.with_suffix(".err").read_text(encoding="utf-8")


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 45


def test_every_message_has_its_annotation() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in FILES[0].parent.glob("*.err")}


def test_every_rule_answers_for_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = set()

    def recording(rule: mistakes.Rule) -> mistakes.Rule:
        def look(situation: Situation) -> Finding | None:
            finding = rule(situation)
            if finding:
                answered.add(rule.__name__)
            return finding

        return look

    rules = {rule.__name__ for rule in mistakes.RULES}
    monkeypatch.setattr(mistakes, "RULES", tuple(recording(rule) for rule in mistakes.RULES))
    for path in FILES:
        message(path)
    assert rules - answered == set()


if __name__ == "__main__":
    for file in FILES:
        file.with_suffix(".err").write_text(message(file), encoding="utf-8")
