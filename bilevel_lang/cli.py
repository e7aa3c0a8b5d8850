"""``bilevel-solve``: from the command line to exit codes; no logic. Results go to stdout, everything else to stderr.

Nothing heavy is imported before the arguments are read, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilevel_lang.arguments import asked_options, option_parser
from bilevel_lang.errors import BilevelError, UsageError
from bilevel_lang.problem_files import further_inputs, problem_of, timing_file, two_files
from bilevel_lang.saving import files_of, save

if TYPE_CHECKING:
    from bilevel_lang.problem import BilevelProblem
    from bilevel_lang.reformulation.options import Options

BUG = "This is a bug of bilevel-lang, not of your model"
REPORT = "please report it with the model and the annotation"


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``bilevel-solve`` with ``argv`` (sys.argv without the program by default); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    json_target = _json_target(arguments)
    try:
        return _dispatch(option_parser().parse_args(arguments))
    except BilevelError as error:
        _print_error(error, json_target)
        return error.exit_code
    except KeyboardInterrupt:
        from bilevel_lang.json_report import interrupted_object

        print("interrupted", file=sys.stderr)
        _emit_last_json(interrupted_object(), json_target)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from bilevel_lang.json_report import error_object

        traceback.print_exc()
        print(f"\n{BUG}: {REPORT}.", file=sys.stderr)
        _emit_last_json(error_object(BilevelError(f"{BUG}: {type(error).__name__}: {error}", REPORT)), json_target)
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
    inputs = (*map(Path, others), *further_inputs(others))
    return None if any(_same_file(Path(target), other) for other in inputs) else target


def _print_error(error: BilevelError, json_target: str | None) -> None:
    from bilevel_lang.json_report import error_object

    print(error, file=sys.stderr)
    _emit_last_json(error_object(error), json_target, str(error))


def _emit_last_json(value: dict[str, Any], target: str | None, told: str = "") -> None:
    """After something else went wrong, whose exit code stays: a file that cannot be written is one more message, unless that is
    what was ``told`` already."""
    try:
        _emit_json(value, target)
    except BilevelError as error:
        if target is None or f"cannot write {Path(target).resolve()}" not in told:
            print(error, file=sys.stderr)


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
    model, annotation = two_files(options.paths)
    brought = (Path(options.surrogate),) if options.surrogate else ()
    _check_targets(options, (*map(Path, options.paths), *further_inputs(options.paths), *brought))
    return _solve(options, model, annotation)


def _check_targets(options: argparse.Namespace, inputs: tuple[Path, ...]) -> None:
    """No input is overwritten, and no answer is lost after a long solve because its file cannot be written."""
    written = files_of(Path(options.write)) if options.write else ()
    told = (Path(options.json),) if options.json and options.json != "-" else ()
    kept = (Path(options.save_surrogate),) if options.save_surrogate else ()
    targets = [
        *(("--write", path) for path in written),
        *(("--json", path) for path in told),
        *(("--save-surrogate", path) for path in kept),
    ]
    for _, target in targets:
        from bilevel_lang.files import require_writable

        if any(_same_file(target, path) for path in inputs):
            raise UsageError(f"{target} is an input and will not be overwritten", "give another file name")
        require_writable(target)
    for (one, path), (other, again) in itertools.combinations(targets, 2):
        if one != other and _same_file(path, again):
            raise UsageError(f"{one} and {other} name the same file", "give two file names")


def _same_file(one: Path, other: Path) -> bool:
    """Whether both are one file, by whatever name or link."""
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _solve(options: argparse.Namespace, model_path: Path, annotation: Path) -> int:
    from bilevel_lang import api
    from bilevel_lang.clock import Clock

    clock = Clock()
    problem = problem_of(model_path, annotation, clock, strict=options.strict, timing=timing_file(options.paths))
    if options.check:
        return _check(options, problem)
    asked = asked_options(options)
    if options.write:
        return _write(options, problem, asked)
    with _progress(options):
        solution = api.solve_problem(problem, asked, clock)
    _report(options, solution)
    return solution.exit_code


def _check(options: argparse.Namespace, problem: BilevelProblem) -> int:
    from bilevel_lang.display import check_text
    from bilevel_lang.json_report import check_object

    if options.json != "-" and not options.quiet:
        print(check_text(problem))
    if options.explain:
        from bilevel_lang.reformulation.registry import choose

        _explain(options, choose(problem, asked_options(options))[1])
    _emit_json(check_object(problem), options.json)
    return 0


def _write(options: argparse.Namespace, problem: BilevelProblem, asked: Options) -> int:
    from bilevel_lang.json_report import written_object

    saved = save(problem, Path(options.write), asked, options.aux_format)
    if options.explain and saved.path:
        _explain(options, saved.path)
    if not options.quiet:
        print(saved.said, file=sys.stderr)
    _emit_json(written_object(problem, saved.said), options.json)
    return 0


def _explain(options: argparse.Namespace, path: Sequence[str]) -> None:
    from bilevel_lang.display import explain_text

    print(explain_text(path), file=sys.stderr if options.json == "-" else sys.stdout)


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
    from bilevel_lang.display import solution_text
    from bilevel_lang.json_report import solution_object

    if options.explain:
        _explain(options, solution.why)
    if options.json != "-" and not options.quiet:
        print(solution_text(solution, options.verbose))
    _emit_json(solution_object(solution), options.json)


def _format(options: argparse.Namespace) -> int:
    from bilevel_lang.files import read_text, write_text
    from bilevel_lang.grammar.printer import format_text

    if not options.paths:
        raise UsageError("--format needs an annotation file", "bilevel-solve --format model.emp")
    for path in map(Path, options.paths):
        text = read_text(path)
        formatted = format_text(text, str(path))
        if not options.in_place:
            sys.stdout.write(formatted)
        elif formatted != text:
            write_text(path, formatted)
    return 0


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
