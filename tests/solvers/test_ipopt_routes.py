from __future__ import annotations

import signal
import threading

import pytest

from bilevel_lang.solvers.ipopt import Ipopt, compile_nlp
from bilevel_lang.solvers.ipopt_routes import Callbacks, CyipoptRoute, casadi_version, cyipopt_version, interruptible
from tests.solvers.models import chain

no_cyipopt = Ipopt("cyipopt").missing() is not None


@pytest.mark.skipif(no_cyipopt, reason="cyipopt is not installed")
@pytest.mark.parametrize("where", ["objective", "gradient", "constraints", "jacobian", "hessian"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError, RuntimeError])
def test_exceptions_in_callbacks_are_not_lost(monkeypatch, where, kind):
    """cyipopt drops what ``hessian`` raises; ours must come out, whatever it is and wherever it happens."""
    nlp = compile_nlp(chain(), route="cyipopt")
    assert isinstance(nlp._route, CyipoptRoute)
    calls = 0
    real = Callbacks._call

    def failing(self, function, size, x, *more):
        nonlocal calls

        def boom(*arguments):
            raise kind("from a callback")

        calls += function.name() == {"objective": "f", "constraints": "g"}.get(where, where)
        return real(self, boom if calls == 3 else function, size, x, *more)

    monkeypatch.setattr(Callbacks, "_call", failing)
    with pytest.raises(kind, match="from a callback"):
        nlp.solve()


def test_versions_name_the_route():
    assert casadi_version().endswith("(casadi)")
    assert "3." in casadi_version()
    if not no_cyipopt:
        assert cyipopt_version().endswith("(cyipopt)")


def test_ctrl_c_becomes_an_event_and_the_handler_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with interruptible() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_leave_signals_alone():
    seen = []

    def work():
        with interruptible() as stop:
            seen.append((stop.is_set(), signal.getsignal(signal.SIGINT)))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
