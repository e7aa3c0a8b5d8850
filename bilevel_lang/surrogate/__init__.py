"""Networks in place of a follower: arrays in, network or Pyomo block out. Knows no bilevel problem and imports no solver."""
