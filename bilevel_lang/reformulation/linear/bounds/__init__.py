"""Proven bounds on the columns of an MPEC on arrays: propagation, LPs, vertices of the multipliers' polyhedron."""
