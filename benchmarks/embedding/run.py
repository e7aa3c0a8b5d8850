"""ReLU networks embedded and minimised over boxes and over a knapsack row in them: bilevel-lang, OMLT, PySCIPOpt-ML.

python benchmarks/embedding/run.py                        all networks and tools (hours, mostly waiting for limits)
python benchmarks/embedding/run.py --limit 60 --tools big-m --shapes 2x50 --seeds 0

One line of JSON for each run; what the results file holds is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.embedding.networks import INPUTS, KINDS, SHAPES, Trained, trained, without_skip
from benchmarks.embedding.ours import Outcome, input_set, minimise
from benchmarks.embedding.table import HEAD, OURS, Result, disagreements, line, summary
from benchmarks.machine import describe_machine
from bilevel_lang.surrogate.onnx_files.writing import write_onnx

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "big-m": "OMLT big-M",
    "big-m-same": "OMLT big-M, our settings",
    "partition": "OMLT partition",
    "sos1": "PySCIPOpt-ML SOS1",
}
HALF_WIDTHS = {"2x50": (0.02, 0.03), "3x100": (0.002, 0.003)}
"""Of the boxes around 0.5: README says why these."""
PACKAGES = ("omlt==1.2.2", "pyomo", "highspy", "onnx", "pyscipopt-ml==1.4.1", "pyscipopt")


def peer_python() -> Path:
    """The interpreter of benchmarks/.venv-peers, made where it is not there. Raises CalledProcessError."""
    folder = ROOT / "benchmarks" / ".venv-peers"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = folder / "complete"
    if not complete.exists():
        print(f"making {folder.relative_to(ROOT)} with {' '.join(PACKAGES)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), *PACKAGES]
        subprocess.run(command, check=True)
        complete.touch()  # an interrupted installation must not pass for a finished one
    return python


def peer(tool: str, trained_: Trained, file: Path, box: tuple[float, float], capacity: float, limit: float) -> Outcome | None:
    """One of TOOLS on one problem; None where it gives no answer at all, which is said on stderr."""
    plain, skip = without_skip(trained_.network)
    write_onnx(file, plain, precision="float64")
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


def result(key: dict[str, Any], tool: str, error: float, found: Outcome | None) -> Result:
    """A line of the results file; infinite numbers, which JSON does not know, are None."""
    numbers = dict.fromkeys(("build", "binaries", "solve", "status", "objective", "bound")) if found is None else asdict(found)
    kept = {name: None if isinstance(n, float) and not abs(n) < 1e19 else n for name, n in numbers.items()}
    return {**key, "tool": tool, "error": error, **kept}


def results_of(path: Path) -> list[Result]:
    """The runs that a results file holds; a line that was cut off is none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(each) for each in lines if each.startswith("{") and each.endswith("}")]


def measure(chosen: argparse.Namespace, key: dict[str, Any], network: Trained, known: set[tuple[Any, ...]]) -> list[Result]:
    """One network over one region by all tools that ``known`` does not have."""
    width = key["half_width"]
    box = 0.5 - width, 0.5 + width
    # Binding, and not for a corner alone: a tenth of the way from the middle of the box to its upper corner.
    side = sum(1 + j / 10 for j in range(INPUTS)) * (0.5 + 0.1 * width) if key["region"] == "knapsack" else 0.0
    found = []
    for tool in (OURS, *chosen.tools):
        name = TOOLS.get(tool, tool)
        if (*key.values(), name) in known:
            continue
        if tool == OURS:
            outcome: Outcome | None = minimise(network.network, input_set(INPUTS, *box, side), chosen.limit)
        else:
            outcome = peer(tool, network, chosen.networks / "peer.onnx", box, side, chosen.limit)
        found.append(result(key, name, network.error, outcome))
        with chosen.results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found[-1]) + "\n")
        print(line(found[-1]), flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=list(SHAPES), help="networks (default: all)")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="of training (default: all)")
    parser.add_argument("--tools", nargs="*", choices=list(TOOLS), default=list(TOOLS), help="peers (default: all)")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds of wall clock for each solve (default: 300)")
    parser.add_argument("--half-widths", type=float, nargs="+", help="of the boxes around 0.5 (default: by shape)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of training (default: 0 1 2)")
    parser.add_argument("--networks", type=Path, default=ROOT / "benchmarks" / ".venv-networks", help="where they are kept")
    parser.add_argument("--results", type=Path, default=Path("embedding_results.jsonl"))
    chosen = parser.parse_args(arguments)
    print(describe_machine())
    print(HEAD)
    results = results_of(chosen.results)
    known = {tuple(r[k] for k in ("shape", "kind", "seed", "region", "half_width", "tool")) for r in results}
    for seed in chosen.seeds:
        for (shape, kind), network in trained(chosen.networks, seed, tuple(chosen.shapes), tuple(chosen.kinds)).items():
            for width in chosen.half_widths or HALF_WIDTHS[shape]:
                for region in ("box", "knapsack"):
                    key = {"shape": shape, "kind": kind, "seed": seed, "region": region, "half_width": width}
                    results += measure(chosen, key, network, known)
    print("", summary(results), *disagreements(results), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
