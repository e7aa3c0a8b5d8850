"""Rewritten models as text. Each file here was read by a person against the formulas in ``optimality_conditions.py``.

They are small on purpose. A difference is not an error in itself: look at it, and if it is meant, run
``pytest tests/golden --update-golden``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity

import bilevel_lang as bl
from tests.reformulation.problems import KNOWN, KnownProblem

HERE = Path(__file__).parent
CASES = [
    ("linear", None),
    ("price", None),
    ("shop", None),
    ("follow", "sos1"),
    ("follow", "big-m"),
    ("follow", "scholtes"),
]


def rows_of(model: Any) -> list[str]:
    """One line for everything that is active, in the order of the model; variables with their bounds."""
    return [
        *(
            f"{'max' if o.sense == pyo.maximize else 'min'}  {o.expr}"
            for o in model.component_data_objects(pyo.Objective, active=True)
        ),
        *(f"row  {row.name}:  {row.expr}" for row in model.component_data_objects(pyo.Constraint, active=True)),
        *(
            f"pair {c.name}:  {'  _|_  '.join(map(str, c._args))}"
            for c in model.component_data_objects(Complementarity, active=True)
        ),
        *(
            f"sos{s.level} {s.name}:  {', '.join(v.name for v in s.variables)}"
            for s in model.component_data_objects(pyo.SOSConstraint, active=True)
        ),
        *(_line_of(v) for v in model.component_data_objects(pyo.Var)),
    ]


def _line_of(variable: Any) -> str:
    fixed = f" = {variable.value:g}" if variable.fixed else ""
    low, high = ("" if b is None else f"{b:g}" for b in variable.bounds)
    kind = "" if variable.is_continuous() else f" {variable.domain.name}"
    return f"var  {variable.name} [{low}, {high}]{kind}{fixed}"


@pytest.mark.parametrize(("name", "encoding"), CASES, ids=lambda v: str(v))
def test_the_rewritten_model_reads_as_it_should(name: str, encoding: str | None, update_golden: bool) -> None:
    known: KnownProblem = next(k for k in KNOWN if k.name == name)
    made = bl.reformulate(known.build(), known.annotation, encoding=encoding, big_m=known.big_m if encoding == "big-m" else None)
    text = "\n".join(rows_of(made.model)) + "\n"
    path = HERE / f"kkt__{encoding or 'mpec'}__{name}.txt"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
