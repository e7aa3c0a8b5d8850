"""The problems: small ones from the literature set, and mixed-integer instances of a folder with an ``index.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.literature.problems import Problem, all_problems

MOST_DECISIONS = 10
LINEAR = ("LP", "MILP")


@dataclass(frozen=True)
class Case:
    """``group`` ``small``, ``milp`` or ``knapsack``; ``best``: the best known objective of the leader, to be minimised or not;
    ``proven``: nothing better exists."""

    name: str
    group: str
    best: float | None
    source: Problem | Path
    proven: bool = True

    def model(self) -> tuple[Any, Any]:
        """The Pyomo model and its annotation."""
        if isinstance(self.source, Problem):
            return self.source.model()
        from bilevel_lang.mps_files.exchange import read_mps_aux

        return read_mps_aux(self.source)


def cases(instances: Path | None, groups: tuple[str, ...]) -> Iterator[Case]:
    """Those of ``groups``; without ``instances`` only the small ones."""
    if "small" in groups:
        yield from _small()
    if instances is not None:
        for row in csv.DictReader((instances / "index.csv").read_text(encoding="utf-8").splitlines()):
            decisions, group = int(row["nvars_upper"]), "knapsack" if row["set"] == "inter-kp" else "milp"
            if group in groups and (group == "knapsack" or decisions <= MOST_DECISIONS):
                best = float(row["best_known_objective"]) if row["best_known_objective"] else None
                yield Case(row["name"], group, best, instances / row["file"].split(" ")[0], row["status"] == "optimal")


def _small() -> Iterator[Case]:
    for problem in all_problems(("bilevel",)):
        entry = problem.entry
        if problem.kind.split("-")[-1] in LINEAR and len(entry["upper_vars"]) <= MOST_DECISIONS:
            yield Case(problem.name, "small", problem.best if isinstance(problem.best, float | int) else None, problem)
