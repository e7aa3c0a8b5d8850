"""Tables of results as CSV files that grow line by line: what a benchmark has done by the time it is stopped is kept."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any


def append(path: Path | None, result: Any) -> None:
    """``result``, a dataclass, as a line; into a new file after the names of its fields. Without a path nothing is written."""
    if path is None:
        return
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(result)])
        if new:
            writer.writeheader()
        writer.writerow(asdict(result))
