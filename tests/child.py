"""Processes of their own that can be sent Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


def start(command: Sequence[str], cwd: Path | None = None) -> subprocess.Popen[str]:
    """The process, its streams as pipes of text.

    SIGINT does what it does by default, even if whoever runs the tests ignores it (a shell in the background): that is inherited.
    """
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_interrupts
    )


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
