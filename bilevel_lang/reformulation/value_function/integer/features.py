"""What the search in one tree may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """All of it, unless a benchmark wants to know what something is worth.

    ``intersection``: cuts of that kind. ``value_cuts``: cuts on the value. ``priced``: answers looked for at fractional points.
    ``fractional``: cuts there at all. ``lasting``: answers that nothing blocks. ``rounding``: the nearest whole decision is
    tried. ``directions``: improving steps. ``opposed``: a follower whose goal is the leader's turned round has no integrality in
    the tree.
    """

    intersection: bool = True
    value_cuts: bool = True
    priced: bool = True
    fractional: bool = True
    lasting: bool = True
    rounding: bool = True
    directions: bool = True
    opposed: bool = True
