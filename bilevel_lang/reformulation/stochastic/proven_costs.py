"""What multipliers prove of the costs of linear programs, by arithmetic of our own; no solver's objective counts.

    cost'y >= sum_i min(pi_i rl_i, pi_i ru_i) + sum_j min(r_j l_j, r_j u_j),   r = cost - W'pi,   row_lower <= W y <= row_upper

(Neumaier and Shcherbina 2004, "Safe bounds in linear and mixed-integer linear programming", section 3), for any multipliers.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.program import Floats

DUAL = 1e-7
"""A reduced cost of so little, relative to max(1, largest cost), does not draw a column to a bound that it lacks: multipliers
are feasible to such a tolerance, and without the bound nothing better can be said."""

ROUNDING = 1e-12
"""What a sum is moved down by, relative to the sum of its terms' magnitudes."""


def usable(duals: Floats, rows: tuple[Floats, Floats]) -> Floats:
    """``duals`` (k, m) without those of sides that are infinite: what is left proves something, at every decision the same."""
    return np.asarray(np.where(np.isfinite(np.where(duals > 0, *rows)), duals, 0.0))


def proven_costs(
    cost: Floats, matrix: sp.csr_matrix, duals: Floats, rows: tuple[Floats, Floats], columns: tuple[Floats, Floats]
) -> Floats:
    """(k,) of k programs with one ``matrix`` (m, n): ``cost`` (k, n), ``duals`` (k, m), sides of ``rows`` (k, m) and bounds of
    ``columns`` (k, n); -inf where the multipliers prove nothing. They have to be :func:`usable`."""
    # 0 times infinity is nothing here.
    paid = duals * np.where(duals != 0, np.where(duals > 0, *rows), 0.0)
    reduced = cost - np.asarray((sp.csr_matrix(matrix.T) @ duals.T).T)
    end = np.where(reduced > 0, *columns)
    small = np.abs(reduced) <= DUAL * np.maximum(1.0, np.abs(cost).max(axis=1, initial=0.0))[:, None]
    end = np.where((reduced == 0) | (small & ~np.isfinite(end)), 0.0, end)
    terms = reduced * end
    sums = np.abs(paid).sum(axis=1) + np.abs(terms).sum(axis=1)
    with np.errstate(invalid="ignore"):
        found = paid.sum(axis=1) + terms.sum(axis=1) - ROUNDING * sums
    return np.where(np.isfinite(sums), found, -np.inf)
