"""``bilevel-solve``: arguments, printing, exit codes; no logic. Results go to stdout, everything else to stderr.

Nothing heavy is imported before the arguments are read, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bilevel_lang.errors import BilevelError, UsageError
from bilevel_lang.version import __version__

if TYPE_CHECKING:
    from bilevel_lang.assembly import Clock
    from bilevel_lang.problem import BilevelProblem
    from bilevel_lang.reformulation.nlp_options import NlpOptions
    from bilevel_lang.reformulation.rewrite import Options

PAIR = (".mps", ".aux")
"""The two files of a mixed-integer linear bilevel problem."""

EPILOG = """\
exit codes: 0 solved and verified (or a mode that does not solve did its work), 1 a bug of ours, 2 usage or syntax,
3 model and annotation do not fit or the method is refused, 4 infeasible or unbounded, 5 limit reached or solver failed,
6 solver or licence missing, 7 verification failed, 130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """Usage mistakes as our own error, so that ``--json`` reports them too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, "bilevel-solve --help lists the options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bilevel-solve",
        description="Solve a hierarchical Pyomo model with an EMP annotation, and check the answer.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="MODEL ANNOTATION", help="a Python file with a Pyomo model and a .emp file, or .mps and .aux"
    )
    _add_choices(parser)
    _add_limits(parser)
    _add_modes(parser)
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what to use (all chosen by the engine unless given)")
    group.add_argument("--method", default="auto", help="auto, kkt, value-function, nn-embed or extensive-form")
    group.add_argument("--encoding", help="sos1, big-m, scholtes, ... (docs/encodings.md), or ROW=sos1,*=big-m")
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
    group.add_argument("--strict", action="store_true", help="warnings are errors")
    group.add_argument("--quiet", action="store_true", help="print no report")
    group.add_argument("-v", "--verbose", action="store_true", help="the solver's log on stderr, all variables in the report")
    group.add_argument("--doctor", action="store_true", help="what is installed here, and does it work")
    group.add_argument("--version", action="version", version=f"bilevel-lang {__version__}")


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


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``bilevel-solve`` with ``argv`` (sys.argv without the program by default); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    json_target = _json_target(arguments)
    try:
        return _dispatch(_parser().parse_args(arguments))
    except BilevelError as error:
        _print_error(error, json_target)
        return error.exit_code
    except KeyboardInterrupt:
        from bilevel_lang.json_report import interrupted_object

        print("interrupted", file=sys.stderr)
        _emit_json(interrupted_object(), json_target)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        traceback.print_exc()
        print(
            "\nThis is a bug of bilevel-lang, not of your model: please report it with the model and the annotation.",
            file=sys.stderr,
        )
        return 1


def _json_target(arguments: list[str]) -> str | None:
    """Where JSON goes, even if the rest of the line cannot be parsed; None where that would be another word of the line.

    An error must not be written over the very input that it complains about.
    """
    target = None
    others = list(arguments)
    for place, word in enumerate(arguments):
        if word == "--json" and place + 1 < len(arguments):
            target = arguments[place + 1]
            others = arguments[:place] + arguments[place + 2 :]
        elif word.startswith("--json="):
            target = word.removeprefix("--json=")
            others = arguments[:place] + arguments[place + 1 :]
    if target is None or target == "-":
        return target
    return None if any(_same_file(Path(target), Path(other)) for other in others) else target


def _print_error(error: BilevelError, json_target: str | None) -> None:
    from bilevel_lang.json_report import error_object

    print(error, file=sys.stderr)
    _emit_json(error_object(error), json_target)


def _emit_json(value: dict[str, Any], target: str | None) -> None:
    if target is None:
        return
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
    else:
        from bilevel_lang.files import write_text

        write_text(Path(target), text)


def _dispatch(options: argparse.Namespace) -> int:
    if options.json and (options.doctor or options.format):
        raise UsageError("--json goes with solving, --check and --write", "leave it out")
    if options.doctor:
        return _doctor()
    if options.format:
        return _format(options)
    if options.in_place:
        raise UsageError("--in-place goes with --format")
    model, annotation = _two_paths(options.paths)
    _check_targets(options, (model, annotation))
    return _solve(options, model, annotation)


def _two_paths(paths: list[str]) -> tuple[Path, Path]:
    if len(paths) != 2:
        given = "nothing" if not paths else f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
        raise UsageError(f"a model and an annotation are needed, {given} given", "bilevel-solve model.py model.emp")
    model, annotation = Path(paths[0]), Path(paths[1])
    if model.suffix.lower() == ".emp" and annotation.suffix.lower() == ".py":
        raise UsageError("the model comes first, the annotation second", f"bilevel-solve {annotation} {model}")
    _check_kinds(model, annotation)
    return model, annotation


def _check_kinds(model: Path, annotation: Path) -> None:
    kinds = (model.suffix.lower(), annotation.suffix.lower())
    if kinds == (".aux", ".mps"):
        raise UsageError("the .mps file comes first, the .aux file second", f"bilevel-solve {annotation} {model}")
    if kinds[0] == ".mps" and kinds[1] != ".aux":
        raise UsageError(f"beside an .mps file goes an .aux file, not {annotation}", "docs/mps-files.md has what it says")
    if kinds[1] == ".aux" and kinds[0] != ".mps":
        raise UsageError(f"beside an .aux file goes an .mps file, not {model}", "docs/mps-files.md has what it says")
    if kinds[0] in (".cor", ".lp", ".nl"):
        raise UsageError(f"{model}: models are Python files, or .mps with .aux", "build the model in Pyomo")


def _check_targets(options: argparse.Namespace, inputs: tuple[Path, Path]) -> None:
    targets = [options.write, options.json]
    if options.write and Path(options.write).suffix.lower() in PAIR:
        targets += [str(path) for path in _pair_of(options.write)]
    for target in targets:
        if target and target != "-" and any(_same_file(Path(target), path) for path in inputs):
            raise UsageError(f"{target} is an input and will not be overwritten", "give another file name")


def _pair_of(target: str) -> tuple[Path, Path]:
    """The .mps and the .aux file that ``--write target`` makes."""
    path = Path(target)
    return (path, path.with_suffix(".aux")) if path.suffix.lower() == ".mps" else (path.with_suffix(".mps"), path)


def _same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, by whatever name or link."""
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _solve(options: argparse.Namespace, model_path: Path, annotation: Path) -> int:
    from bilevel_lang import api
    from bilevel_lang.assembly import Clock

    clock = Clock()
    load = _problem_of_files if model_path.suffix.lower() == ".mps" else _problem_of_model
    problem = load(options, model_path, annotation, clock)
    if options.check:
        return _check(options, problem)
    asked = _options(options)
    if options.write:
        return _write(options, problem, asked)
    with _progress(options):
        solution = api.solve_problem(problem, asked, clock)
    _report(options, solution)
    return solution.exit_code


