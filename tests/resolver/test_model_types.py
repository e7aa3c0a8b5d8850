"""``modeltype``: assertions that hold or not, and ``mcp``, which writes the KKT system of an ordinary model."""

from __future__ import annotations

import random

import pyomo.environ as pyo
import pytest
from pyomo.mpec import Complementarity, complements

from bilevel_lang import solve
from bilevel_lang.errors import ResolutionError
from bilevel_lang.problem import Structure
from bilevel_lang.solution import Status
from tests.resolver.models import findings, gams_style, mistakes, resolved


def model_of(kind: str) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4), domain=pyo.Integers if "i" in kind else pyo.Reals)
    m.y = pyo.Var(bounds=(0, 4))
    degree = {"l": m.x + m.y, "q": m.x * m.y, "n": pyo.exp(m.x) + m.y, "k": abs(m.x) + m.y}
    m.row = pyo.Constraint(expr=degree[kind[0]] <= 3)
    m.obj = pyo.Objective(expr=m.x)
    return m


TYPES = ("lp", "qcp", "nlp", "dnlp", "mip", "miqcp", "minlp", "rmip")
HOLD = {
    "l": {"lp", "qcp", "nlp", "dnlp", "mip", "miqcp", "minlp", "rmip"},
    "q": {"qcp", "nlp", "dnlp", "miqcp", "minlp"},
    "n": {"nlp", "dnlp", "minlp"},
    "k": {"dnlp", "minlp"},
    "li": {"mip", "miqcp", "minlp"},
    "qi": {"miqcp", "minlp"},
    "ni": {"minlp"},
}


@pytest.mark.parametrize("kind", HOLD)
@pytest.mark.parametrize("type", TYPES)
def test_a_type_holds_for_what_it_includes(kind: str, type: str) -> None:
    if type in HOLD[kind]:
        assert resolved(model_of(kind), f"modeltype {type.upper()}").structure is Structure.SINGLE
    else:
        (found,) = findings(model_of(kind), f"modeltype {type}")
        assert found.code == "E23"
        mended = found.help.partition("`modeltype ")[2].partition("`")[0]
        assert mended in HOLD[kind]


def test_fixed_variables_are_data() -> None:
    model = model_of("ni")
    model.x.fix(1)
    resolved(model, "modeltype lp")


def complementary() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None))
    m.pair = Complementarity(expr=complements(m.x >= 0, 2 * m.x - 3 >= 0))
    return m


def test_a_square_system_is_an_mcp_and_stays_as_it_is() -> None:
    problem = resolved(complementary(), "modeltype mcp")
    assert problem.structure is Structure.SINGLE
    assert solve(complementary(), "modeltype mcp").variables["x"] == pytest.approx(1.5)


def test_a_system_that_is_not_square_is_none() -> None:
    model = complementary()
    model.y = pyo.Var()
    model.row = pyo.Constraint(expr=model.y + model.x == 2)
    resolved(model, "modeltype mcp")
    model.more = pyo.Constraint(expr=model.y - model.x == 2)
    assert mistakes(model, "modeltype mcp") == ["E23"]


def test_complementarities_and_an_objective_are_an_mpec() -> None:
    model = complementary()
    model.obj = pyo.Objective(expr=model.x)
    resolved(model, "modeltype mpec")
    assert mistakes(model, "modeltype mcp") == ["E23"]
    assert mistakes(model, "modeltype nlp") == ["E23"]


@pytest.mark.parametrize(("type", "codes"), [("cns", []), ("mcp", []), ("lp", [])])
def test_equations_without_objective(type: str, codes: list[str]) -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2])
    m.a = pyo.Constraint(expr=m.x[1] + m.x[2] == 3)
    m.b = pyo.Constraint(expr=m.x[1] - m.x[2] == 1)
    resolved(m, f"modeltype {type}")
    m.c = pyo.Constraint(expr=m.x[1] <= 9)
    assert mistakes(m, "modeltype cns") == ["E23", "E23"]  # no equation, and one too many


@pytest.mark.parametrize(
    ("text", "right"),
    [("bilevel x min z y defz low high", "mpec"), ("equilibrium min z y defz low high x min obj w", "mcp")],
)
def test_agents_have_a_type_of_their_own(text: str, right: str) -> None:
    for type in ("mpec", "mcp", "nlp", "rmpec", "cns"):
        found = {
            d.code for d in findings_or_none(f"{text} p\nmodeltype {type}" if right == "mcp" else f"{text}\nmodeltype {type}")
        }
        assert ("E23" in found) == (type != right), type


