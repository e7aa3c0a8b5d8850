"""The rewrites, in the order in which the engine tries them, and how it chooses."""

from __future__ import annotations

import difflib

from bilevel_lang.errors import Diagnostic, RefusedError, UsageError
from bilevel_lang.oracle.traits import traits_of
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.complementarity.registry import encoding_by_name, refuse_idle_nlp_options
from bilevel_lang.reformulation.given_bounds import refuse_idle_bound
from bilevel_lang.reformulation.kkt import Kkt
from bilevel_lang.reformulation.linear.registry import linear_encoding
from bilevel_lang.reformulation.nn_embed.method import NnEmbed
from bilevel_lang.reformulation.nn_options import refuse_idle_nn_options
from bilevel_lang.reformulation.nn_recourse.box_search import BoxSearch
from bilevel_lang.reformulation.nn_recourse.method import NnRecourse
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Accepted, Refusal, Rewrite, Verdict
from bilevel_lang.reformulation.stochastic.l_shaped import LShaped
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm
from bilevel_lang.reformulation.value_function.method import ValueFunction
from bilevel_lang.reformulation.value_function.nonconvex.route import accepts_nonconvex, is_small
from bilevel_lang.solvers.registry import by_name

REWRITES: tuple[Rewrite, ...] = (Kkt(), ValueFunction(), NnEmbed(), LShaped(), BoxSearch(), ExtensiveForm())

STOCHASTIC = (ExtensiveForm, LShaped, BoxSearch, NnRecourse)
"""Those for problems with scenarios; the others know nothing of them."""

WITH_SCENARIOS: dict[str, Rewrite] = {"nn-embed": NnRecourse()}
"""What takes the place of the rewrite of that name where there are scenarios."""

ON_REQUEST = ("nn-embed",)
"""Methods that approximate: `auto` does not take them, and their refusal is no news where they were not asked for."""

METHODS = ("auto", *(r.name for r in REWRITES))


def choose(problem: BilevelProblem, options: Options) -> tuple[Rewrite, list[str]]:
    """The rewrite for ``problem`` and the path taken, refusals included.

    Raises UsageError for an unknown name of a method, encoding or solver; RefusedError with every refusal and its remedy.
    """
    wanted = _wanted(options)
    _check_names(options)
    has_scenarios = problem.stochastic is not None
    if not has_scenarios and (options.scenarios is not None or options.evaluate is not None):
        name = "scenarios" if options.scenarios is not None else "evaluate"
        raise UsageError(f"option `{name}` goes with stochastic programs: nothing is random here", "leave it out")
    path: list[str] = []
    refusals: list[tuple[str, Refusal]] = []
    for rewrite in (WITH_SCENARIOS.get(r.name, r) if has_scenarios else r for r in REWRITES):
        if wanted not in ("auto", rewrite.name) or (wanted == "auto" and _knows_scenarios(rewrite) != has_scenarios):
            continue
        verdict = _verdict(rewrite, problem, options)
        if isinstance(verdict, Accepted):
            path.append(f"chosen    {rewrite.name}: {verdict.reason}")
            if wanted == "auto" and not has_scenarios:
                path += [f"refused   {name}: it approximates, and is taken where it is asked for" for name in ON_REQUEST]
            if (other := in_hand(problem, options, rewrite)) is not None:
                path.append(f"in hand   {other.name}, if the answer of {rewrite.name} is not proven optimal")
            return rewrite, path
        path.append(f"refused   {rewrite.name}: {verdict.reason}; {verdict.remedy}")
        if wanted != "auto" or rewrite.name not in ON_REQUEST:
            refusals.append((rewrite.name, verdict))
    raise RefusedError(_diagnostics(refusals))


def _knows_scenarios(rewrite: Rewrite) -> bool:
    return isinstance(rewrite, STOCHASTIC)


def _verdict(rewrite: Rewrite, problem: BilevelProblem, options: Options) -> Verdict:
    if problem.stochastic is not None and not _knows_scenarios(rewrite):
        return Refusal("it knows no scenarios", f"use `--method {STOCHASTIC[0].name}`, or leave the choice to `auto`")
    return rewrite.accepts(problem, options)


def in_hand(problem: BilevelProblem, options: Options, chosen: Rewrite) -> Rewrite | None:
    """What the engine goes on with where the answer of ``chosen`` is not proven: for small problems that are not convex.

    KKT conditions go first: where their answer is verified and reaches their bound it is optimal, with multipliers.
    """
    if options.method.lower() != "auto" or chosen.name != "kkt" or options.encoding is not None or not is_small(problem):
        return None
    if isinstance(accepts_nonconvex(problem, options), Refusal):
        return None
    traits = [traits_of(agent) for agent in problem.agents]
    if all(t.convex and t.kkt_necessary for t in traits):
        return None
    return next(r for r in REWRITES if r.name == "value-function")


def _wanted(options: Options) -> str:
    name = options.method.lower()
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=1)
        raise UsageError(f"no method `{name}`", f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(METHODS))
    return name


def _check_names(options: Options) -> None:
    """Unknown names are mistakes even where the problem turns out to need neither an encoding nor that solver."""
    if options.encoding is not None and linear_encoding(options.encoding) is None:
        encoding_by_name(options.encoding)
    if options.solver is not None:
        by_name(options.solver)
    refuse_idle_nlp_options(options)
    refuse_idle_bound(options.big_m, options.encoding, options.solver)
    refuse_idle_nn_options(options.method, options.nn)


def _diagnostics(refusals: list[tuple[str, Refusal]]) -> list[Diagnostic]:
    """What several rewrites refuse for one reason is told once."""
    found: list[Diagnostic] = []
    for name, refusal in refusals:
        said = (refusal.reason, refusal.remedy)
        alike = [n for n, other in refusals if not other.diagnostics and (other.reason, other.remedy) == said]
        if refusal.diagnostics:
            found += refusal.diagnostics
        elif name == alike[0]:
            found.append(Diagnostic("R1", f"{', '.join(alike)}: {refusal.reason}", refusal.remedy))
    return found
