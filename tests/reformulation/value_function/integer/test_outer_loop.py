from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.outer_loop import outer_loop
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.programs import moore90_extended


def prepared(extended: Extended, options: SolverOptions | None = None) -> Prepared:
    return Prepared(extended, Follower(extended, SolverOptions()), Progress(False), options or SolverOptions())


def test_moore90() -> None:
    found = outer_loop(prepared(moore90_extended()))
    assert (found.objective, found.bound) == (-22.0, -22.0)
    assert found.termination is Termination.OPTIMAL
    assert "disjunctions" in found.message


def test_no_time_at_all() -> None:
    found = outer_loop(prepared(moore90_extended(), SolverOptions(time_limit=1e-9)))
    assert found.termination is Termination.LIMIT
    assert found.x is None


def test_a_constant_that_cannot_be_had_is_named_with_the_mend() -> None:
    extended = moore90_extended()
    upper = extended.program.upper.copy()
    upper[extended.value] = np.inf
    loose = dataclasses.replace(extended, program=dataclasses.replace(extended.program, upper=upper))
    with pytest.raises(RefusedError, match=r"no bound of the follower's objective[\s\S]*--solver scip"):
        outer_loop(prepared(loose))
