"""How the time and memory of a reformulation grow with the model, beside the time of building it and beside Pyomo and PAO.

python benchmarks/reformulate/run.py                      n = 1,000, 10,000 and 100,000 (about a quarter of an hour)
python benchmarks/reformulate/run.py --sizes 1000 10000   others
python benchmarks/reformulate/run.py --with-pao           PAO besides, n = 100, 200, 400, in benchmarks/.venv-pao
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.machine import describe_machine

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1_000, 10_000, 100_000)
SMALLEST = 5.0
"""MiB of a model from which on the pages that Python asks the system for tell anything."""
PAO_SIZES = (100, 200, 400)
PAO_PACKAGES = ("numpy==1.26.4", "PyUtilib==6.0.0", "pao==1.0.2", "pyomo", "setuptools<81")
STAGES = {
    "resolve": "`resolve`",
    "arrays": "`seconds.reformulate` of `solve`",
    "components": "`reformulate()`, resolve and clone included",
    "clone": "`model.clone()` of Pyomo",
    "core-kkt": "Pyomo's `core.kkt`, in place",
    "solve": "`solve()`, verification and tie test included",
}


@dataclass(frozen=True)
class Figure:
    """Of one stage at one size: the least processor seconds of several processes, and the memory (MiB) of the last of them."""

    n: int
    build: float
    seconds: float
    model: float = math.nan
    peak: float = math.nan

    @property
    def ratio(self) -> float:
        """To the time of building the model."""
        return self.seconds / self.build

    @property
    def memory(self) -> float:
        """The peak, the model included, to that after building the model; nan for models too small to tell."""
        return self.peak / self.model if self.model >= SMALLEST else math.nan


def exponent(figures: Sequence[Figure]) -> float:
    """p of ``seconds = c * n**p`` by least squares of the logarithms; nan for fewer than two sizes."""
    points = [(math.log(f.n), math.log(f.seconds)) for f in figures if f.seconds > 0]
    if len({x for x, _ in points}) < 2:
        return math.nan
    x0, y0 = (sum(p[k] for p in points) / len(points) for k in (0, 1))
    return sum((x - x0) * (y - y0) for x, y in points) / sum((x - x0) ** 2 for x, _ in points)


def measured(stage: str, n: int, repeat: int) -> Figure:
    """A stage in ``repeat`` processes of its own. Raises CalledProcessError."""
    command = [sys.executable, "-m", "benchmarks.reformulate.stages", stage, str(n)]
    runs = [_json(command, ROOT) for _ in range(repeat)]
    build, seconds = (min(run[key] for run in runs) for key in ("build", "seconds"))
    return Figure(n, build, seconds, runs[-1]["model"], runs[-1]["peak"])


def _json(command: Sequence[str], folder: Path) -> dict[str, float]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
    return found


def table(name: str, figures: Sequence[Figure]) -> str:
    """One stage as a table in Markdown."""
    lines = [
        f"### {name}",
        "",
        "| n | model, s | stage, s | of the model's time | peak memory of the model's |",
        "|---:|---:|---:|---:|---:|",
    ]
    for f in figures:
        memory = "" if math.isnan(f.memory) else f"{f.memory:.1f}"
        lines.append(f"| {f.n:,} | {f.build:.2f} | {f.seconds:.2f} | {f.ratio:.2f} | {memory} |")
    return "\n".join([*lines, "", f"grows with n to the power {exponent(figures):.2f}", ""])


def pao_python() -> Path:
    """The interpreter of benchmarks/.venv-pao, made where it is not there. Raises CalledProcessError."""
    folder = ROOT / "benchmarks" / ".venv-pao"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"making {folder.relative_to(ROOT)} with {' '.join(PAO_PACKAGES)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PAO_PACKAGES], check=True)
    return python


def pao(sizes: Iterable[int]) -> list[Figure]:
    """PAO's FA up to the point where a solver would begin."""
    python, folder = pao_python(), Path(__file__).parent
    runs = ((n, _json([str(python), "pao_fa.py", str(n)], folder)) for n in sizes)
    return [Figure(n, run["build"], run["seconds"]) for n, run in runs]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of rows and variables")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES), help="what to measure (default: all)")
    parser.add_argument("--repeat", type=int, default=3, help="processes for each figure, the fastest counts (default: 3)")
    parser.add_argument("--with-pao", action="store_true", help="PAO besides, in an environment that is made for it")
    chosen = parser.parse_args(arguments)
    print(describe_machine())
    for stage in chosen.stages:
        print(table(STAGES[stage], [measured(stage, n, chosen.repeat) for n in chosen.sizes]), flush=True)
    if chosen.with_pao:
        print(table("PAO, the reformulation of `pao.pyomo.FA`", pao(PAO_SIZES)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
