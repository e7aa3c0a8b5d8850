"""``model.clone()`` in a third of its time.

Pyomo's clone makes empty twins of all components first and then copies what is in them, one attribute and one node of an
expression after the other. Here variables, rows and plain sums, which are nearly everything that a large model consists of, are
copied by hand and entered in Pyomo's own ``memo`` of what is copied already; Pyomo does the rest, and all of it where its classes
are not the ones known here.
"""

from __future__ import annotations

import copy
from typing import Any
from weakref import ref

import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import ScalarVar, VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression, RangedExpression
from pyomo.core.staleflag import StaleFlagManager

_SUMS = frozenset({SumExpression, LinearExpression})
_RELATIONS = frozenset({EqualityExpression, InequalityExpression, RangedExpression})
_NUMBERS = frozenset({int, float, type(None)})
_ATOMS = frozenset({int, float, str, bool, type(None)})

_LAYOUT = {
    VarData: {"_component", "_index", "_value", "_lb", "_ub", "_domain", "_fixed", "_stale"},
    ConstraintData: {"_component", "_index", "_active", "_expr"},
    SumExpression: {"_args_", "_nargs"},
    LinearExpression: {"_args_", "_nargs"},
    MonomialTermExpression: {"_args_"},
}


def clone_model(model: Any, memo: dict[int, Any]) -> Any:
    """The same as ``model.clone(memo)``: afterwards ``memo`` leads from the id of every component (and its data) to its twin."""
    if not _is_known():
        return model.clone(memo)
    with PauseGC():
        copier = _Copier(model, memo)
        copier.prepare()
        clone = model.clone(memo)
        copier.finish()
    return clone


def _is_known() -> bool:
    """Whether Pyomo's classes consist of what is copied here by hand: another version may have added something."""
    slots = ((kind.__auto_slots__, names) for kind, names in _LAYOUT.items() if hasattr(kind, "__auto_slots__"))
    return all(not found.has_dict and set(found.slots) == names for found, names in slots) and all(
        set(_all_slots(kind)) == names for kind, names in _LAYOUT.items() if not hasattr(kind, "__auto_slots__")
    )


def _all_slots(kind: type) -> set[str]:
    return {slot for base in kind.__mro__ for slot in getattr(base, "__slots__", ())} - {"__weakref__"}


