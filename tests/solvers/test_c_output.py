from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from bilevel_lang.solvers.c_output import c_output_to_stderr

PROGRAM = """
import ctypes, os, sys
from bilevel_lang.solvers.c_output import c_output_to_stderr
if "closed" in sys.argv:
    os.close(1)
c = ctypes.CDLL(None)
print("python before")
c.puts(b"c before")
with c_output_to_stderr():
    c.puts(b"c inside")
    os.system("echo child inside")
c.puts(b"c after")
print("python after")
c.fflush(None)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has another name")
def test_what_c_prints_goes_to_stderr_for_a_while() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split("\n")) == sorted(["python before", "c before", "c after", "python after", ""])
    assert sorted(done.stderr.splitlines()) == ["c inside", "child inside"]


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has another name")
def test_a_process_without_stdout_goes_on() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.replace('print("', 'str("'), "closed"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_other_threads_leave_the_streams_alone(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with c_output_to_stderr():
            print("thread", flush=True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert capfd.readouterr().out == "thread\n"


def test_an_error_inside_puts_stdout_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), c_output_to_stderr():
        raise ValueError("inside")
    print("after", flush=True)
    assert capfd.readouterr().out == "after\n"
