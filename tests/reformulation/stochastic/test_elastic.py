from __future__ import annotations

from bilevel_lang.reformulation.stochastic.elastic import elastic
from tests.reformulation.stochastic.test_compilation import EVERYWHERE, everywhere
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def test_elastic_rows_where_the_recourse_matrix_is_random() -> None:
    arrays = arrays_of_text(everywhere(), EVERYWHERE)
    relaxed = elastic(arrays)
    for number in range(arrays.scenarios):
        mine, theirs = relaxed.scenario(number).recourse.toarray(), arrays.scenario(number).recourse.toarray()
        assert (mine[:, : theirs.shape[1]] == theirs).all()