def findings_or_none(text: str) -> tuple[object, ...]:
    try:
        resolved(gams_style(), text)
    except Exception as error:
        return error.diagnostics  # type: ignore[attr-defined, no-any-return]
    return ()


def convex_qp(seed: int) -> pyo.ConcreteModel:
    rng = random.Random(seed)
    m = pyo.ConcreteModel()
    m.I = pyo.RangeSet(3)
    m.x = pyo.Var(m.I, bounds=(-2, 5))
    roots = [[rng.uniform(-1, 1) for _ in m.I] for _ in m.I]
    square = sum(sum(a * m.x[i] for a, i in zip(root, m.I, strict=True)) ** 2 for root in roots)
    linear = sum(rng.uniform(-3, 3) * m.x[i] for i in m.I)
    sign = rng.choice([1, -1])
    m.obj = pyo.Objective(expr=sign * (square + linear), sense=pyo.minimize if sign == 1 else pyo.maximize)
    m.less = pyo.Constraint(expr=sum(rng.uniform(0, 2) * m.x[i] for i in m.I) <= 3)
    m.range = pyo.Constraint(expr=(-1, m.x[1] - m.x[2], 1))
    m.equal = pyo.Constraint(expr=m.x[1] + m.x[3] == rng.uniform(0, 2))
    return m


@pytest.mark.parametrize("seed", range(8))
def test_the_kkt_system_has_the_optimum_of_the_direct_solve(seed: int) -> None:
    direct = solve(convex_qp(seed), "")
    by_kkt = solve(convex_qp(seed), "modeltype mcp")
    assert direct.status is by_kkt.status is Status.OPTIMAL
    assert by_kkt.verified
    assert by_kkt.objective == pytest.approx(direct.objective, rel=1e-5, abs=1e-6)
    assert set(by_kkt.duals) == {"less", "range", "equal"}


def test_an_lp_and_a_convex_nlp_too() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None), initialize=1)
    m.y = pyo.Var(bounds=(0, None), initialize=1)
    m.row = pyo.Constraint(expr=m.x + 2 * m.y >= 4)
    m.obj = pyo.Objective(expr=3 * m.x + 4 * m.y)
    assert solve(m, "modeltype mcp").objective == pytest.approx(8)
    assert solve(m, "modeltype mcp").duals["row"] == pytest.approx(2)
    m.obj.set_value(pyo.exp(m.x) + m.y)  # exp(x) = 1 / 2 has no x >= 0: x = 0, y = 2
    assert solve(m, "modeltype mcp").objective == pytest.approx(3, rel=1e-5)


def test_a_multiplier_can_be_named_in_the_kkt_system() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, None))
    m.p = pyo.Var(bounds=(0, None))
    m.row = pyo.Constraint(expr=m.x >= 4)
    m.obj = pyo.Objective(expr=3 * m.x)
    assert solve(m, "modeltype mcp\ndualvar p row").variables["p"] == pytest.approx(3)


@pytest.mark.parametrize("method", ["auto", "kkt", "value-function"])
def test_integers_have_no_kkt_system_whatever_the_method(method: str) -> None:
    with pytest.raises(ResolutionError, match="those of an MCP or a CNS are continuous"):
        solve(model_of("li"), "modeltype mcp", method=method)


def test_an_equilibrium_with_integers_is_no_mcp_and_a_leader_may_have_them() -> None:
    m = gams_style()
    m.w.domain = pyo.Integers
    assert mistakes(m, "equilibrium min z y defz low high x p min obj w\nmodeltype mcp") == ["E23"]
    resolved(m, "equilibrium min z y defz low high x p min obj w")
    resolved(m, "bilevel x w min z y defz low high\nmodeltype mpec")


def test_neither_do_integers_make_a_square_system() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers)
    m.a = pyo.Constraint(expr=m.x == 3)
    for type in ("cns", "mcp"):
        assert mistakes(m, f"modeltype {type}") == ["E23"]
    m.x.fix(3)
    assert mistakes(m, "modeltype cns") == ["E23"]  # an equation, and no variable
