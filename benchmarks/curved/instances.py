"""One small bilevel problem with curved functions, as text: two readers make two things of it that share nothing."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float | None, float | None]


@dataclass(frozen=True)
class Agent:
    """Variables with bounds, ``sense`` (min or max) of ``objective``, and rows ``text <= 0`` or ``text == 0``."""

    variables: dict[str, Box]
    sense: str
    objective: str
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instance:
    """A leader over followers.

    ``search``: where the reference looks, for each variable of the leader (the optimum must lie within). ``unique``: whether
    every follower's answer is the only one; otherwise there is one follower, and the leader picks among its answers.
    """

    name: str
    leader: Agent
    followers: tuple[Agent, ...]
    search: dict[str, tuple[float, float]]
    unique: bool = True
