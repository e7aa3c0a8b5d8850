"""Bounds of every neuron over a set of inputs: by interval arithmetic, then by LPs that the caller's solver answers."""
