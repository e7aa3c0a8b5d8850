"""The results as a table: how many points were verified, how near they are, how long it took."""

from __future__ import annotations

import statistics
from typing import Any

WITHIN = (0.0001, 0.01, 0.02)


def summary(results: list[dict[str, Any]]) -> str:
    """One row for each group and number of rounds."""
    head = (
        "group",
        "refine",
        "runs",
        "refused",
        "verified",
        *(f"<= {100 * w:g} %" for w in WITHIN),
        "mean error %",
        "to best found",
        "median s",
        "processor s",
    )
    found = _best_found(results)
    lines = ["  ".join(f"{h:>12s}" for h in head)]
    for group, refine in sorted({(r["group"], r["refine"]) for r in results}, key=lambda key: (key[0], str(key[1]))):
        rows = [r for r in results if (r["group"], r["refine"]) == (group, refine)]
        tried = [r for r in rows if r["status"] != "refused"]
        known = [r for r in tried if r["best"] is not None]
        errors = [r["error"] for r in known if r["error"] is not None]
        near = [f"{100 * sum(e <= w for e in errors) / max(1, len(known)):.1f} %" for w in WITHIN]
        mean = f"{100 * statistics.fmean(errors):.3f}" if errors else "-"
        behind = [r["behind"] - found[r["name"]] for r in tried if r.get("behind") is not None]
        behind_found = f"{100 * statistics.fmean(behind):.3f}" if behind else "-"
        seconds = f"{statistics.median(r['seconds'] for r in rows):.1f}"
        worked = [r["processor"] for r in rows if "processor" in r]
        processor = f"{statistics.median(worked):.1f}" if worked else "-"
        verified = sum(bool(r.get("verified")) for r in tried)
        cells = (group, refine, len(rows), len(rows) - len(tried), verified, *near, mean, behind_found, seconds, processor)
        lines.append("  ".join(f"{c!s:>12s}" for c in cells))
    return "\n".join(lines)


def _best_found(results: list[dict[str, Any]]) -> dict[str, float]:
    """By problem, how far the best run of all lies before the best known value: 0 or less."""
    found: dict[str, float] = {}
    for r in results:
        if r.get("behind") is not None:
            found[r["name"]] = min(found.get(r["name"], 0.0), r["behind"])
    return found
