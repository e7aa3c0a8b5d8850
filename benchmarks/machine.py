"""What a figure has to be read with: the machine and the versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

PACKAGES = ("bilevel-lang", "pyomo", "highspy", "pyscipopt", "casadi", "cyipopt-wheels", "cyipopt", "numpy", "scipy")


def describe_machine() -> str:
    """Processor, cores, memory, system, Python and the packages that matter, as a few lines of text."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else float("nan")
    versions = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}\nversions: {versions}\n"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
