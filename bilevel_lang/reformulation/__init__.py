"""Rewrites: a hierarchical problem becomes a single-level Pyomo model, with the way back."""
