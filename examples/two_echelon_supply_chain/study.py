"""What the README shows: both methods on the example, networks of growing size, and the pictures.

    python study.py                  all of it, about ten minutes of one core: writes study.json, network.onnx and pictures/
    python study.py growing ...      these parts of it alone: learned, refined, exact, growing
    python study.py --draw           the pictures again from study.json, without solving

Matplotlib comes with `pip install 'bilevel-lang[plots]'`. Seconds are those of the processor: a busy machine gives the same.
"""

import argparse
import json
import runpy
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang import resolve, solve
from bilevel_lang.reformulation.nn_embed.design import latin_hypercube
from bilevel_lang.reformulation.nn_embed.domain import derived_domain
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.lessons import lessons
from bilevel_lang.reformulation.nn_embed.program import embedded_program
from bilevel_lang.reformulation.nn_embed.reading import read_sampled
from bilevel_lang.reformulation.nn_embed.supplier import STEPS
from bilevel_lang.reformulation.nn_embed.surrogate_files import write_surrogate
from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.training.fitting import Trained, fit
from bilevel_lang.surrogate.training.settings import Settings

HERE = Path(__file__).parent
ANNOTATION = HERE / "model.emp"
DEFAULT, KEPT = (32, 32), (32,)
"""The engine's widths, and those of the network that lies beside this file: small, so that it is solved in a second."""
SIZES = ((2,), (4,), (8,), (16,), (32,), (16, 16), (32, 32), (64, 64))
TRAINING, TESTS, GRID = 400, 200, 21
LIMIT = 40.0
"""Seconds of wall clock for the program with one network."""
EXACT_LIMIT = 600.0
"""Seconds of wall clock for value-function."""


def made() -> Any:
    return runpy.run_path(str(HERE / "model.py"))["model"]


class Truth:
    """The manufacturer's profit at given prices and offers: the distributors' problem is solved there, by HiGHS."""

    def __init__(self) -> None:
        self.sampled = read_sampled(resolve(made(), ANNOTATION))
        self.source, self.inputs = self.sampled.read.arrays, self.sampled.inputs
        names = tuple(self.sampled.read.variables[j].name for j in self.inputs)
        self.domain = derived_domain(self.source, self.inputs, names)
        self.prices = [names.index(name) for name in ("price[0]", "price[1]")]
        self.judge = Judge(self.source, self.inputs, SolverOptions(), None, self.sampled.evaluated)

    def verdicts(self, points: np.ndarray) -> list[Any]:
        """Of ``points`` (k, 5); prices that fall with the product are exchanged, so that the manufacturer's row holds."""
        ordered = points.copy()
        ordered[:, self.prices] = np.sort(points[:, self.prices], axis=1)
        found = [self.judge.ask(x) for x in ordered]
        return [v for v in found if v.point is not None]

    def drawn(self, count: int, seed: int) -> list[Any]:
        return self.verdicts(latin_hypercube(self.domain, count, np.random.Generator(np.random.Philox(seed))))


@dataclass(frozen=True)
class Study:
    """How large everything is; ``nn`` and ``refine`` are for the solves by nn-embed, ``folder`` gets the network that is kept."""

    sizes: Sequence[tuple[int, ...]]
    training: int
    tests: int
    grid: int
    exact_limit: float
    folder: Path
    nn: NnOptions
    refine: int


def learned(study: Study) -> dict[str, Any]:
    """nn-embed, and its network against the truth."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "network.onnx"
        found = answer("nn-embed", seed=1, nn=replace(study.nn, save_surrogate=file))
        network = read_onnx(file).network
    truth = Truth()
    held = truth.drawn(study.tests, 2)
    points, profits = np.array([v.x for v in held]), -np.array([v.objective for v in held])
    return {
        "methods": {"nn-embed": found},
        "parity": {"true": profits.tolist(), "network": network(points)[:, 0].tolist()},
        "surface": surface(truth, network, study.grid, found["variables"]),
    }


def refined(study: Study) -> dict[str, Any]:
    name = f"nn-embed --refine {study.refine}"
    return {"methods": {name: answer("nn-embed", seed=1, nn=replace(study.nn, refine=study.refine))}}


def exact(study: Study) -> dict[str, Any]:
    return {"methods": {"value-function": answer("value-function", time_limit=study.exact_limit)}}


def growing(study: Study) -> dict[str, Any]:
    """Networks of growing size on the same samples; one of them is kept."""
    truth, found = Truth(), {"growing": []}
    held, drawn = truth.drawn(study.tests, 2), truth.drawn(study.training, 3)
    labels = lessons(drawn, "leader", truth.source, truth.inputs, truth.domain)
    for size in study.sizes:
        settings = Settings(layers=size, steps=STEPS, linear_start=True)
        row, trained = grown(truth, fit_seconds(lambda settings=settings: fit(labels, settings)), held, drawn)
        found["growing"].append(row)
        if size == KEPT:
            keep(truth, trained, study.folder / "network.onnx")
        if size == DEFAULT or "curve" not in found:
            found["curve"] = {"layers": list(size), "history": [list(line) for line in trained.history]}
    return found


PARTS: dict[str, Callable[[Study], dict[str, Any]]] = {
    "learned": learned,
    "refined": refined,
    "exact": exact,
    "growing": growing,
}


def measure(study: Study, parts: Sequence[str] = tuple(PARTS), known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Everything that the pictures and the README show; ``parts`` anew, the rest as it is ``known``."""
    result = dict(known or {})
    for part in parts:
        found = PARTS[part](study)
        methods = {**result.get("methods", {}), **found.pop("methods", {})}
        result |= found | {"methods": methods}
    result["methods"] = {name: result["methods"][name] for name in sorted(result["methods"])}
    return result


