"""Encodings: how the complementarities of an MPEC become something that a solver takes. One encoding a file."""
