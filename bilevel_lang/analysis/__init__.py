"""What can be said of an answer after the solve: ties, ranges of multipliers, the kind of stationary point."""
