"""Adapters to solvers: one file each, a Pyomo model in, a :class:`~bilevel_lang.solvers.solver.SolverRun` out."""
