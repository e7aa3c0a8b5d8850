"""The names ``bilevel.kkt`` and ``bilevel`` in Pyomo's factories, whichever of the two packages is imported first.

Pyomo has no entry point for transformations and solvers: somebody has to call ``register`` after Pyomo is there. Loading Pyomo
takes half a second, which ``bilevel-solve --help`` must not pay, so this module waits for it. See
``docs/decisions/0009-registration-with-pyomo.md``.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

AWAITED = "pyomo.environ"
"""Importing this module is what fills Pyomo's own factories."""

TRANSFORMATION = "bilevel.kkt"
SOLVER = "bilevel"


def register_or_wait() -> None:
    """Register now if Pyomo is loaded, else at the end of the first ``import pyomo.environ``. May be called again."""
    if AWAITED in sys.modules:
        register()
    elif not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())


def register() -> None:
    """Put our transformation and our solver into Pyomo's factories.

    Where this Pyomo has no place for them, a RuntimeWarning says so: neither package becomes unusable for it.
    """
    try:
        from pyomo.contrib.solver.common.factory import SolverFactory
        from pyomo.core.base.transformation import TransformationFactory

        from bilevel_lang.interoperation.solver import BilevelSolver, LegacyBilevelSolver
        from bilevel_lang.interoperation.transformation import KktTransformation
    except ImportError as error:
        said = f"bilevel_lang cannot register `{TRANSFORMATION}` and `{SOLVER}` with this version of Pyomo: {error}"
        warnings.warn(f"{said}. The functions of bilevel_lang itself are not affected", RuntimeWarning, stacklevel=2)
        return
    TransformationFactory.register(TRANSFORMATION, KktTransformation.__doc__)(KktTransformation)
    SolverFactory.register(SOLVER, doc=BilevelSolver.__doc__)(BilevelSolver, LegacyBilevelSolver)


class _Watcher(MetaPathFinder):
    """Looks on while modules are found, until :data:`AWAITED` has been loaded."""

    _asking = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that Python would have found anyway, whose loader registers us when it is done."""
        if name != AWAITED or self._asking:
            return None
        self._asking = True
        try:
            spec = find_spec(name)
        finally:
            self._asking = False
        if spec is not None and spec.loader is not None:
            self._call_after_loading(spec.loader)
        return spec

    def _call_after_loading(self, loader: Any) -> None:
        # Whoever only asks where Pyomo is throws this spec away, and the next one is watched again.
        def exec_module(module: ModuleType) -> None:
            # The loader is as it was before the module runs: nothing of us stays behind in Pyomo.
            del loader.exec_module
            loader.exec_module(module)
            sys.meta_path.remove(self)
            register()

        loader.exec_module = exec_module
