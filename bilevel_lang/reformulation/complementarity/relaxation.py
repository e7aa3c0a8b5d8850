"""What the encodings for NLP solvers share. One of them is a formula: the row(s) of a pair for the parameter mu.

A further one is a short file: a subclass of :class:`NlpEncoding` with a ``name`` and :meth:`~NlpEncoding.rows` or
:meth:`~NlpEncoding.cost`. mu is in units of the product ``left * right`` throughout, so that encodings can share one sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.complementarity.encoding import Encoded
from bilevel_lang.reformulation.complementarity.homotopy import MU, Homotopy, Starter
from bilevel_lang.reformulation.complementarity.pairs import Pair, as_variable, is_nonnegative_variable, take_pairs
from bilevel_lang.reformulation.complementarity.relaxed_model import RelaxedModel, Side
from bilevel_lang.reformulation.nlp_options import Form, NlpOptions
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness


@dataclass(frozen=True, eq=False)
class PairRow:
    """``body <= limit``, or ``body == limit`` where ``equality``; ``part`` tells several rows of one pair apart."""

    body: Any
    limit: Any
    equality: bool = False
    part: str = ""


class NlpEncoding:
    """An encoding that relaxes each pair by mu > 0 and lets mu shrink. Holds no state."""

    name: str
    solver: str = "ipopt"
    component: str = ""
    """The name of its rows within the block ``encoding``; empty if it has none."""
    forms: tuple[Form, ...] = ("inequality",)
    """The forms that it can take, the default first."""
    aggregates: bool = False
    """Whether the rows of all pairs may be added up: only where ``body`` is never negative."""
    keeps_bounds: bool = True
    """Whether the sides stay >= 0 while mu > 0."""
    steps: tuple[float, ...] = MU
    """The sequence of mu where the user gives none."""

    def rows(self, left: Any, right: Any, mu: Any, form: Form) -> tuple[PairRow, ...]:
        """The relaxed conditions of one pair; as mu goes to 0 they leave ``left * right = 0`` and, with the bounds, both >= 0."""
        return ()

    def cost(self, left: Any, right: Any, mu: Any) -> Any:
        """What the pair adds to an objective that is minimised; 0 for none."""
        return 0

    def encode(self, model: Any, options: Options, starter: Starter) -> Encoded:
        """Relax every pair. The rows are ``encoding.<component>[name]``, the parameter ``encoding.mu``, a fixed variable."""
        refuse_integers(model, self.name)
        self.form_of(options.nlp)
        block, pairs = take_pairs(model)
        return relax(model, block, [(pair, self) for pair in pairs], options, starter)

    def form_of(self, options: NlpOptions) -> Form:
        """The form wanted. Raises RefusedError for a form or an aggregation that this encoding does not have."""
        if options.form is not None and options.form not in self.forms:
            mend = "`--encoding product` and `--encoding fischer-burmeister` have both forms"
            raise RefusedError(f"`{self.name}` has no form `{options.form}`", mend)
        if options.aggregate == "full" and not self.aggregates:
            mend = "`--encoding product` and `--encoding scholtes` can be aggregated"
            raise RefusedError(f"`{self.name}` has no rows that may be added up to one", mend)
        return options.form or self.forms[0]


def refuse_integers(model: Any, name: str) -> None:
    """Raises RefusedError with the first variable that is not continuous."""
    for variable in model.component_data_objects(pyo.Var):
        if not variable.fixed and not variable.is_continuous():
            said = f"`{variable.name}` is integer and `{name}` is for continuous problems"
            raise RefusedError(said, "use `--encoding sos1`")


def relax(model: Any, block: Any, chosen: Sequence[tuple[Pair, NlpEncoding]], options: Options, starter: Starter) -> Encoded:
    """Relax each pair by its own encoding, all with one mu. Raises RefusedError where another solver than Ipopt was asked for."""
    if options.solver not in (None, "ipopt"):
        names = ", ".join(dict.fromkeys(f"`{encoding.name}`" for _, encoding in chosen))
        said = f"{names} is a sequence of NLPs that ipopt solves, not {options.solver}"
        raise RefusedError(said, "leave --solver out, or choose another encoding")
    wanted = options.nlp
    # A mixture goes no further down than the most careful of its encodings.
    steps = wanted.mu or max((encoding.steps for _, encoding in chosen), key=lambda mu: mu[-1], default=MU)
    # The homotopy sets mu step by step; the model itself, as it is written to a file, states the last step.
    block.mu = pyo.Var()
    block.mu.fix(steps[-1])
    for component in dict.fromkeys(encoding.component for _, encoding in chosen if encoding.component):
        block.add_component(component, pyo.Constraint(pyo.Any))
    builder = _Builder(block, wanted)
    for pair, encoding in chosen:
        builder.add(pair, encoding)
    builder.aggregate()
    own = next(model.component_data_objects(pyo.Objective, active=True), None)
    relaxed = RelaxedModel(
        model=model,
        block=block,
        mu=block.mu,
        rows=tuple(builder.rows),
        sides=tuple(builder.sides),
        released=tuple(builder.released),
        objective=own,
        penalised=_penalised(block, own, builder.costs),
        steps=steps,
        whole=wanted.mu is not None,
    )
    return Encoded(Exactness.STATIONARY, Homotopy(relaxed, starter).run)


def _penalised(block: Any, own: Any, costs: list[Any]) -> Any:
    if not costs:
        return None
    sense = pyo.minimize if own is None else own.sense
    sign = 1 if sense == pyo.minimize else -1
    expression = sign * sum(costs) + (0 if own is None else own.expr)
    if own is not None:
        own.deactivate()
    block.penalised = pyo.Objective(expr=expression, sense=sense)
    return block.penalised


class _Builder:
    """Collects what the pairs become."""

    def __init__(self, block: Any, options: NlpOptions) -> None:
        self._block = block
        self._options = options
        self._added_up: dict[tuple[str, bool], list[PairRow]] = {}
        self.rows: list[Any] = []
        self.sides: list[tuple[Side, Side]] = []
        self.released: list[Any] = []
        self.costs: list[Any] = []

    def add(self, pair: Pair, encoding: NlpEncoding) -> None:
        form = encoding.form_of(self._options)
        left, left_side = self._side(f"{pair.name}.left", pair.left, encoding)
        right, right_side = self._side(f"{pair.name}.right", pair.right, encoding)
        self.sides.append((left_side, right_side))
        for row in encoding.rows(left, right, self._block.mu, form):
            if self._options.aggregate == "full":
                self._added_up.setdefault((encoding.component, row.equality), []).append(row)
            else:
                self._row(encoding.component, f"{pair.name}.{row.part}" if row.part else pair.name, row)
        cost = encoding.cost(left, right, self._block.mu)
        if cost.__class__ not in (int, float):
            self.costs.append(cost)

    def aggregate(self) -> None:
        for (component, equality), rows in self._added_up.items():
            self._row(component, "all", PairRow(sum(row.body for row in rows), rows[0].limit, equality))

    def _row(self, component: str, name: str, row: PairRow) -> None:
        container = self._block.component(component)
        container[name] = row.body - row.limit == 0 if row.equality else row.body - row.limit <= 0
        self.rows.append(container[name])

    def _side(self, name: str, expression: Any, encoding: NlpEncoding) -> tuple[Any, Side]:
        """The side as it stands in formulas, and what is pinned at the end: a variable, or the row of an expression."""
        if is_nonnegative_variable(expression) or self._options.slacks == "needed":
            variable = as_variable(self._block, name, expression)
            if not encoding.keeps_bounds and variable.lb == 0:
                variable.domain = pyo.Reals
                variable.setlb(None)
                self.released.append(variable)
            return variable, variable
        if not encoding.keeps_bounds:
            raise RefusedError(
                f"`{encoding.name}` bounds the sides by its own rows and needs slacks", "leave `--slacks none` out"
            )
        if self._block.component("side") is None:
            self._block.side = pyo.Constraint(pyo.Any)
        self._block.side[name] = expression >= 0
        return expression, self._block.side[name]
