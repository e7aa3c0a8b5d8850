"""Whether a matrix is totally unimodular after a scaling of its rows and columns: sufficient tests that are quick.

Total unimodularity does not change when lines with at most one entry, or copies of lines (up to their sign), are taken away or
added, nor when lines change their sign. What is left after taking them all away is tested for the shapes that models have:

* nothing left: the graph of the matrix is a forest, or nearly (single rows, chains, trees of balances);
* at most two entries a column (or a row), and the lines fall into two parts such that entries of one sign lie in different parts
  and entries of opposite signs in the same (networks, transport, bipartite incidence);
* intervals: in the given order the ones of each row (or column) stand together, and no entry is negative up to the lines' signs
  (storage, cumulated balances).

Reference: Schrijver 1986, "Theory of Linear and Integer Programming", chapter 19; Heller and Tompkins 1956.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.program import Floats

SAME = 1e-9
"""Scaled entries may be this far from +-1: rounding of the scaling only."""


def unimodular_scaling(matrix: sp.csr_matrix) -> tuple[Floats, Floats] | None:
    """(rows (k,), columns (m,)), all > 0, such that ``matrix[i, j] / (rows[i] * columns[j])`` is totally unimodular.

    None where the tests do not show it: no proof of the contrary. The matrix's graph should be connected.
    """
    scaling = _scaling(matrix)
    if scaling is None:
        return None
    rows, columns = scaling
    part = matrix.tocoo()
    entries = {(int(i), int(j)): (1 if a > 0 else -1) for i, j, a in zip(part.row, part.col, part.data, strict=True)}
    return scaling if _is_unimodular(entries, len(rows), len(columns)) else None


def _scaling(matrix: sp.csr_matrix) -> tuple[Floats, Floats] | None:
    """Factors that make every entry +-1, walked along a spanning forest and then compared with every entry."""
    k, m = matrix.shape
    by_row, by_column = sp.csr_matrix(matrix), sp.csc_matrix(matrix)
    factor = np.zeros(k + m)
    for root in range(k):
        if factor[root]:
            continue
        factor[root] = 1.0
        queue = deque([root])
        while queue:
            line = queue.popleft()
            lines, i = (by_row, line) if line < k else (by_column, line - k)
            part = slice(lines.indptr[i], lines.indptr[i + 1])
            for other, entry in zip(lines.indices[part].tolist(), lines.data[part].tolist(), strict=True):
                node = other + k if line < k else other
                if not factor[node] and entry:
                    factor[node] = abs(entry) / factor[line]
                    queue.append(node)
    factor[factor == 0] = 1.0
    part = by_row.tocoo()
    scaled = np.abs(part.data) / (factor[part.row] * factor[k + part.col])
    return (factor[:k], factor[k:]) if bool((np.abs(scaled - 1) <= SAME).all()) else None


Entries = dict[tuple[int, int], int]


def _is_unimodular(entries: Entries, rows: int, columns: int) -> bool:
    core = _reduced(_lines(entries, rows), columns)
    if not core:
        return True
    turned: dict[int, dict[int, int]] = {}
    for i, line in core.items():
        for j, sign in line.items():
            turned.setdefault(j, {})[i] = sign
    return any(_two_coloured(lines) or _intervals(lines) for lines in (core, turned))


def _lines(entries: Entries, rows: int) -> dict[int, dict[int, int]]:
    lines: dict[int, dict[int, int]] = {i: {} for i in range(rows)}
    for (i, j), sign in entries.items():
        lines[i][j] = sign
    return lines


def _reduced(lines: dict[int, dict[int, int]], columns: int) -> dict[int, dict[int, int]]:
    """Without lines of at most one entry and without copies of lines, until there are none; rows that are left."""
    while True:
        before = (len(lines), columns)
        lines = _distinct(lines)
        turned: dict[int, dict[int, int]] = {}
        for i, line in lines.items():
            for j, sign in line.items():
                turned.setdefault(j, {})[i] = sign
        turned = _distinct(turned)
        lines = {}
        for j, line in turned.items():
            for i, sign in line.items():
                lines.setdefault(i, {})[j] = sign
        columns = len(turned)
        if (len(lines), columns) == before:
            return lines


def _distinct(lines: dict[int, dict[int, int]]) -> dict[int, dict[int, int]]:
    seen: set[frozenset[tuple[int, int]]] = set()
    kept = {}
    for i, line in lines.items():
        if len(line) <= 1:
            continue
        first = line[min(line)]
        key = frozenset((j, sign * first) for j, sign in line.items())
        if key not in seen:
            seen.add(key)
            kept[i] = line
    return kept


def _two_coloured(lines: dict[int, dict[int, int]]) -> bool:
    """At most two entries a line; the crossing lines in two parts as Heller and Tompkins want it."""
    if any(len(line) > 2 for line in lines.values()):
        return False
    neighbours: dict[int, list[tuple[int, int]]] = {}
    for line in lines.values():
        if len(line) == 2:
            (a, s), (b, t) = line.items()
            # Opposite signs: the same part (+1); one sign: different parts (-1).
            neighbours.setdefault(a, []).append((b, -s * t))
            neighbours.setdefault(b, []).append((a, -s * t))
    part: dict[int, int] = {}
    for root in neighbours:
        if root in part:
            continue
        part[root] = 1
        queue = deque([root])
        while queue:
            a = queue.popleft()
            for b, relation in neighbours[a]:
                if b not in part:
                    part[b] = part[a] * relation
                    queue.append(b)
                elif part[b] != part[a] * relation:
                    return False
    return True


def _intervals(lines: dict[int, dict[int, int]]) -> bool:
    """Whether every line's entries have one sign and stand together in the order of the crossing lines that are left."""
    order = {j: place for place, j in enumerate(sorted({j for line in lines.values() for j in line}))}
    for line in lines.values():
        places = [order[j] for j in line]
        if len(set(line.values())) > 1 or max(places) - min(places) + 1 != len(places):
            return False
    return True
