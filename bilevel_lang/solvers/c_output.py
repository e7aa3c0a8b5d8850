"""What C libraries print by themselves goes to stderr, for stdout belongs to the answer.

Python's ``redirect_stdout`` does not reach it. SCIP's handler of Ctrl-C prints a line to C's stdout, whatever its verbosity.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

STDOUT, STDERR = 1, 2


@contextlib.contextmanager
def c_output_to_stderr() -> Iterator[None]:
    """For a while, C's stdout is stderr. In the main thread only: the streams belong to the whole process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    try:
        kept = os.dup(STDOUT)
    except OSError:  # the process has no stdout
        yield
        return
    try:
        _flush()
        with contextlib.suppress(OSError):  # the process has no stderr
            os.dup2(STDERR, STDOUT)
        yield
    finally:
        _flush()
        os.dup2(kept, STDOUT)
        os.close(kept)


def _flush() -> None:
    """Python's stdout, and C's: what waits there belongs to where stdout leads now."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none at all
        sys.stdout.flush()
    with contextlib.suppress(OSError, AttributeError):  # a platform whose C library has another name
        ctypes.CDLL(None if os.name == "posix" else "ucrtbase").fflush(None)