def _problem_of_model(options: argparse.Namespace, model_path: Path, annotation: Path, clock: Clock) -> BilevelProblem:
    from bilevel_lang import api
    from bilevel_lang.model_file import load_model

    info = api.load(annotation)
    clock.tick("parse")
    with contextlib.redirect_stdout(sys.stderr):
        model = load_model(model_path)
    clock.skip()
    problem = api.resolve(model, info, strict=options.strict)
    clock.tick("resolve")
    return problem


def _problem_of_files(options: argparse.Namespace, mps: Path, aux: Path, clock: Clock) -> BilevelProblem:
    from dataclasses import replace

    from bilevel_lang import api
    from bilevel_lang.mps_files.exchange import read_pair

    found = read_pair(mps, aux, strict=options.strict)
    clock.tick("parse")
    problem = api.resolve(found.model, found.info, strict=options.strict)
    clock.tick("resolve")
    return replace(problem, notices=(*found.notices, *problem.notices))


def _options(options: argparse.Namespace) -> Options:
    from bilevel_lang.reformulation.rewrite import Options

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
    )
    big_m = dict(options.big_m) if options.big_m else None
    plain = big_m["*"] if big_m is not None and list(big_m) == ["*"] else big_m
    return Options(nlp=_nlp_options(options), big_m=plain, **{name: getattr(options, name) for name in names})


def _nlp_options(options: argparse.Namespace) -> NlpOptions:
    from bilevel_lang.reformulation.nlp_options import NlpOptions, parse_mu

    mu = None if options.mu is None else parse_mu(options.mu)
    return NlpOptions(mu, options.form, options.slacks, options.aggregate)


def _check(options: argparse.Namespace, problem: BilevelProblem) -> int:
    from bilevel_lang.display import check_text, explain_text
    from bilevel_lang.json_report import check_object

    if options.json != "-" and not options.quiet:
        print(check_text(problem))
    if options.explain:
        from bilevel_lang.reformulation.registry import choose

        print(explain_text(choose(problem, _options(options))[1]), file=sys.stderr if options.json == "-" else sys.stdout)
    _emit_json(check_object(problem), options.json)
    return 0