class _Copier:
    """Twins made before Pyomo's clone, and what is put into them after it, when their parents have twins as well."""

    def __init__(self, model: Any, memo: dict[int, Any]) -> None:
        self.model = model
        self.memo = memo
        self.variables: list[Any] = []
        self.scalars: list[Any] = []
        self.rows: list[Any] = []
        self.twins: dict[int, Any] = {}
        """Of variables only, by id: what a plain sum may hold."""
        self.monomials: dict[tuple[Any, int], Any] = {}

    def prepare(self) -> None:
        """Empty twins of variables and rows, and finished ones of plain expressions."""
        for component in self.model.component_objects(pyo.Var):
            self._add_variables(component)
        for component in self.model.component_objects(pyo.Constraint):
            if component.is_indexed() and not component.is_reference():
                self.rows += [row for row in component._data.values() if row.__class__ is ConstraintData]
        for row in self.rows:
            self.memo[id(row)] = ConstraintData.__new__(ConstraintData)
            self._enter_relation(row._expr)
        for row in self.model.component_data_objects(pyo.Constraint):
            if row.__class__ is not ConstraintData:
                self._enter_relation(row._expr)
        for holder in self.model.component_data_objects((pyo.Objective, pyo.Expression)):
            if holder.expr.__class__ in _SUMS:
                self._sum(holder.expr)

    def _add_variables(self, component: Any) -> None:
        if component.__class__ is ScalarVar:
            twin = component.__class__.__new__(component.__class__)
            self.scalars.append(component)
            self.memo[id(component)] = self.twins[id(component)] = twin
        elif component.is_indexed() and not component.is_reference():
            for data in component._data.values():
                if data.__class__ is VarData:
                    self.variables.append(data)
                    self.memo[id(data)] = self.twins[id(data)] = VarData.__new__(VarData)

    def finish(self) -> None:
        """What the twins hold."""
        for scalar in self.scalars:
            scalar.__deepcopy_state__(self.memo, self.memo[id(scalar)])
        parents: dict[int, Any] = {}
        stale: dict[Any, Any] = {}
        memo, twins, mapper = self.memo, self.twins, StaleFlagManager.stale_mapper
        for data in self.variables:
            twin = twins[id(data)]
            twin._component = self._parent(data, parents)
            twin._index = self._value(data._index)
            twin._value = self._value(data._value)
            twin._lb = self._value(data._lb)
            twin._ub = self._value(data._ub)
            domain = data._domain
            twin._domain = memo[id(domain)] if id(domain) in memo else copy.deepcopy(domain, memo)
            twin._fixed = data._fixed
            flag = data._stale
            if flag not in stale:
                stale[flag] = mapper(False, mapper(True, flag))
            twin._stale = stale[flag]
        for data in self.rows:
            twin = memo[id(data)]
            twin._component = self._parent(data, parents)
            twin._index = self._value(data._index)
            twin._active = data._active
            twin._expr = memo[id(data._expr)] if id(data._expr) in memo else copy.deepcopy(data._expr, memo)

    def _parent(self, data: Any, known: dict[int, Any]) -> Any:
        parent = data._component()
        found = known.get(id(parent))
        if found is None:
            found = known[id(parent)] = ref(self.memo[id(parent)])
        return found

    def _value(self, value: Any) -> Any:
        return value if value.__class__ in _ATOMS else copy.deepcopy(value, self.memo)

    # --- Expressions. What is not plain is left to Pyomo, and None is returned.

    def _enter_relation(self, relation: Any) -> None:
        kind = relation.__class__
        if kind not in _RELATIONS:
            return
        sides = tuple(self._side(side) for side in relation._args_)
        if any(side is None and original is not None for side, original in zip(sides, relation._args_, strict=True)):
            return
        twin = kind.__new__(kind)
        twin._args_ = sides
        if kind is not EqualityExpression:
            twin._strict = relation._strict
        self.memo[id(relation)] = twin

    def _side(self, side: Any) -> Any:
        kind = side.__class__
        if kind in _NUMBERS:
            return side
        if kind in _SUMS:
            return self._sum(side)
        return self._term(side)

    def _sum(self, expression: Any) -> Any:
        known = self.memo.get(id(expression))
        if known is not None:
            return known  # several rows may hold one sum, and it may be long
        terms, twins = [], self.twins
        for term in expression._args_[: expression._nargs]:
            if term.__class__ is MonomialTermExpression:
                coefficient, variable = term._args_
                twin = twins.get(id(variable))
                if twin is None or coefficient.__class__ not in _NUMBERS:
                    return None
                terms.append(self._monomial(coefficient, twin))
                continue
            found = term if term.__class__ in _NUMBERS else twins.get(id(term))
            if found is None:
                return None
            terms.append(found)
        twin = expression.__class__.__new__(expression.__class__)
        twin._args_ = terms[:]  # a list that has grown has room for more
        twin._nargs = len(terms)
        self.memo[id(expression)] = twin
        return twin

    def _term(self, term: Any) -> Any:
        if term.__class__ is not MonomialTermExpression:
            return self.twins.get(id(term))
        coefficient, variable = term._args_
        twin = self.twins.get(id(variable))
        if twin is None or coefficient.__class__ not in _NUMBERS:
            return None
        return self._monomial(coefficient, twin)

    def _monomial(self, coefficient: Any, twin: Any) -> Any:
        """One object for every ``coefficient * twin``, wherever it stands: large models repeat their terms."""
        key = (coefficient, id(twin))
        found = self.monomials.get(key)
        if found is None or found._args_[0].__class__ is not coefficient.__class__:  # 1, 1.0 and True are equal keys
            found = self.monomials[key] = MonomialTermExpression((coefficient, twin))
        return found
