from __future__ import annotations

from bilevel_lang.resolver.wording import names_of, shortened
from tests.resolver.models import families


def test_texts_are_kept_short() -> None:
    model = families()
    assert names_of(model.q.values()).endswith("`q[b,3]`")
    assert names_of([*model.q.values(), model.x]).endswith(" and 1 more")
    assert len(shortened(sum(model.q[k] for k in model.q) ** 2 + sum(model.q.values()))) == 60
