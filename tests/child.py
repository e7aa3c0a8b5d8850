"""Processes of their own that can be sent Ctrl-C, or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
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


def killed_when(command: Sequence[str], reached: Callable[[], bool], seconds: float = 120) -> None:
    """Run until ``reached``, then kill -9 with all its workers; a run that ends before, or takes so long, fails the test."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + seconds
    try:
        while not reached():
            assert running.poll() is None and time.monotonic() < until
            time.sleep(0.01)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
