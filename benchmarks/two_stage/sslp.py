"""Further sets of scenarios of an SSLP instance, by the law of Ntaimo and Sen 2005: every client comes or not, a half each.

    python benchmarks/two_stage/sslp.py FOLDER/sslp_10_50_50 2000 --seed 1 --out sets

writes sets/sslp_10_50_2000_s1.cor, .tim and .sto: core and time file as they are, the random rows of the given `.sto` drawn anew.
They are not SIPLIB's sets of that size, which have other scenarios and other optima.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np


def random_rows(text: str) -> list[str]:
    """The rows whose right-hand sides the first scenario of a `.sto` file gives. Raises ValueError where there are none."""
    rows: list[str] = []
    scenarios = 0
    for fields in map(str.split, text.splitlines()):
        scenarios += fields[:1] == ["SC"]
        if scenarios == 1 and fields[:1] == ["RHS"]:
            rows += fields[1::2]
    if not rows:
        raise ValueError("there is no scenario with right-hand sides")
    return rows


def stochastic_file(name: str, rows: list[str], scenarios: int, seed: int) -> str:
    """The text of a `.sto` file with so many scenarios of equal probability."""
    comes = np.random.Generator(np.random.Philox(seed)).integers(0, 2, (scenarios, len(rows)))
    lines = [f"STOCH         {name}", "SCENARIOS     DISCRETE"]
    for number, row in enumerate(comes.tolist(), 1):
        lines.append(f" SC SCEN{number} ROOT {1 / scenarios:.12g} STAGE-2")
        lines += [f"    RHS       {place:<9} {value}" for place, value in zip(rows, row, strict=True)]
    return "\n".join([*lines, "ENDATA"]) + "\n"


def write_set(core: Path, scenarios: int, seed: int, out: Path) -> Path:
    """The three files in ``out``, from ``core`` without a suffix; the path of the new core."""
    name = f"{'_'.join(core.name.split('_')[:-1])}_{scenarios}_s{seed}"
    out.mkdir(parents=True, exist_ok=True)
    for suffix in (".cor", ".tim"):
        shutil.copyfile(core.with_suffix(suffix), out / f"{name}{suffix}")
    rows = random_rows(core.with_suffix(".sto").read_text(encoding="utf-8"))
    (out / f"{name}.sto").write_text(stochastic_file(name, rows, scenarios, seed), encoding="utf-8")
    return out / f"{name}.cor"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("core", type=Path, help="an instance without its suffix, such as FOLDER/sslp_10_50_50")
    parser.add_argument("scenarios", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("sets"))
    asked = parser.parse_args()
    print(write_set(asked.core, asked.scenarios, asked.seed, asked.out))


if __name__ == "__main__":
    main()
