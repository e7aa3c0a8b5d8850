"""The traits of an agent in a few lines for people: ``--check`` and ``--explain`` print them."""

from __future__ import annotations

from bilevel_lang.oracle.traits import Traits

SHOWN = 6
"""Names, and lines of evidence, before ``...``."""


def describe(traits: Traits) -> list[tuple[str, str]]:
    """Pairs (subject, text): class with its evidence, integrality, what links it to the others, where the leader enters."""
    curved = "" if traits.least_eigenvalue is None else f" (least eigenvalue of the Hessian {traits.least_eigenvalue:.4g})"
    lines = [("class", traits.agent_class.value + curved)]
    lines += [("", said) for said in traits.evidence[:SHOWN]]
    if len(traits.evidence) > SHOWN:
        lines.append(("", f"... and {len(traits.evidence) - SHOWN} more"))
    if traits.convex and not traits.kkt_necessary:
        lines.append(("", "an optimum need not be a KKT point (no constraint qualification, or no derivative)"))
    links = traits.links
    if links.variables:
        places = ", ".join(sorted(p.value for p in links.places))
        lines.append(
            ("linked by", f"{_names(tuple(v.name for v in links.variables[: SHOWN + 1]), len(links.variables))} in {places}")
        )
    if links.integers:
        lines.append(("", f"integer: {_names(links.integers, len(links.integers))}"))
    if links.unbounded:
        lines.append(("", f"without one or both bounds: {_names(links.unbounded, len(links.unbounded))}"))
    if links.foreign_rows:
        lines.append(("foreign", f"rows without variables of its own: {_names(links.foreign_rows, len(links.foreign_rows))}"))
    return lines


def _names(names: tuple[str, ...], count: int) -> str:
    more = f" ... ({count} in all)" if count > SHOWN else ""
    return " ".join(names[:SHOWN]) + more
