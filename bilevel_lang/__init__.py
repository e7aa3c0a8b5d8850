"""Hierarchical optimisation for Pyomo, annotated in the language of GAMS EMP. Start with :func:`solve`.

Names are loaded when they are first used, so that ``bilevel-solve --help`` need not wait for Pyomo.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bilevel_lang.interoperation.registration import register_or_wait as _register_or_wait
from bilevel_lang.version import __version__

if TYPE_CHECKING:
    from bilevel_lang.api import load, parse, reformulate, resolve, scenario_creator, solve, verify, write_mps_aux
    from bilevel_lang.errors import (
        BilevelError,
        Diagnostic,
        EmpSyntaxError,
        ModelFileError,
        MpsSyntaxError,
        OnnxFileError,
        RefusedError,
        ResolutionError,
        SampleFileError,
        SolverFailedError,
        SolverMissingError,
        UsageError,
    )
    from bilevel_lang.grammar.printer import format_text, print_info
    from bilevel_lang.grammar.syntax import EmpInfo
    from bilevel_lang.model_file import load_model
    from bilevel_lang.mps_files.exchange import read_mps_aux
    from bilevel_lang.problem import BilevelProblem
    from bilevel_lang.reformulation.nlp_options import NlpOptions
    from bilevel_lang.reformulation.nn_options import NnOptions
    from bilevel_lang.reformulation.options import Options
    from bilevel_lang.reformulation.rewrite import Reformulation
    from bilevel_lang.smps_files.exchange import read_smps
    from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, Status

_HOMES = {
    "api": ("load", "parse", "reformulate", "resolve", "scenario_creator", "solve", "verify", "write_mps_aux"),
    "errors": (
        "BilevelError",
        "Diagnostic",
        "EmpSyntaxError",
        "ModelFileError",
        "MpsSyntaxError",
        "OnnxFileError",
        "RefusedError",
        "ResolutionError",
        "SampleFileError",
        "SolverFailedError",
        "SolverMissingError",
        "UsageError",
    ),
    "grammar.printer": ("format_text", "print_info"),
    "grammar.syntax": ("EmpInfo",),
    "model_file": ("load_model",),
    "mps_files.exchange": ("read_mps_aux",),
    "problem": ("BilevelProblem",),
    "reformulation.nlp_options": ("NlpOptions",),
    "reformulation.nn_options": ("NnOptions",),
    "reformulation.options": ("Options",),
    "reformulation.rewrite": ("Reformulation",),
    "smps_files.exchange": ("read_smps",),
    "solution": ("BilevelSolution", "Certificate", "Exactness", "Point", "Status"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BilevelError",
    "BilevelProblem",
    "BilevelSolution",
    "Certificate",
    "Diagnostic",
    "EmpInfo",
    "EmpSyntaxError",
    "Exactness",
    "ModelFileError",
    "MpsSyntaxError",
    "NlpOptions",
    "NnOptions",
    "OnnxFileError",
    "Options",
    "Point",
    "Reformulation",
    "RefusedError",
    "ResolutionError",
    "SampleFileError",
    "SolverFailedError",
    "SolverMissingError",
    "Status",
    "UsageError",
    "__version__",
    "format_text",
    "load",
    "load_model",
    "parse",
    "print_info",
    "read_mps_aux",
    "read_smps",
    "reformulate",
    "resolve",
    "scenario_creator",
    "solve",
    "verify",
    "write_mps_aux",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bilevel_lang' has no attribute {name!r}")
    value = getattr(import_module(f"bilevel_lang.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


_register_or_wait()
