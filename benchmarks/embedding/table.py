"""The table of the benchmark and what it comes to: geometric means over seeds, boxes and knapsacks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

OURS, PEERS, SOS1 = "bilevel-lang", ("OMLT big-M", "OMLT big-M, our settings"), "PySCIPOpt-ML SOS1"
DONE = {"kOptimal", "optimal"}

Result = dict[str, Any]
"""One line of the results file; ``build`` None: no answer at all."""

HEAD = (
    "| network | seed | error | over | tool | build, s | binaries | solve, s | objective | gap |\n"
    "|---|---:|---:|---|---|---:|---:|---:|---:|---:|"
)


def line(found: Result) -> str:
    """A row of the table."""
    region = f"{found['region']} ±{found['half_width']:g}"
    where = f"| {found['shape']} {found['kind']} | {found['seed']} | {found['error']:.3f} | {region} "
    if found["build"] is None:
        return f"{where}| {found['tool']} | | | no answer | | |"
    more = "" if solved(found) else "> "
    known = found["objective"] is not None
    gap = relative_gap(found)
    best, left = (f"{found['objective']:.4f}", f"{gap:.2%}") if known else ("no point", "")
    return (
        f"{where}| {found['tool']} | {found['build']:.4f} | {found['binaries']} | {more}{found['solve']:.2f} | {best} | {left} |"
    )


def relative_gap(found: Result) -> float:
    """(objective - bound) / |objective|; inf without a point."""
    if found["objective"] is None or found["bound"] is None:
        return math.inf
    return abs(found["objective"] - found["bound"]) / max(1e-9, abs(found["objective"]))


def solved(found: Result) -> bool:
    """Whether the tool has proved its answer within the limit."""
    return found["build"] is not None and found["status"] in DONE


def problem(found: Result) -> tuple[Any, ...]:
    """What was solved, whatever the tool."""
    return tuple(found[key] for key in ("shape", "kind", "seed", "region", "half_width"))


def geometric_mean(numbers: Iterable[float]) -> float:
    """NaN for none."""
    logs = [math.log(n) for n in numbers]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def disagreements(results: Sequence[Result], tolerance: float = 1e-3) -> list[str]:
    """Problems on which two tools have proved different minima: a line each."""
    said = []
    for key in dict.fromkeys(problem(r) for r in results):
        proved = {r["tool"]: r["objective"] for r in results if problem(r) == key and solved(r)}
        if proved and max(proved.values()) - min(proved.values()) > tolerance * max(1.0, *map(abs, proved.values())):
            said.append(f"{key}: {proved}")
    return said


def summary(results: Sequence[Result]) -> str:
    """Per kind of network: our times as shares of OMLT big-M's, and regularised networks beside plain ones."""
    lines = [
        "| network | over | problems | solved: ours, OMLT | build: OMLT / ours | binaries: ours, OMLT "
        "| solve: ours / OMLT | ours / PySCIPOpt-ML |",
        "|---|---|---:|---|---:|---|---:|---:|",
    ]
    ours = {problem(r): r for r in results if r["tool"] == OURS}
    for group in dict.fromkeys((r["shape"], r["kind"], r["region"]) for r in results):
        keys = [key for key in ours if (key[0], key[1], key[3]) == group]
        pairs = [(ours[key], peer) for key in keys if (peer := _fastest(results, key, PEERS)) is not None]
        if pairs:
            others = [(ours[key], peer) for key in keys if (peer := _fastest(results, key, (SOS1,))) is not None]
            lines.append(f"{_compared(group, pairs)} {_share(others)} |")
    return "\n".join([*lines, "", *_regularised(ours)])


def _fastest(results: Sequence[Result], key: tuple[Any, ...], tools: tuple[str, ...]) -> Result | None:
    """The fastest of ``tools`` (two settings of one peer), one that has finished before one that has not."""
    known = [r for r in results if problem(r) == key and r["tool"] in tools and r["build"] is not None]
    return min(known, key=lambda r: (not solved(r), r["solve"]), default=None)


def _compared(group: tuple[str, str, str], pairs: Sequence[tuple[Result, Result]]) -> str:
    builds = geometric_mean(peer["build"] / mine["build"] for mine, peer in pairs)
    finished = f"{sum(solved(mine) for mine, _ in pairs)}, {sum(solved(peer) for _, peer in pairs)}"
    binaries = f"{_range(m['binaries'] for m, _ in pairs)}, {_range(p['binaries'] for _, p in pairs)}"
    return f"| {group[0]} {group[1]} | {group[2]} | {len(pairs)} | {finished} | {builds:.1f} | {binaries} | {_share(pairs)} |"


def _share(pairs: Sequence[tuple[Result, Result]]) -> str:
    """Our solve time as a share of the other's, where both have finished."""
    both = [(mine, peer) for mine, peer in pairs if solved(mine) and solved(peer)]
    share = geometric_mean(mine["solve"] / peer["solve"] for mine, peer in both)
    return f"{share:.2f} (of {len(both)})" if both else "none solved by both"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(numbers)
    return str(found[0]) if found[0] == found[-1] else f"{found[0]} to {found[-1]}"


def _regularised(ours: dict[tuple[Any, ...], Result]) -> list[str]:
    """A table of our own solves: what regularisation saves, and what it does to the held-out error."""
    lines = [
        "| network | over | regularised beside | problems | solve: share | error: share |",
        "|---|---|---|---:|---:|---:|",
    ]
    groups = [(key[0], key[3], key[4], key[1]) for key in ours if key[1] != "regularised"]
    for shape, region, width, kind in dict.fromkeys(groups):
        both = []
        for key, before in ours.items():
            other = ours.get((key[0], "regularised", *key[2:]))
            if (key[0], key[3], key[4], key[1]) == (shape, region, width, kind) and other is not None and solved(other):
                both.append((other, before))
        if both:
            times = geometric_mean(other["solve"] / before["solve"] for other, before in both)
            errors = geometric_mean(other["error"] / before["error"] for other, before in both)
            bound = "" if all(solved(before) for _, before in both) else "at most "
            lines.append(f"| {shape} | {region} ±{width:g} | {kind} | {len(both)} | {bound}{times:.3f} | {errors:.2f} |")
    return lines
