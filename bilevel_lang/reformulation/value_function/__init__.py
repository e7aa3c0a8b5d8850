"""The value-function method: followers whose problems can be solved, integer or not convex, without optimality conditions."""
