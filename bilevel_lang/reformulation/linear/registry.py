"""The encodings on arrays."""

from __future__ import annotations

from bilevel_lang.reformulation.linear.big_m import LinearBigM
from bilevel_lang.reformulation.linear.branch import LinearBranch
from bilevel_lang.reformulation.linear.encoding import LinearEncoding
from bilevel_lang.reformulation.linear.indicator import LinearIndicator
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.linear.strong_duality import LinearStrongDuality

LINEAR_ENCODINGS: tuple[LinearEncoding, ...] = (
    LinearSos1(),
    LinearBranch(),
    LinearIndicator(),
    LinearBigM(),
    LinearStrongDuality(),
)
"""For MPECs whose rows and conditions are linear. The other encodings take Pyomo components."""


def linear_encoding(name: str) -> LinearEncoding | None:
    """The encoding on arrays called ``name``, None where there is none."""
    return next((e for e in LINEAR_ENCODINGS if e.name == name), None)
