"""Stochastic programs as SMPS files: a core, the stages, and what is random."""
