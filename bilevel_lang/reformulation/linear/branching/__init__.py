"""Exact branch and bound for linear programs with complementarity: warm LPs, clauses from multipliers, no big-M."""
