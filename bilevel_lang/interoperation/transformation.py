"""``TransformationFactory('bilevel.kkt')``: the KKT rewrite as a transformation of Pyomo.

Only Pyomo and the options are imported with this module; the rest of the package comes when the transformation is used.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyomo.common.config import Bool, ConfigDict, ConfigValue, document_kwargs_from_configdict
from pyomo.core.base.constraint import Constraint
from pyomo.core.base.objective import Objective
from pyomo.core.base.transformation import Transformation
from pyomo.core.base.var import Var

from bilevel_lang.reformulation.options import Options

if TYPE_CHECKING:
    from bilevel_lang.problem import BilevelProblem

logger = logging.getLogger("bilevel_lang")

_OPTIONS = ("big_m", "implicit", "nlp")
"""Those of :class:`Options` that matter to a model which is only rewritten."""


class KktTransformation(Transformation):  # type: ignore[misc]
    """Replace the agents of a bilevel model or equilibrium by their optimality conditions (KKT)."""

    CONFIG = ConfigDict("bilevel.kkt")
    CONFIG.declare(
        "annotation",
        ConfigValue(description="Who decides what", doc="EMP text, a pathlib.Path to a file of it, or an EmpInfo; required."),
    )
    CONFIG.declare(
        "strict", ConfigValue(default=False, domain=Bool, description="Warnings are errors", doc="Warnings are errors.")
    )
    CONFIG.declare(
        "encoding",
        ConfigValue(
            description="How to encode the complementarities",
            doc="A name of docs/encodings.md; None leaves them as ``pyomo.mpec.Complementarity`` components.",
        ),
    )
    for _name in _OPTIONS:
        _said = f"As `{_name}` of bilevel_lang.reformulate."
        CONFIG.declare(_name, ConfigValue(default=getattr(Options(), _name), description=_said, doc=_said))

    @document_kwargs_from_configdict(CONFIG)  # type: ignore[untyped-decorator]
    def apply_to(self, model: Any, **kwds: Any) -> None:
        """Transform ``model`` in place.

        Raises what :func:`bilevel_lang.reformulate` raises, and UsageError for a model that was transformed before; then the
        model is as it was.
        """
        super().apply_to(model, **kwds)

    @document_kwargs_from_configdict(CONFIG)  # type: ignore[untyped-decorator]
    def create_using(self, model: Any, **kwds: Any) -> Any:
        """A transformed clone of ``model``. Raises what :meth:`apply_to` raises."""
        return super().create_using(model, **kwds)

    def get_multiplier_from_object(self, model: Any, component: Any, agent: str | None = None) -> Any:
        """The multiplier Var of a row, or (lower, upper) of a range or of a variable with bounds, None for a side without.

        ``agent`` names the agent where several have the row. The cone of the Var is that of the ``min`` problem: see
        docs/signs.md, and :meth:`get_reported_multiplier`. Raises UsageError where there is none.
        """
        return self._lookup(model).entry(component, agent)[0]

    def get_reported_multiplier(self, model: Any, component: Any, agent: str | None = None) -> Any:
        """d(optimal value of the agent)/d(right-hand side) as an expression; of a variable: its reduced cost.

        Raises UsageError where there is none.
        """
        return self._lookup(model).entry(component, agent)[1]

    def get_object_from_multiplier(self, model: Any, multiplier: Any) -> Any:
        """The row whose multiplier it is, or the variable to whose bound it belongs. Raises UsageError for other variables."""
        return self._find(self._lookup(model).objects, multiplier, "is no multiplier of")

    def get_src_component(self, model: Any, component: Any) -> Any:
        """The variable or agent's row of the source that became ``component``; after apply_to, the same. Raises UsageError."""
        return self._find(self._lookup(model).sources, component, "has no source in")

    def get_transformed_component(self, model: Any, component: Any) -> Any:
        """What a variable or agent's row of the source became in ``model``. Raises UsageError."""
        return self._find(self._lookup(model).transformed, component, "became nothing in")

    def get_kkt_block(self, model: Any) -> Any:
        """The block with multipliers, stationarity and complementarity. Raises UsageError for a model without."""
        return self._lookup(model).block

    def _apply_to(self, model: Any, **kwds: Any) -> None:
        from bilevel_lang.errors import RefusedError
        from bilevel_lang.reformulation.problem_clone import own_model

        problem, options = self._read(model, kwds)
        if problem.softening is not None:
            raise RefusedError("`adjustequ` makes rows soft in a clone, not in the model itself", "use create_using")
        with _as_it_was_after_an_error(model):
            self._transform(problem, options, own_model(problem))

    def _create_using(self, model: Any, **kwds: Any) -> Any:
        from bilevel_lang.reformulation.problem_clone import clone

        problem, options = self._read(model, kwds)
        twin = clone(problem)
        self._transform(problem, options, twin)
        return twin.model

    def _read(self, model: Any, kwds: dict[str, Any]) -> tuple[BilevelProblem, Options]:
        from bilevel_lang.api import resolve
        from bilevel_lang.errors import UsageError
        from bilevel_lang.interoperation.multiplier_lookup import lookup_of

        config = self.CONFIG(kwds.pop("options", {}))
        config.set_value(kwds)
        if config.annotation is None:
            raise UsageError("`bilevel.kkt` needs an annotation", "add annotation='...' or annotation=Path('model.emp')")
        if lookup_of(model).block is not None:
            raise UsageError(
                f"`bilevel.kkt` has been applied to `{model.name}` before", "transform the model that it was made of"
            )
        problem = resolve(model, config.annotation, strict=config.strict)
        options = {name: config.get(name).value() for name in _OPTIONS}
        return problem, Options(method="kkt", encoding=config.encoding, **options)

    def _transform(self, problem: BilevelProblem, options: Options, twin: Any) -> None:
        from bilevel_lang.interoperation.multiplier_lookup import lookup_of
        from bilevel_lang.reformulation.kkt import Kkt
        from bilevel_lang.reformulation.optimality_conditions import build_mpec
        from bilevel_lang.reformulation.registry import choose

        choose(problem, options)  # raises where the rewrite does not take the problem
        built = build_mpec(problem, twin, options.implicit)
        mpec = Kkt().of_mpec(problem, built)
        if options.encoding is not None:
            Kkt().encode(mpec, options)
        lookup_of(twin.model).fill(problem, built)
        for notice in problem.notices:
            if notice.severity == "warning":
                logger.warning(notice.render())
        for warning in mpec.warnings:
            logger.warning(warning)

    def _lookup(self, model: Any) -> Any:
        from bilevel_lang.errors import UsageError
        from bilevel_lang.interoperation.multiplier_lookup import lookup_of

        lookup = lookup_of(model)
        if lookup.block is None:
            raise UsageError(f"`bilevel.kkt` has not been applied to `{model.name}`", "give the transformed model")
        return lookup

    def _find(self, known: Any, component: Any, fact: str) -> Any:
        from bilevel_lang.errors import UsageError

        if component not in known:
            raise UsageError(f"`{component.name}` {fact} the transformed model", "multipliers: get_multiplier_from_object")
        return known[component]


@contextmanager
def _as_it_was_after_an_error(model: Any) -> Iterator[None]:
    """A transformation in place that breaks off takes back what it has done so far."""
    from pyomo.mpec import Complementarity

    active = list(model.component_data_objects((Constraint, Objective, Complementarity), active=True))
    components = {id(c) for c in model.component_objects(descend_into=False)}
    bounds = [(v, v.bounds, v.lower, v.upper) for v in model.component_data_objects(Var)]
    try:
        yield
    except BaseException:
        for component in [c for c in model.component_objects(descend_into=False) if id(c) not in components]:
            model.del_component(component)
        for data in active:
            data.activate()
        for variable, before, lower, upper in bounds:
            if variable.bounds != before:  # an encoding may have tightened them
                variable.lower, variable.upper = lower, upper
        raise
