"""Peers that need an environment of their own: PAO (old numpy) and discopt (JAX). Made on request, one process an instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lplp.measured import Measured

BENCHMARKS = Path(__file__).resolve().parents[1]
START = 30.0
"""Seconds that starting Python and building the model may take beyond the limit."""


@dataclass(frozen=True)
class Elsewhere:
    """A peer: the program that solves one instance, and what pip installs for it into ``benchmarks/<folder>``."""

    name: str
    program: str
    folder: str
    packages: tuple[str, ...]

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return BENCHMARKS / self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self) -> None:
        """Make the environment if it is not there. Raises CalledProcessError."""
        if self.python.exists():
            return
        print(f"making benchmarks/{self.folder} with {' '.join(self.packages)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(BENCHMARKS / self.folder)], check=True)
        subprocess.run([str(self.python), "-m", "pip", "install", "--quiet", *self.packages], check=True)

    def solve(self, family: str, n: int, seed: int, limit: float) -> Measured:
        """One instance in a process of its own."""
        command = [str(self.python), str(BENCHMARKS / "lplp" / self.program), family, str(n), str(seed), str(limit)]
        label = f"{family}-{n}-{seed}"
        began = time.perf_counter()
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit + START, check=False)
        except subprocess.TimeoutExpired:
            return Measured(self.name, label, limit, False, None, total=time.perf_counter() - began, said="no answer in time")
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            said = (done.stderr.strip().splitlines() or ["no answer"])[-1][:80]
            return Measured(self.name, label, limit, False, None, total=time.perf_counter() - began, said=said)
        found = json.loads(lines[-1])
        return Measured(self.name, label, found["seconds"], False, found["objective"], total=found["total"], said=found["said"])


ELSEWHERE = (
    Elsewhere("pao-fa", "pao_fa.py", ".venv-pao", ("numpy==1.26.4", "PyUtilib==6.0.0", "pao==1.0.2", "highspy", "setuptools<81")),
    Elsewhere("discopt", "discopt_kkt.py", ".venv-discopt", ("discopt==0.8.0",)),
)
"""Never ``proven``: PAO's FA puts a big-M of 1e5 on all multipliers, and discopt wants a bound on them, a guess here."""
