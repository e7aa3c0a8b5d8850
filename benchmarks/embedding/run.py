"""ReLU networks embedded and minimised over a box and over a knapsack row: bilevel-lang, OMLT, PySCIPOpt-ML.

python benchmarks/embedding/run.py                        all networks and tools (hours, mostly waiting for limits)
python benchmarks/embedding/run.py --limit 60 --tools big-m --shapes 2x50
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.embedding.networks import INPUTS, SHAPES, Trained, trained, without_skip
from benchmarks.embedding.ours import Outcome, input_set, minimise
from benchmarks.machine import describe_machine
from bilevel_lang.surrogate.onnx_files.writing import write_onnx

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {"big-m": "OMLT big-M", "partition": "OMLT partition", "sos1": "PySCIPOpt-ML SOS1"}
PACKAGES = ("omlt==1.2.2", "pyomo", "highspy", "onnx", "pyscipopt-ml==1.4.1", "pyscipopt")


def peer_python() -> Path:
    """The interpreter of benchmarks/.venv-peers, made where it is not there. Raises CalledProcessError."""
    folder = ROOT / "benchmarks" / ".venv-peers"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"making {folder.relative_to(ROOT)} with {' '.join(PACKAGES)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), *PACKAGES]
        subprocess.run(command, check=True)
    return python


def peer(tool: str, trained_: Trained, file: Path, box: tuple[float, float], capacity: float, limit: float) -> Outcome | None:
    """One of TOOLS on one problem; None where it gives no answer at all, which is said on stderr."""
    plain, skip = without_skip(trained_.network)
    write_onnx(file, plain, precision="float32" if tool == "sos1" else "float64")
    task = {"tool": tool, "file": str(file), "skip": skip.tolist(), "capacity": capacity, "limit": limit}
    task |= {"lower": box[0], "upper": box[1]}
    command = [str(peer_python()), "-W", "ignore", str(Path(__file__).with_name("peers.py"))]
    done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        print(f"{TOOLS[tool]}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(lines[-1])
    return Outcome(*(found[key] for key in ("build", "binaries", "solve", "status", "objective", "bound")))


def row(network: str, region: str, tool: str, found: Outcome | None) -> str:
    """A line of the table."""
    if found is None:
        return f"| {network} | {region} | {tool} | | | | no answer | | |"
    known = math.isfinite(found.objective) and abs(found.objective) < 1e19
    gap = abs(found.objective - found.bound) / max(1e-9, abs(found.objective)) if known else math.inf
    best = f"{found.objective:.4f}" if known else "none"
    times = f"{found.build:.4f} | {found.binaries} | {found.solve:.1f}"
    return f"| {network} | {region} | {tool} | {times} | {best} | {found.bound:.3f} | {gap:.2%} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), help="networks (default: all)")
    parser.add_argument("--tools", nargs="*", choices=list(TOOLS), default=list(TOOLS), help="peers (default: all)")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of wall clock for each solve (default: 300)")
    parser.add_argument("--half-width", type=float, default=0.5, help="of the box around 0.5 (default: 0.5, where training was)")
    parser.add_argument("--seed", type=int, default=0, help="of training (default: 0)")
    parser.add_argument("--networks", type=Path, default=ROOT / "benchmarks" / ".venv-networks", help="where they are kept")
    chosen = parser.parse_args(arguments)
    print(describe_machine())
    box = 0.5 - chosen.half_width, 0.5 + chosen.half_width
    # Binding, and not for a corner alone: a tenth of the way from the middle of the box to its upper corner.
    capacity = sum(1 + j / 10 for j in range(INPUTS)) * (0.5 + 0.1 * chosen.half_width)
    print("| network | over | tool | build, s | binaries | solve, s | objective | bound | gap |")
    print("|---|---|---|---:|---:|---:|---:|---:|---:|")
    for (shape, kind), network in trained(chosen.networks, chosen.seed, tuple(chosen.shapes)).items():
        name = f"{shape} {kind}, error {network.error:.3f}"
        for region, side in (("box", 0.0), ("knapsack", capacity)):
            print(
                row(name, region, "bilevel-lang", minimise(network.network, input_set(INPUTS, *box, side), chosen.limit)),
                flush=True,
            )
            for tool in chosen.tools:
                found = peer(tool, network, chosen.networks / "peer.onnx", box, side, chosen.limit)
                print(row(name, region, TOOLS[tool], found), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
