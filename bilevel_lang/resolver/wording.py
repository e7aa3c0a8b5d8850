"""Names and expressions as messages have them."""

from __future__ import annotations

from typing import Any

NAMES_SHOWN = 6


TEXT_SHOWN = 60


def shortened(expression: Any) -> str:
    """An expression as text that fits into a message."""
    text = str(expression)
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 4]} ..."


def names_of(components: Any) -> str:
    """Names in back-quotes, as many as a reader takes in."""
    components = list(components)
    more = f" and {len(components) - NAMES_SHOWN} more" if len(components) > NAMES_SHOWN else ""
    return ", ".join(f"`{c.name}`" for c in components[:NAMES_SHOWN]) + more
