"""What the trees hold is tested with the parser; here, that no rule of the grammar was forgotten."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import get_args

import pytest

from bilevel_lang.grammar import leaves
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.builder import TreeBuilder
from bilevel_lang.grammar.printer import _PRINTERS


def test_every_rule_has_its_method() -> None:
    grammar = files("bilevel_lang.grammar").joinpath("emp.lark").read_text(encoding="utf-8")
    rules = set(re.findall(r"^([a-z]\w*):", grammar, re.MULTILINE)) - {"dotted"}  # an alias of segment
    methods = {name for name, value in vars(TreeBuilder).items() if callable(value) and not name.startswith("_")}
    assert rules == methods


def test_every_statement_can_be_printed() -> None:
    assert set(_PRINTERS) == set(get_args(s.Statement))


@pytest.mark.parametrize("kind", get_args(s.Statement))
def test_statements_are_nodes(kind: type) -> None:
    assert issubclass(kind, leaves.Node)
