"""The options of ``bilevel-solve``: their names, what they mean, and which values they take.

Imported for ``--help`` too: nothing heavy here.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from bilevel_lang.errors import UsageError
from bilevel_lang.version import __version__

if TYPE_CHECKING:
    from bilevel_lang.reformulation.nlp_options import NlpOptions
    from bilevel_lang.reformulation.nn_options import NnOptions
    from bilevel_lang.reformulation.options import Options

EPILOG = """\
exit codes: 0 solved and verified (or a mode that does not solve did its work), 1 a bug of ours, 2 usage or syntax,
3 model and annotation do not fit or the method is refused, 4 infeasible or unbounded, 5 limit reached or solver failed,
6 solver or licence missing, 7 verification failed, 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """Usage mistakes as our own error, so that ``--json`` reports them too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, "bilevel-solve --help lists the options")


def option_parser() -> argparse.ArgumentParser:
    """All options. Parsing raises UsageError for mistakes, and SystemExit after ``--help`` and ``--version``."""
    parser = _Parser(
        prog="bilevel-solve",
        description="Solve a hierarchical Pyomo model with an EMP annotation, and check the answer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="MODEL ANNOTATION",
        help="a Python file with a Pyomo model and a .emp file, or .mps and .aux, or .cor and .sto",
    )
    _add_choices(parser)
    _add_uncertainty(parser)
    _add_surrogates(parser)
    _add_limits(parser)
    _add_modes(parser)
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to use (all chosen by the engine unless given)")
    group.add_argument("--method", default="auto", help="auto, kkt, value-function, nn-embed, extensive-form, l-shaped or boxes")
    group.add_argument("--encoding", help="sos1, branch, big-m, scholtes, ... (docs/encodings.md), or ROW=sos1,*=big-m")
    group.add_argument("--solver", help="highs, scip, ipopt, or any solver that Pyomo knows")
    group.add_argument(
        "--position", default="optimistic", choices=["optimistic", "pessimistic"], help="who wins ties among followers"
    )
    group.add_argument(
        "--implicit",
        default="switching",
        choices=["switching", "replication", "substitution"],
        help="the way with state variables (`implicit`)",
    )
    group.add_argument(
        "--big-m",
        type=_given_bound,
        action="append",
        metavar="M",
        help="bound for sides where none can be proved (big-m only); ROW=M for one row, may be repeated",
    )
    group.add_argument("--starts", type=_count, default=8, metavar="N", help="starts of a local method (default 8)")
    group.add_argument("--mu", metavar="LIST", help="the sequence of an encoding for ipopt: 1,1e-2,1e-4 or 1:1e-8:0.01")
    group.add_argument("--form", choices=["equality", "inequality"], help="of the rows of product or fischer-burmeister")
    group.add_argument("--slacks", choices=["needed", "none"], default="needed", help="of an encoding for ipopt (default needed)")
    group.add_argument("--aggregate", choices=["none", "full"], default="none", help="full: one row for all pairs (default none)")


def _add_uncertainty(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("stochastic programs")
    group.add_argument(
        "--scenarios", type=_count, metavar="N", help="solve for N scenarios drawn from the laws (--seed K draws others)"
    )
    group.add_argument("--evaluate", type=_count, metavar="N", help="try the answer out on N fresh scenarios")


def _add_surrogates(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("nn-embed: a network in place of the follower (docs/surrogates.md)")
    group.add_argument("--surrogate", metavar="FILE", help="an ONNX file to use instead of sampling and training")
    group.add_argument("--samples", type=_count, metavar="N", help="decisions of the leader at which the follower is solved")
    group.add_argument("--layers", metavar="50x50", help="widths of the hidden layers")
    group.add_argument(
        "--network",
        choices=["auto", "relu", "icnn", "cuts", "encoder", "encoder-relu"],
        default="auto",
        help="what is fitted (default auto)",
    )
    group.add_argument(
        "--target", choices=["auto", "value", "leader", "response"], default="auto", help="what it stands for (default auto)"
    )
    group.add_argument(
        "--refine", type=_seed, default=0, metavar="K", help="rounds of sampling around the best point (default 0)"
    )
    group.add_argument("--embedding", default="split", metavar="FORM", help="how ReLUs are written (default split)")
    group.add_argument("--workers", type=_count, default=1, metavar="N", help="processes of this machine that sample (default 1)")
    group.add_argument("--cluster", metavar="ADDRESS", help="a Dask cluster to sample on, such as tcp://host:8786")
    group.add_argument("--save-surrogate", metavar="FILE", help="keep the network as ONNX")
    group.add_argument("--folder", metavar="FOLDER", help="keep samples and training here, and go on from what is there")
    group.add_argument("--search", type=_seed, default=0, metavar="N", help="try N networks of other widths and regularisation")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how long and how exactly")
    group.add_argument("--time-limit", type=_positive, metavar="S", help="seconds")
    group.add_argument("--gap", type=_not_negative, metavar="G", help="relative gap at which to stop")
    group.add_argument("--threads", type=_count, metavar="N")
    group.add_argument("--seed", type=_seed, default=0, metavar="K")
    group.add_argument(
        "--tolerance", type=_positive, default=1e-5, metavar="T", help="of the verification (relative, default 1e-5)"
    )


def _add_modes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("modes and output")
    group.add_argument("--check", action="store_true", help="stop after names: print the EMP Summary and who owns what")
    group.add_argument("--explain", action="store_true", help="say why this method, encoding and solver, and why not others")
    group.add_argument("--format", action="store_true", help="pretty-print annotation files to stdout")
    group.add_argument("--in-place", action="store_true", help="with --format: write the files instead")
    group.add_argument(
        "--write", metavar="FILE", help="save and stop: an .mps with its .aux file, or the rewritten model (.lp, .mps, .nl, .gms)"
    )
    group.add_argument("--aux-format", choices=["named", "index"], help="of the .aux file that --write makes (default named)")
    group.add_argument("--json", metavar="FILE", help="the answer as one JSON object; - for stdout")
    group.add_argument("--strict", action="store_true", help="warnings about model and annotation are errors")
    group.add_argument("--quiet", action="store_true", help="print no report")
    group.add_argument("-v", "--verbose", action="store_true", help="the solver's log on stderr, all variables in the report")
    group.add_argument("--doctor", action="store_true", help="what is installed here, and does it work")
    group.add_argument("--version", action="version", version=f"bilevel-lang {__version__}")


def asked_options(arguments: argparse.Namespace) -> Options:
    """What the arguments ask of the engine. Raises UsageError for numbers out of range."""
    from bilevel_lang.reformulation.options import Options

    names = (
        "method",
        "encoding",
        "solver",
        "position",
        "time_limit",
        "gap",
        "threads",
        "seed",
        "starts",
        "implicit",
        "tolerance",
        "verbose",
        "scenarios",
        "evaluate",
    )
    big_m = dict(arguments.big_m) if arguments.big_m else None
    plain = big_m["*"] if big_m is not None and list(big_m) == ["*"] else big_m
    return Options(
        nlp=_nlp_options(arguments), nn=_nn_options(arguments), big_m=plain, **{name: getattr(arguments, name) for name in names}
    )


def _nlp_options(arguments: argparse.Namespace) -> NlpOptions:
    from bilevel_lang.reformulation.nlp_options import NlpOptions, parse_mu

    mu = None if arguments.mu is None else parse_mu(arguments.mu)
    return NlpOptions(mu, arguments.form, arguments.slacks, arguments.aggregate)


def _nn_options(arguments: argparse.Namespace) -> NnOptions:
    from bilevel_lang.reformulation.nn_options import NnOptions, parse_layers

    names = (
        "surrogate",
        "samples",
        "network",
        "target",
        "refine",
        "embedding",
        "cluster",
        "save_surrogate",
        "folder",
        "workers",
        "search",
    )
    layers = None if arguments.layers is None else parse_layers(arguments.layers)
    return NnOptions(layers=layers, **{name: getattr(arguments, name) for name in names})


def _given_bound(text: str) -> tuple[str, float]:
    """``M`` for every side, or ``ROW=M``; a name may hold ``=`` itself."""
    name, _, number = text.rpartition("=")
    return name or "*", _positive(number)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _not_negative(text: str) -> float:
    value = _number(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number >= 0")
    return value


def _seed(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= 0")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number >= 1")
    return int(text)