def answer(method: str, **options: Any) -> dict[str, Any]:
    """One solve of the whole problem."""
    began, clock = time.process_time(), time.perf_counter()
    found = solve(made(), ANNOTATION, method=method, **options)
    return {
        "status": found.status.value,
        "objective": found.objective,
        "approximate": found.approximate_objective,
        "bound": found.bound,
        "seconds": time.process_time() - began,
        "wall": time.perf_counter() - clock,
        "surrogate": None if found.surrogate is None else {k: v for k, v in found.surrogate.items() if k != "why"},
        "variables": {k: v for k, v in found.variables.items() if k.startswith(("price", "offer"))},
    }


def surface(truth: Truth, learned: Any, grid: int, best: dict[str, float]) -> dict[str, Any]:
    """Truth and network over both prices, offers as in the answer; None where the second price is the lower one."""
    x = np.array([best[name] for name in truth.domain.names])
    ticks = np.linspace(24, 45, grid)
    real: list[list[float | None]] = [[None] * grid for _ in ticks]
    said: list[list[float | None]] = [[None] * grid for _ in ticks]
    for i, second in enumerate(ticks):
        for j, first in enumerate(ticks[: i + 1]):
            x[truth.prices] = first, second
            real[i][j] = -truth.judge.ask(x).objective
            said[i][j] = float(learned(x[None])[0, 0])
    return {"ticks": ticks.tolist(), "true": real, "network": said, "best": [best["price[0]"], best["price[1]"]]}


def fit_seconds(training: Callable[[], Trained]) -> tuple[Trained, float]:
    began = time.process_time()
    return training(), time.process_time() - began


def grown(truth: Truth, fitted: tuple[Trained, float], held: list[Any], drawn: list[Any]) -> tuple[dict[str, Any], Trained]:
    """One network: its error, the time that the program with it takes, and what its best decision is really worth."""
    trained, training_seconds = fitted
    points, profits = np.array([v.x for v in held]), -np.array([v.objective for v in held])
    # A network learns a minimisation's objective, the negative of the profit.
    off = abs(-trained.network(points)[:, 0] - profits)
    began = time.process_time()
    program = embedded_program(truth.source, truth.inputs, truth.domain, trained.network, "leader", "split", 1.0)
    known = min(drawn, key=lambda v: v.objective)
    options = SolverOptions(time_limit=LIMIT, gap=1e-4, extra={"start": program.start(known.point)})
    run = Highs().run_matrix(program.program, options)
    seconds = time.process_time() - began
    verdict = None if run.x is None else truth.judge.ask(run.x[truth.inputs])
    row = {
        "layers": list(trained.settings.layers),
        "mae": float(off.mean()),
        "training_seconds": training_seconds,
        "binaries": int(program.embedding.integer.sum()),
        "seconds": seconds,
        "status": run.termination.value,
        "claimed": None if run.x is None else -program.program.objective_at(run.x),
        "profit": None if verdict is None or verdict.point is None else -verdict.objective,
    }
    return row, trained


def keep(truth: Truth, trained: Trained, path: Path) -> None:
    """The network as a file for `--surrogate`, with its errors on the samples that training held out."""
    mae, worst = trained.validation_mae, trained.validation_max_error
    fitted = Fitted("relu", trained.settings.layers, trained.network, mae, worst, mae)
    write_surrogate(path, fitted, "leader", truth.sampled, truth.domain, data="")


# Tables and pictures


