"""Settings that make no sense are refused, and a checkpoint knows what it belongs to."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.training.settings import Settings


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "tanh"}, {"layers": ()}, {"layers": (0,)}, {"curvature": 2}, {"hold_out": 1.0}, {"steps": 0}, {"l1": -1.0}],
    ids=str,
)
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Settings(**wrong)  # type: ignore[arg-type]


def test_every_setting_and_the_data_are_in_the_fingerprint() -> None:
    known = Settings().fingerprint("data")
    assert known == Settings().fingerprint("data")
    assert (
        len({known, Settings(seed=1).fingerprint("data"), Settings().fingerprint("other"), Settings(l1=0).fingerprint("data")})
        == 4
    )
