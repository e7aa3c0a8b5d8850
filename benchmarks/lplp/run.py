"""LP-LP problems: ours against KKT + big-M in HiGHS, KKT + SOS1 in SCIP and, on request, PAO's FA and discopt. Prints the table.

    python benchmarks/lplp/run.py                               n = 10, 20, 30, 60, 100, three seeds, 60 s a solve: 10 minutes
    python benchmarks/lplp/run.py --sizes 10 30 --seeds 5-9     other sizes, other seeds
    python benchmarks/lplp/run.py --family sparse               a harder relative: see instances.py
    python benchmarks/lplp/run.py --with-pao --with-discopt     those two as well, in environments made for them
    python benchmarks/lplp/run.py --only ours sos1-scip         some of the contenders
    python benchmarks/lplp/run.py --csv table.csv               every solve as a line of a file

One solve at a time. The exit code is 1 if two contenders prove different optima of one instance.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.lplp.contenders import HERE
from benchmarks.lplp.elsewhere import ELSEWHERE, Elsewhere
from benchmarks.lplp.instances import FAMILIES, instance
from benchmarks.lplp.measured import Measured, disagreement, shifted_mean
from benchmarks.machine import describe_machine

SHIFTS = (0.1, 1.0)


def main() -> int:
    """Run what the command line asks for. Returns the exit code."""
    asked = _arguments()
    print(describe_machine())
    there = [peer for peer in ELSEWHERE if getattr(asked, f"with_{peer.folder.removeprefix('.venv-')}")]
    for peer in there:
        peer.install()
    # The first solve of a process imports solvers; that is not what is measured.
    for solve in HERE.values():
        solve(instance("plain", 3, 0), 5.0)
    results: dict[tuple[int, int], list[Measured]] = {}
    for n in asked.sizes:
        for seed in asked.seeds:
            results[n, seed] = list(_solved(asked, n, seed, there))
    _summary(asked, results)
    if asked.csv:
        _write(Path(asked.csv), [r for many in results.values() for r in many])
    wrong = [said for many in results.values() if (said := disagreement(many))]
    for said in wrong:
        print(f"DISAGREE  {said}")
    return 1 if wrong else 0


def _solved(asked: argparse.Namespace, n: int, seed: int, there: list[Elsewhere]) -> Iterator[Measured]:
    problem = instance(asked.family, n, seed)
    for name, solve in HERE.items():
        if name in asked.only:
            yield _shown(solve(problem, asked.limit))
    for peer in there:
        yield _shown(peer.solve(asked.family, n, seed, asked.limit))


def _shown(one: Measured) -> Measured:
    objective = "-" if one.objective is None else f"{one.objective:.6f}"
    total = "" if one.total is None else f"{one.total:.3f}"
    proof = "proven" if one.proven else ""
    print(
        f"{one.instance:22} {one.contender:12} {one.seconds:9.3f} s {total:>9} {objective:>16} {proof:7} {one.said}", flush=True
    )
    return one


def _summary(asked: argparse.Namespace, results: dict[tuple[int, int], list[Measured]]) -> None:
    """Shifted geometric means by size and over all, and how much slower than ours the others are."""
    names = list(dict.fromkeys(r.contender for many in results.values() for r in many))
    for shift in SHIFTS:
        print(f"\nshifted geometric mean of the seconds (shift {shift:g} s); in brackets: ours is faster by")
        print("| n | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
        for n in [*asked.sizes, "all"]:
            chosen = [r for (size, _), many in results.items() if n in (size, "all") for r in many]
            means = {name: shifted_mean([r.seconds for r in chosen if r.contender == name], shift) for name in names}
            own = means.get("ours")
            cells = [f"{mean:.3f}" + (f" ({mean / own:.1f})" if own and name != "ours" else "") for name, mean in means.items()]
            print(f"| {n} | " + " | ".join(cells) + " |")
    print(f"\nA solve without an answer counts as {asked.limit:g} s or what it took.")


def _write(path: Path, results: list[Measured]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(results[0])))
        writer.writeheader()
        writer.writerows(asdict(r) for r in results)


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 20, 30, 60, 100], metavar="N", help="rows of the follower")
    parser.add_argument("--seeds", type=_seeds, default=[0, 1, 2], metavar="A-B", help="first and last seed (default 0-2)")
    parser.add_argument("--family", choices=FAMILIES, default="plain", help="which random problems")
    parser.add_argument("--limit", type=float, default=60.0, metavar="S", help="seconds for one solve (default 60)")
    parser.add_argument("--only", nargs="+", choices=HERE, default=list(HERE), help="contenders of this environment")
    parser.add_argument("--csv", metavar="FILE", help="write every solve into FILE")
    for peer in ELSEWHERE:
        name = peer.folder.removeprefix(".venv-")
        parser.add_argument(f"--with-{name}", action="store_true", help=f"{peer.name} too, in benchmarks/{peer.folder}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