def tables(result: dict) -> list[str]:
    """The two tables of the README."""
    methods = ["| method | profit | what the network says | proven bound | seconds |", "|---|---:|---:|---:|---:|"]
    for name, row in result["methods"].items():
        said = "" if row["approximate"] is None else f"{row['approximate']:.0f}"
        bound = "none" if row["bound"] is None else f"{row['bound']:.0f}"
        methods.append(f"| `{name}` | {row['objective']:.0f} | {said} | {bound} | {row['seconds']:.0f} |")
    growing = [
        "| layers | error | binaries | training, s | solving, s | it claims | true profit there |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in result["growing"]:
        layers = "x".join(map(str, row["layers"]))
        times = f"{row['training_seconds']:.1f} | {row['seconds']:.2f}{'' if row['status'] == 'optimal' else ' (limit)'}"
        growing.append(
            f"| {layers} | {row['mae']:.0f} | {row['binaries']} | {times} | {row['claimed']:.0f} | {row['profit']:.0f} |"
        )
    return ["\n".join(methods), "\n".join(growing)]


def draw(result: dict, folder: Path) -> None:
    """Four files in ``folder``."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "savefig.dpi": 110})
    folder.mkdir(parents=True, exist_ok=True)
    for name, size, paint in (
        ("surface", (8.2, 3.4), _surface),
        ("parity", (4.0, 3.8), _parity),
        ("training", (4.6, 3.2), _training),
        ("tradeoff", (8.2, 3.4), _tradeoff),
    ):
        figure = plt.figure(figsize=size, layout="constrained")
        paint(figure, result)
        figure.savefig(folder / f"{name}.png", metadata={"Software": None})
        plt.close(figure)


def _surface(figure: Any, result: dict) -> None:
    data = result["surface"]
    grids = [np.array(data[name], dtype=float) for name in ("true", "network")]
    low, high = min(np.nanmin(g) for g in grids), max(np.nanmax(g) for g in grids)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, grid, title in zip(axes, grids, ("profit, distributors' problem solved", "profit, network"), strict=True):
        image = axis.pcolormesh(data["ticks"], data["ticks"], grid, vmin=low, vmax=high, cmap="viridis", shading="nearest")
        axis.plot(*data["best"], "r*", markersize=10)
        axis.set(title=title, xlabel="price of product 1")
    axes[0].set_ylabel("price of product 2")
    figure.colorbar(image, ax=axes)


def _parity(figure: Any, result: dict) -> None:
    true, said = (np.array(result["parity"][name]) for name in ("true", "network"))
    axis = figure.subplots()
    ends = [min(true.min(), said.min()), max(true.max(), said.max())]
    axis.plot(ends, ends, color="0.6", linewidth=1)
    axis.plot(true, said, ".", markersize=4)
    title = f"{len(true)} unseen decisions, mean error {abs(true - said).mean():.0f}"
    axis.set(xlabel="true profit", ylabel="profit by the network", title=title)


def _training(figure: Any, result: dict) -> None:
    steps, loss, held = np.array(result["curve"]["history"]).T
    axis = figure.subplots()
    axis.plot(steps, held)
    axis.set(xlabel="step of Adam", ylabel="mean error on held-out decisions", ylim=(0, None))
    other = axis.twinx()
    other.semilogy(steps, loss, color="tab:orange")
    other.set_ylabel("training loss (scaled)", color="tab:orange")
    axis.set_title("network " + "x".join(map(str, result["curve"]["layers"])))


def _tradeoff(figure: Any, result: dict) -> None:
    rows = [r for r in result["growing"] if r["profit"] is not None]
    exact = result["methods"]["value-function"]["objective"]
    left, right = figure.subplots(1, 2, sharex=True)
    for axis, key, label in (
        (left, "mae", "mean error on unseen decisions"),
        (right, "profit", "true profit at its best decision"),
    ):
        axis.plot([r["seconds"] for r in rows], [r[key] for r in rows], "o", markersize=5)
        for r in rows:
            axis.annotate("x".join(map(str, r["layers"])), (r["seconds"], r[key]), xytext=(4, 4), textcoords="offset points")
        axis.set(xscale="log", xlabel="seconds to solve the program with the network", ylabel=label)
    if exact is not None:
        right.axhline(exact, color="0.6", linewidth=1, linestyle="--", label="value-function at its limit")
        right.legend(frameon=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="measure these alone, and leave the rest of study.json")
    parser.add_argument("--draw", action="store_true", help="draw the pictures again from study.json")
    arguments = parser.parse_args()
    file = HERE / "study.json"
    for part in [] if arguments.draw else arguments.parts or PARTS:
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        study = Study(SIZES, TRAINING, TESTS, GRID, EXACT_LIMIT, HERE, NnOptions(), refine=3)
        file.write_text(json.dumps(rounded(measure(study, [part], known))) + "\n", encoding="utf-8")
    result = json.loads(file.read_text(encoding="utf-8"))
    draw(result, HERE / "pictures")
    print(*tables(result), sep="\n\n")


def rounded(value: Any) -> Any:
    """``value`` with seven digits of every number: more are noise, and the file is read by people."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
