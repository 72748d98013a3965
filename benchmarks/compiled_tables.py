"""What was measured as text, as Markdown and as a picture."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Target
from compiled_growth import SAID, Compilation
from compiled_peers import CONTENDERS, Casadi, CasadiGcc, Jax, Numba, NumPy, NumPyInPlace, OursNative, OursNumPy, Torch, TorchCompile
from compiled_turns import Result

from autograd.support import files

OURS = (OursNative.name, OursNumPy.name)
AGAINST_TORCH = ("2-16-16-1, hinge, 100 rows", "64-32-10, cross entropy, 32 rows")


@dataclass(frozen=True)
class Results:
    """Everything measured in one run."""

    environment: dict[str, Any]
    results: list[Result]
    compilations: list[Compilation]

    @property
    def contenders(self) -> list[str]:
        """Those that took part in anything, in the order of the tables."""
        return [name for name in CONTENDERS if any(result.of(name) for result in self.results)]


def targets(results: Results) -> list[Target]:
    """What this library sets out to reach."""
    found = [
        Target(f"{OursNumPy.name}: speed against torch, {result.case}", 2.0, result.ratio(Torch.name, OursNumPy.name), "x")
        for result in results.results
        if result.case in AGAINST_TORCH
    ]
    found += [
        Target(f"{OursNumPy.name}: speed against {NumPy.name}, {result.case}", 0.9, result.ratio(NumPy.name, OursNumPy.name), "x")
        for result in results.results
    ]
    for compilation in results.compilations:
        if compilation.nodes > 300_000:
            found.append(Target(f"recording {compilation.graph}, {compilation.nodes} nodes", SAID, compilation.record, " s", at_most=True))
            total = compilation.compile + compilation.first
            found.append(Target("compiling it, the gradient included", SAID, total, " s", at_most=True))
    return found


def markdown(results: Results) -> str:
    """The whole run."""
    sections = (*_times(results), *_speeds(results), *_compiling(results), *_targets(results))
    return "\n".join(["# Compiled code side by side", "", heading(results), "", *sections])


def heading(results: Results) -> str:
    """Where, with what, how."""
    env = results.environment
    versions = ", ".join(f"{name} {version}" for name, version in env["libraries"].items())
    load = "unknown" if env["load_average"] is None else ", ".join(f"{x:.2f}" for x in env["load_average"])
    return (
        f"{env['python']}; {versions}. {env['cpu']}, one core, float64; load average at the start {load}. "
        f"Medians of {env['turns']} turns of {env['budget'] * 1e3:.0f} ms. Written by `python benchmarks/compiled.py --write`."
    )


def _times(results: Results) -> Iterable[str]:
    names = results.contenders
    rows = []
    for result in results.results:
        best = min(timing.seconds for timing in result.timings)
        cells = [result.of(name) for name in names]
        rows.append([result.case, *("" if x is None else _bold(duration(x.seconds), x.seconds == best) for x in cells)])
    return _section("Time of the mean and its whole gradient", ["", *names], rows)


def _speeds(results: Results) -> Iterable[str]:
    for ours in OURS:
        peers = [name for name in results.contenders if name not in OURS]
        rows = []
        for result in results.results:
            ratios = [result.ratio(name, ours) for name in peers]
            rows.append([result.case, *("" if ratio is None else f"{ratio:.3g}" for ratio in ratios)])
        if ours in results.contenders:
            yield from _section(f"How many times as fast {ours} is", ["as", *peers], rows)


def _compiling(results: Results) -> Iterable[str]:
    header = ["network or graph", "operations", "nodes", "instructions", "recording", "compiling", "first gradient"]
    rows = [
        [c.graph, str(c.operations), str(c.nodes), str(c.instructions), *map(duration, (c.record, c.compile, c.first))]
        for c in results.compilations
    ]
    return _section("Time to compile one row, nodes counted with parameters and inputs", header, rows)


def _targets(results: Results) -> Iterable[str]:
    return _section("Targets", ["what", "target", "reached", "verdict"], [target.cells() for target in targets(results)])


def _section(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * (width - (n > 0)) + ":" * (n > 0) for n, width in enumerate(widths)])
    padded = [[f"{cell:{'>' if n else '<'}{widths[n]}}" for n, cell in enumerate(line)] for line in lines]
    return [f"## {title}", "", *(f"| {' | '.join(line)} |" for line in padded), ""]


def _bold(text: str, is_best: bool) -> str:
    return f"**{text}**" if is_best else text


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_three(seconds / size)} {unit}"
    return f"{_three(seconds / 1e-6)} µs"


def _three(x: float) -> str:
    return f"{x:.0f}" if x >= 99.95 else f"{x:.3g}"


# Colours of Okabe and Ito, which all eyes tell apart, and a shape for each contender.
_MARKS = {
    OursNative.name: ("#D55E00", "D", 90),
    OursNumPy.name: ("#D55E00", "o", 90),
    NumPyInPlace.name: ("#000000", "|", 110),
    Jax.name: ("#009E73", "^", 50),
    Torch.name: ("#0072B2", "s", 40),
    TorchCompile.name: ("#56B4E9", "s", 40),
    Numba.name: ("#CC79A7", "v", 50),
    Casadi.name: ("#E69F00", "x", 45),
    CasadiGcc.name: ("#E69F00", "P", 50),
}
_TICKS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16)


def plot(results: Results, path: Path) -> None:
    """Speed against hand-written NumPy, a line for each case."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 0.42 * len(results.results) + 1.6), layout="constrained")
    seen: list[float] = [1.0]
    for name, (colour, marker, size) in _MARKS.items():
        points = [(result.ratio(NumPy.name, name), n) for n, result in enumerate(results.results)]
        there = [(x, n) for x, n in points if x is not None]
        if there:
            seen += [x for x, _ in there]
            front = name in OURS
            edge: dict[str, Any] = {} if marker in "x|" else {"edgecolors": "black" if front else "white", "linewidths": 0.8}
            xs, ys = zip(*there, strict=True)
            axes.scatter(xs, ys, s=size, c=colour, marker=marker, label=name, zorder=4 - front, **edge)
    axes.axvline(1.0, color="black", linewidth=1, zorder=1)
    axes.set_xscale("log", base=2)
    ticks = [x for x in _TICKS if min(seen) / 1.5 <= x <= max(seen) * 1.5]
    axes.set_xticks(ticks, [f"{x:g}×" if x >= 1 else f"1/{1 / x:g}×" for x in ticks])
    axes.set_xlim(min(seen) / 1.25, max(seen) * 1.25)
    axes.set_yticks(range(len(results.results)), [result.case for result in results.results])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(color="#dddddd", zorder=0)
    axes.minorticks_off()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel("times as fast as NumPy by hand (log scale)")
    figure.legend(loc="outside upper left", ncols=5, frameon=False, fontsize="small")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    files.write(path, picture.getvalue())
    plt.close(figure)