def _write(options: argparse.Namespace, problem: BilevelProblem, asked: Options) -> int:
    from dataclasses import replace

    from bilevel_lang.files import encoding_for, write_model
    from bilevel_lang.reformulation.registry import choose

    said = _write_pair(options, problem, asked)
    if said:
        return _say_written(options, problem, said)
    asked = replace(asked, encoding=asked.encoding or encoding_for(Path(options.write)))
    rewrite, path = choose(problem, asked)
    reformulation = rewrite.encode(rewrite.apply(problem, asked), asked)
    write_model(reformulation.model, Path(options.write))
    if options.explain:
        from bilevel_lang.display import explain_text

        print(explain_text([*path, *reformulation.why]), file=sys.stderr if options.json == "-" else sys.stdout)
    said = f"wrote {options.write} ({reformulation.method} + {reformulation.encoding or 'no encoding'})"
    return _say_written(options, problem, said)


def _say_written(options: argparse.Namespace, problem: BilevelProblem, said: str) -> int:
    from bilevel_lang.json_report import written_object

    if not options.quiet:
        print(said, file=sys.stderr)
    _emit_json(written_object(problem, said), options.json)
    return 0


def _write_pair(options: argparse.Namespace, problem: BilevelProblem, asked: Options) -> str:
    """Write an MPS file with its .aux file, if that is meant and can be; what was written, or nothing.

    `.mps` means the pair unless the rewritten model was asked for by its method or encoding, or the problem is none that a pair
    can state; `.aux`, or --aux-format, always means the pair.
    """
    from bilevel_lang.errors import RefusedError
    from bilevel_lang.mps_files.exchange import write_pair
    from bilevel_lang.mps_files.extraction import extract

    suffix = Path(options.write).suffix.lower()
    if suffix not in PAIR:
        if options.aux_format:
            raise UsageError(f"--aux-format goes with --write of an .mps or .aux file, not {options.write}")
        return ""
    must = suffix == ".aux" or options.aux_format is not None
    rewritten = asked.encoding is not None or asked.method != "auto"
    if must and rewritten:
        raise UsageError("an .aux file states the problem as it is, not the rewritten model", "leave --method and --encoding out")
    if rewritten:
        return ""
    try:
        instance = extract(problem)
    except RefusedError:
        if must:
            raise
        return ""
    mps, aux = _pair_of(options.write)
    write_pair(instance, mps, aux, options.aux_format or "named")
    doubt = "; it holds OBJSENSE MAX, which MibS does not read" if instance.mps.sense < 0 else ""
    return f"wrote {mps} and {aux} (the bilevel problem itself{doubt})"


@contextlib.contextmanager
def _progress(options: argparse.Namespace) -> Iterator[None]:
    """A sign of life on a terminal; nothing in a pipe."""
    if options.quiet or options.verbose or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("solving (Ctrl-C stops with the best point)"):
        yield


def _report(options: argparse.Namespace, solution: Any) -> None:
    from bilevel_lang.display import explain_text, solution_text
    from bilevel_lang.json_report import solution_object

    if options.explain:
        print(explain_text(solution.why), file=sys.stderr if options.json == "-" else sys.stdout)
    if options.json != "-" and not options.quiet:
        print(solution_text(solution, options.verbose))
    _emit_json(solution_object(solution), options.json)


def _format(options: argparse.Namespace) -> int:
    from bilevel_lang.files import write_text
    from bilevel_lang.grammar.printer import format_text

    if not options.paths:
        raise UsageError("--format needs an annotation file", "bilevel-solve --format model.emp")
    for path in map(Path, options.paths):
        text = _read(path)
        formatted = format_text(text, str(path))
        if not options.in_place:
            sys.stdout.write(formatted)
        elif formatted != text:
            write_text(path, formatted)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error


def _doctor() -> int:
    from bilevel_lang.solvers.doctor import diagnose

    findings = diagnose()
    width = max(len(f.subject) for f in findings)
    for finding in findings:
        remedy = f"   -> {finding.remedy}" if finding.remedy else ""
        print(f"{finding.verdict:<8} {finding.subject:<{width}}  {finding.detail}{remedy}")
    return 6 if any(f.verdict == "wrong" for f in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
