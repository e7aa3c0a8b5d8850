"""Two-stage stochastic programs: compiled to arrays once, solved as one program with a block for each scenario."""
