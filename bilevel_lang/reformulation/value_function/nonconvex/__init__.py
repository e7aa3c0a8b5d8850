"""The value-function method for followers that are not convex: bounds from both sides, SCIP for every subproblem."""
