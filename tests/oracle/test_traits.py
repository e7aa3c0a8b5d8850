"""Classes of agents, and what their optima are sure to satisfy."""

from __future__ import annotations

from collections.abc import Callable

import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.traits import AgentClass, is_pinned, traits_of
from tests.oracle.agents import follower

Build = Callable[[pyo.ConcreteModel], tuple[object, object]]


def found(build: Build, kind: str = "min", **var: object) -> object:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.y = pyo.Var(bounds=(0, 5))
    m.z = pyo.Var(bounds=(0, 5), **var)
    objective, row = build(m)
    m.f, m.c = pyo.Expression(expr=objective), pyo.Constraint(expr=row)
    return traits_of(follower(m, f"bilevel x\n{kind} f y z c"))


@pytest.mark.parametrize(
    ("build", "kind", "expected"),
    [
        (lambda m: (m.y + m.x * m.z, m.y + m.x**2 * m.z >= 1), "min", AgentClass.LP),
        (lambda m: ((m.y - m.z) ** 2, m.y + m.z >= m.x), "min", AgentClass.CONVEX_QP),
        (lambda m: ((m.y - m.z) ** 2, m.y + m.z >= m.x), "max", AgentClass.NONCONVEX),
        (lambda m: (-((m.y - m.z) ** 2), m.y + m.z >= m.x), "max", AgentClass.CONVEX_QP),
        (lambda m: (m.y, m.y**2 + m.z**2 <= m.x), "min", AgentClass.CONVEX_NLP),
        (lambda m: (m.y, m.y**2 + m.z**2 >= m.x), "min", AgentClass.NONCONVEX),
        (lambda m: (m.y, m.y**2 + m.z**2 == m.x), "min", AgentClass.NONCONVEX),
        (lambda m: (m.y, pyo.inequality(1, m.y**2 + m.z, 2)), "min", AgentClass.NONCONVEX),
        (
            lambda m: (m.y, pyo.inequality(0, m.y**2 + m.z, 1)),
            "min",
            AgentClass.UNKNOWN,
        ),  # convex, but for a reason not looked for
        (lambda m: (m.y * m.z, m.y >= 1), "min", AgentClass.NONCONVEX),
        (lambda m: (m.x * m.y**2, m.y >= 1), "min", AgentClass.CONVEX_NLP),
        (lambda m: (pyo.log(m.y + 1), m.y >= m.x), "max", AgentClass.CONVEX_NLP),
        (lambda m: (m.y, pyo.sin(m.x) >= 0), "min", AgentClass.LP),
    ],
)
def test_classes(build: Build, kind: str, expected: AgentClass) -> None:
    assert found(build, kind).agent_class is expected  # type: ignore[attr-defined]


def test_a_refutation_has_its_witness_and_a_missing_proof_its_own_words() -> None:
    refuted = found(lambda m: (m.y * m.z, m.y >= 1))
    assert refuted.refuted and not refuted.convex  # type: ignore[attr-defined]
    assert "Hessian eigenvalue -1 at " in refuted.evidence[0]  # type: ignore[attr-defined]
    # y**4 - 2 y**3 + 2 y**2 has the second derivative 12 y**2 - 12 y + 4 >= 1: convex, but no rule says so.
    unknown = found(lambda m: (m.y**4 - 2 * m.y**3 + 2 * m.y**2, m.y >= 1))
    assert unknown.agent_class is AgentClass.UNKNOWN and not unknown.refuted and not unknown.convex  # type: ignore[attr-defined]
    assert "is not proven convex" in unknown.evidence[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("build", "kind", "expected"),
    [
        (lambda m: (m.y**2 + m.y * m.z + m.z**2, m.y >= m.x), "min", 1.0),
        (lambda m: (-(m.y**2) - 2 * m.z**2, m.y >= m.x), "max", 2.0),
        (lambda m: (m.y * m.z, m.y >= m.x), "min", -1.0),
        (lambda m: (m.y + m.z, m.y >= m.x), "min", None),
        (lambda m: (pyo.exp(m.y), m.y >= m.x), "min", None),
    ],
)
def test_the_least_eigenvalue_of_a_quadratic_objective(build: Build, kind: str, expected: float | None) -> None:
    assert found(build, kind).least_eigenvalue == pytest.approx(expected)  # type: ignore[attr-defined]


def test_integers_come_first_unless_pinned() -> None:
    def build(m: pyo.ConcreteModel) -> tuple[object, object]:
        return m.y + m.z, m.y + m.z >= m.x

    assert found(build, domain=pyo.Integers).agent_class is AgentClass.INTEGER  # type: ignore[attr-defined]

    def pinned(m: pyo.ConcreteModel) -> tuple[object, object]:
        m.z.setlb(2)
        m.z.setub(2)
        assert is_pinned(m.z)
        return build(m)

    traits = found(pinned, domain=pyo.Integers)
    assert traits.agent_class is AgentClass.LP and not traits.integers  # type: ignore[attr-defined]


def test_necessity_needs_linear_rows_and_derivatives() -> None:
    linear = found(lambda m: (m.y * m.z, m.y + m.x**2 * m.z >= 1))
    assert linear.kkt_necessary and not linear.convex  # type: ignore[attr-defined]
    kinked = found(lambda m: (pyo.sqrt(m.y), m.y >= m.x))
    assert kinked.linear_rows and not kinked.kkt_necessary  # type: ignore[attr-defined]
    assert any("derivative" in e for e in kinked.evidence)  # type: ignore[attr-defined]
    assert not found(lambda m: (m.y, m.y**2 <= m.x)).kkt_necessary  # type: ignore[attr-defined]


def test_vi_by_its_set() -> None:
    for row, expected in (
        (lambda m: m.y + m.x <= 3, AgentClass.VI),
        (lambda m: m.y**2 <= 3, AgentClass.CONVEX_VI),
        (lambda m: m.y**2 >= 3, AgentClass.NONCONVEX_VI),
    ):
        m = pyo.ConcreteModel()
        m.x, m.y = pyo.Var(), pyo.Var()
        m.F, m.c = pyo.Expression(expr=m.y**3), pyo.Constraint(expr=row(m))
        assert traits_of(follower(m, "bilevel x\nvi F y c")).agent_class is expected
