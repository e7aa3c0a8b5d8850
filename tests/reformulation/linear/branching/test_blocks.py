from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.branching.blocks import split
from tests.reformulation.linear.branching.programs import bilevel, coupled


def test_multipliers_of_lp_followers_are_a_block_without_objective() -> None:
    program, left, right = bilevel(0, followers=2)
    blocks = split(program, left, right)
    assert set(blocks.main.columns) >= set(left.tolist())
    assert set(right.tolist()) <= set(blocks.rest.columns.tolist())
    assert not blocks.inner.any()
    assert not blocks.rest.program.cost.any()
    assert blocks.main.columns[blocks.first].tolist() == left.tolist()
    assert blocks.rest.columns[blocks.second].tolist() == right.tolist()


def test_no_row_is_lost_and_none_connects_two_parts() -> None:
    program, left, right = bilevel(3, followers=2)
    blocks = split(program, left, right)
    assert blocks.main.program.rows + blocks.rest.program.rows == program.rows
    for block in (blocks.main, blocks.rest):
        entries = block.program.matrix.tocoo()
        assert (block.part_of_row[entries.row] == block.part_of_column[entries.col]).all()
        assert entries.nnz == program.matrix[:, block.columns].nnz
        assert set(block.part_of_row.tolist()) <= set(range(block.parts))


def test_pairs_are_turned_so_that_their_first_side_is_in_the_main_block() -> None:
    program, left, right = bilevel(1)
    turned = split(program, right, left)
    assert turned.main.columns[turned.first].tolist() == left.tolist()
    assert turned.rest.columns[turned.second].tolist() == right.tolist()


def test_where_all_columns_hang_together_all_pairs_are_inner() -> None:
    program, left, right = coupled(4)
    program.matrix.data[:] = 1.0
    dense = program.matrix.toarray()
    dense[0] = 1.0

    blocks = split(replace(program, matrix=sp.csr_matrix(dense)), left, right)
    assert blocks.inner.all()
    assert blocks.rest.program.columns == 0


def test_a_pair_never_lies_in_the_rest_alone() -> None:

    program, left, right = bilevel(2)
    blocks = split(replace(program, cost=np.zeros(program.columns)), left, right)
    assert blocks.main.columns[blocks.first].tolist() == left.tolist()


def test_a_maximisation_becomes_a_minimisation() -> None:

    program, left, right = bilevel(5)
    blocks = split(replace(program, sense=-1), left, right)
    assert blocks.main.program.cost.tolist() == (-program.cost[blocks.main.columns]).tolist()


def test_columns_are_joined_in_their_own_places() -> None:
    program, left, right = bilevel(6)
    blocks = split(program, left, right)
    whole = np.arange(program.columns, dtype=float)
    assert blocks.joined(whole[blocks.main.columns], whole[blocks.rest.columns]).tolist() == whole.tolist()
