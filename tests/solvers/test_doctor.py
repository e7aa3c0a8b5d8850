from __future__ import annotations

import importlib.metadata
import sys

import pytest

from bilevel_lang.solvers import doctor
from bilevel_lang.solvers.doctor import PROBES, Finding, Probe, diagnose
from bilevel_lang.solvers.highs import Highs


def test_everything_here_works_or_says_what_to_do():
    findings = diagnose()
    assert {"python", "system", "pyomo", "highspy", "torch"} <= {f.subject for f in findings}
    assert not [f for f in findings if f.verdict == "wrong"]
    assert all(f.remedy for f in findings if f.verdict == "missing")
    probed = {f.subject for f in findings if f.verdict == "ok"}
    assert {"highs: LP", "highs: MILP", "scip: LP", "scip: MILP", "scip: SOS1", "scip: NLP"} <= probed


def test_missing_solver(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyscipopt", None)
    found = [f for f in diagnose() if f.subject == "scip"]
    assert [f.verdict for f in found] == ["missing"]
    assert "pip install" in found[0].remedy


def test_wrong_answer():
    false = Probe("LP", PROBES[0].build, 99.0)
    finding = doctor._try(Highs(), "highs", false)
    assert isinstance(finding, Finding)
    assert finding.verdict == "wrong"
    assert "instead of 99.0" in finding.detail


def test_both_cyipopt_packages(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    finding = next(f for f in diagnose() if f.subject == "cyipopt")
    assert finding.verdict == "wrong"
    assert "uninstall both" in finding.remedy


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_missing_package(monkeypatch, name):
    real = importlib.metadata.version

    def absent(wanted):
        if wanted == name:
            raise importlib.metadata.PackageNotFoundError(wanted)
        return real(wanted)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    finding = next(f for f in diagnose() if f.subject == name)
    assert finding.verdict == "missing"
    assert finding.remedy
