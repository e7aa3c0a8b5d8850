from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.linear.models import bard511, mpec_of


def test_bard():
    mpec = mpec_of(bard511())
    encoded = LinearSos1().encode(mpec, "scip", Options())
    run = encoded.run(Options(), None)
    assert encoded.exactness is Exactness.EXACT and run.termination is Termination.OPTIMAL
    assert run.objective == pytest.approx(-12) and run.bound == pytest.approx(-12)
    assert run.x[:2] == pytest.approx([4, 4])
    assert np.minimum(run.x[mpec.left], run.x[mpec.right]).max() <= 1e-9


def test_a_start_is_taken():
    mpec = mpec_of(bard511())
    start = np.full(mpec.program.columns, np.nan)
    start[:2] = (4.0, 4.0)
    run = LinearSos1().encode(mpec, "scip", Options()).run(Options(solver_options={"limits/nodes": 1}), start)
    assert run.objective == pytest.approx(-12)
