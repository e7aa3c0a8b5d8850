"""Pyomo components of large models, read, named and copied quickly; every answer is the one that Pyomo gives itself."""
