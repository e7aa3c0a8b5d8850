"""Networks as rows of an optimisation model, in several forms: arrays, or a Pyomo block. `construction.embed` begins."""
