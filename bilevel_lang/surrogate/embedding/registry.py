"""The forms of embedding, the default first."""

from __future__ import annotations

from bilevel_lang.errors import UsageError
from bilevel_lang.surrogate.embedding.big_m import BigM
from bilevel_lang.surrogate.embedding.complementarity import Complementarity
from bilevel_lang.surrogate.embedding.epigraph import Epigraph
from bilevel_lang.surrogate.embedding.form import Form
from bilevel_lang.surrogate.embedding.partition import Partition
from bilevel_lang.surrogate.embedding.sos1 import Sos1
from bilevel_lang.surrogate.embedding.split import Split

FORMS: tuple[Form, ...] = (Split(), BigM(), Partition(), Sos1(), Complementarity(), Epigraph())


def form_named(name: str) -> Form:
    """The form of that name. Raises UsageError."""
    for form in FORMS:
        if form.name == name:
            return form
    raise UsageError(f"there is no form of embedding {name!r}", "use one of " + ", ".join(f.name for f in FORMS))
