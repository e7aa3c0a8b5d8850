"""One network for all sets of scenarios of CFLP against networks of one set each, and against all that the engine does.

    python benchmarks/two_stage/encoder.py                       CFLP_10_10 with 100 scenarios, test sets 0 to 4
    python benchmarks/two_stage/encoder.py --size 25 --sets 1
    --samples 300    decisions of the one training, each solved in 20 scenarios drawn from the law, none of them of a test set
    --own 50         decisions of each network of one set, solved in its 100 scenarios; 0 leaves these networks out
    --folder NAME    keeps instances, labels and the network: what is there is not made again

A line has the true expected cost of the decision that the network led to, what the program with the network said of it, the best
decision of the run and its gap to the bound; seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.machine import describe_machine
from benchmarks.two_stage.instances import named

SEED = 1
"""Of the training, whose scenarios numpy's Philox draws from the law; those of the test sets are of the published RandomState."""

WORTH = re.compile(r"its decision is worth (\S+), it said (\S+)$")


def of_the_law(annotation: str, customers: int) -> str:
    """The annotation with the law of the demands, 5 to 35, in place of a table."""
    laws = [f"randvar d[{j + 1}] randint 5 36" for j in range(customers)]
    rest = [line for line in annotation.splitlines() if not line.startswith(("scenarios", "#"))]
    return "\n".join([*laws, *rest]) + "\n"


def train(size: int, samples: int, folder: Path) -> Path:
    """The network of that size in ``folder``, trained where it is not there yet."""
    import bilevel_lang as bl
    from bilevel_lang.reformulation.nn_options import NnOptions

    target = folder / f"cflp_{size}_{samples}.onnx"
    if target.exists():
        print(f"{target} is there")
        return target
    instance = named(f"CFLP_{size}_{size}_100/0")
    model, _ = instance.model(folder)
    text = of_the_law((folder / instance.name.replace("/", "_") / "model.emp").read_text(encoding="utf-8"), size)
    nn = NnOptions(network="encoder", save_surrogate=target, samples=samples, folder=folder / f"labels_{size}_{samples}")
    cpu = time.process_time()
    found = bl.solve(model, text, method="nn-embed", nn=nn, scenarios=20, seed=SEED, threads=1)
    of = dict(found.surrogate or {})
    cpu = time.process_time() - cpu
    labels = f"{of['samples']} second stages in {of['sampling_seconds']:.0f} s of the clock"
    print(f"trained: {labels}, network in {of['training_seconds']:.0f} s; {cpu:.0f} s of the processor")
    print(f"held-out error {of['validation_mae']:.1f}", flush=True)
    return target


def run(name: str, folder: Path, method: str, nn: dict[str, Any]) -> str:
    """One line."""
    import bilevel_lang as bl
    from bilevel_lang.reformulation.nn_options import NnOptions

    model, info = named(name).model(folder)
    cpu = time.process_time()
    found = bl.solve(model, info, method="nn-embed", nn=NnOptions(**nn), threads=1)
    cpu = time.process_time() - cpu
    said = next((match for message in found.messages if (match := WORTH.search(message))), None)
    worth, claimed = said.groups() if said is not None else ("-", "-")
    gap = None if found.gap is None else 100 * found.gap
    return f"{name:18} {method:10} {worth:>10} {claimed:>10} {number(found.objective, 10, 3)} {number(gap, 11, 2)} {cpu:8.1f}"


def number(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10)
    parser.add_argument("--sets", type=int, default=5)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--own", type=int, default=50)
    parser.add_argument("--skip-ours", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("two_stage_instances"))
    asked = parser.parse_args()
    print(describe_machine())
    asked.folder.mkdir(parents=True, exist_ok=True)
    network = train(asked.size, asked.samples, asked.folder)
    print(f"{'instance':18} {'method':10} {'decision':>10} {'said':>10} {'best':>10} {'certified %':>11} {'cpu s':>8}")
    for test_set in range(asked.sets):
        name = f"CFLP_{asked.size}_{asked.size}_100/{test_set}"
        print(run(name, asked.folder, "encoder", {"surrogate": network}), flush=True)
        if asked.own:
            print(run(name, asked.folder, "icnn", {"network": "icnn", "samples": asked.own}), flush=True)
        if not asked.skip_ours:
            print(run(name, asked.folder, "ours", {"refine": 3}), flush=True)


if __name__ == "__main__":
    main()
