"""Instances by name: what to write into a folder, and what is known of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.two_stage import invp
from benchmarks.two_stage.cflp import cflp, demands

MODELS = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Instance:
    """``row``: the line of the published tables that it belongs to (the mean over its test sets); ``smps``: its ``.cor`` file."""

    name: str
    family: str
    row: str
    scenarios: int
    smps: Path | None = None
    data: dict[str, Any] = field(default_factory=dict, compare=False)

    def model(self, folder: Path) -> tuple[Any, Any]:
        """The Pyomo model and its annotation; ``folder`` is where generated files go."""
        import bilevel_lang as bl
        from bilevel_lang.model_file import load_model

        if self.smps is not None:
            return bl.read_smps(self.smps)
        path = write(self, folder)
        return load_model(path / "model.py"), bl.load(path / "model.emp")


def invp_names() -> list[str]:
    """All 28."""
    return [f"INVP_{r}_{t}_{k}" for r in "BI" for t in "EH" for k in invp.SIZES]


def cflp_names(sizes: tuple[int, ...] = (10, 25, 50), scenarios: tuple[int, ...] = (100, 500, 1000)) -> list[str]:
    """``CFLP_10_10_100/3`` is the third test set of that row; LP instead of CFLP: the linear recourse."""
    return [f"CFLP_{n}_{n}_{k}/{t}" for n in sizes for k in scenarios for t in range(10)]


def named(name: str, smps: Path | None = None) -> Instance:
    """The instance of that name; for SSLP, ``smps`` is the folder of SMPS files. Raises ValueError for any other name."""
    family, *parts = name.split("/")[0].split("_")
    if family == "INVP" and len(parts) == 3:
        return Instance(name, family, name, int(parts[2]))
    if family in ("CFLP", "LP") and len(parts) == 3:
        return Instance(name, family, name.split("/")[0], int(parts[2]))
    if family == "SSLP" and len(parts) in (3, 4) and smps is not None:  # SSLP_10_50_2000_S1 is of our own drawing
        return Instance(name, family, name, int(parts[2]), smps / f"{name.lower()}.cor")
    raise ValueError(f"no instance {name!r}" + (" without a folder of SMPS files" if family == "SSLP" else ""))


def write(instance: Instance, folder: Path) -> Path:
    """A folder of its own below ``folder`` with model.py, model.emp, data.json and scenarios.csv; ``bilevel-solve`` takes it."""
    made = folder / instance.name.replace("/", "_")
    made.mkdir(parents=True, exist_ok=True)
    parts = instance.name.replace("/", "_").split("_")
    if instance.family == "INVP":
        template, symbol = MODELS / "invp", "xi"
        data, values = invp.data(parts[1], parts[2]), invp.grid(instance.scenarios)
    else:
        template, symbol = MODELS / "cflp", "d"
        test_set = int(parts[4]) if len(parts) > 4 else 0
        data = cflp(int(parts[1]), int(parts[2])).data(instance.family == "CFLP")
        values = demands(int(parts[2]), instance.scenarios, test_set)
    for file in ("model.py", "model.emp"):
        if template != made:
            shutil.copyfile(template / file, made / file)
    (made / "data.json").write_text(json.dumps(data) + "\n", encoding="utf-8")
    (made / "scenarios.csv").write_text(_table(symbol, values), encoding="utf-8")
    return made


def _table(symbol: str, values: np.ndarray) -> str:
    head = ",".join(f"{symbol}[{j + 1}]" for j in range(values.shape[1]))
    return "\n".join([head, *(",".join(f"{v:.17g}" for v in row) for row in values.tolist())]) + "\n"
