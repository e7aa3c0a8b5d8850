"""bilevel-lang as a Pyomo user expects to find it: in ``TransformationFactory`` and ``SolverFactory``.

``registration`` puts the names ``bilevel.kkt`` and ``bilevel`` into Pyomo's factories without loading anything large.
"""
