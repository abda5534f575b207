"""Do learning curves foresee? Fitted to the small cells of the decision study, judged by its larger ones.

    python -m benchmarks curves                              # the cells in runs/decisions
    python -m benchmarks curves --cells runs/decisions runs/curves --digits 3
    python -m benchmarks curves --quick                      # some of them: a look, nothing to rely on

For each set, model, strategy and seed a curve is fitted to the cells of up to n rows, of which there must be
three sizes, and says what a training on the cells of up to 4 n rows reaches on the same proving rows, with an
interval of 90 %. The bar: at about 2 n and 4 n it holds the measured accuracy in 85 % of the cases.
Refusals are counted by their reason. Sizes of 50, 100, 200 and 400 rows say nothing of 4 n; --digits carries
out, into --out, cells of 25 to 800 rows of handwritten digits for the models that come with the package, with
so many seeds. Writes <out>/curves.svg. Exit code 1: the bar was missed in at least 100 predictions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.covered import WIDTH, alone, cell, markdown
from benchmarks.decisions.arms import STRATEGIES
from benchmarks.decisions.worlds import DIGITS, grid
from warmstart.base.files import write_text
from warmstart.decide.curves.fit import DRAWS, fit
from warmstart.decide.curves.points import ENOUGH, Point
from warmstart.decide.curves.refusal import HORIZON, Refusal
from warmstart.evaluate.intervals import Z, wilson
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT

PROVING = "prove-"
BAR = 0.85
ENOUGH_CASES = 100  # predictions from which a missed bar is an error
FAR = 2.9  # times n: below is called 2x, from here to 4 times 4x
SIZES = (25, 50, 100, 200, 400, 800)  # of the cells of digits
QUICK, QUICK_DRAWS = 40, 200


@dataclass(frozen=True)
class Measured:
    """A cell as one strategy left it: how many rows it learned from, and which proving rows it got right."""

    rows: int
    right: Mapping[str, bool]
    truth: Mapping[str, int]


@dataclass(frozen=True)
class Chain:
    """One strategy of one model on nested rows of one set: cells by their size in the grid."""

    world: str
    model: str
    strategy: str
    seed: int
    classes: int
    cells: dict[int, Measured] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Chains of one unit share their rows, and are no independent cases."""
        return f"{self.world} {self.model} {self.seed}"


def chains(places: Iterable[Path], strategies: Sequence[str]) -> list[Chain]:
    """All that lies in the folders of the study, in a fixed order."""
    found: dict[tuple[str, str, str, int], Chain] = {}
    for path in sorted(p for place in places for p in (place / "cells").glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        if not table.get("arms"):
            continue
        known = table["cell"]
        with np.load(path.with_suffix(".npz")) as arrays:
            for name in (s for s in strategies if s in table["arms"]):
                key = (known["world"], known["model"], name, known["seed"])
                chain = found.setdefault(key, Chain(*key, classes=len(table["classes"])))
                chain.cells[known["rows"]] = proved(table["rows"]["train"], arrays, name)
    return [found[key] for key in sorted(found)]


def proved(rows: int, arrays: Mapping[str, Any], name: str) -> Measured:
    """The rows of the published test split that every size of a seed was asked about."""
    places, right, truth = (arrays[f"{name}.test.{key}"] for key in ("places", "right", "truth"))
    mine = [i for i, place in enumerate(places) if str(place).startswith(PROVING)]
    return Measured(
        rows,
        {str(places[i]): bool(right[i]) for i in mine},
        {str(places[i]): int(truth[i]) for i in mine},
    )


def judged(chain: Chain, draws: int = DRAWS) -> Iterator[dict[str, Any]]:
    """A line for each prediction that the sizes of a chain allow, or for each refusal to predict."""
    there = sorted(chain.cells)
    shared = sorted(set.intersection(*(set(chain.cells[n].right) for n in there)))
    points = {n: point(chain.cells[n], shared, chain.seed) for n in there}
    truth = [chain.cells[there[0]].truth[place] for place in shared]
    guessing = max(Counter(truth).values()) / len(truth) if truth else 0.0
    about = {name: getattr(chain, name) for name in ("world", "model", "strategy", "seed", "unit")}
    for number in range(ENOUGH - 1, len(there)):
        n = there[number]
        later = [m for m in there[number + 1 :] if m <= HORIZON * n]
        if not later:
            continue
        curve = fit(
            [points[k] for k in there[: number + 1]], classes=chain.classes, floor=guessing, draws=draws
        )
        if isinstance(curve, Refusal):
            yield {**about, "n": n, "refused": curve.code}
            continue
        for m in later:
            rows = min(points[m].n, curve.horizon)  # a few doubles are left out of every cell
            said = curve.at(rows, trainings=1, same_rows=True)
            assert not isinstance(said, Refusal), "within the horizon"
            yield {
                **about,
                "n": n,
                "m": m,
                "times": "2x" if m / n < FAR else "4x",
                "value": said.likely.value,
                "low": said.likely.low,
                "high": said.likely.high,
                "measured": points[m].score,
                "before": points[n].score,
            }


def point(measured: Measured, places: Sequence[str], seed: int) -> Point:
    return Point(measured.rows, sum(measured.right[place] for place in places), len(places), seed)


def figures(lines: Sequence[Mapping[str, Any]], every: Sequence[Chain]) -> dict[str, Any]:
    """How often the interval holds, how wide it is, how far the middle is off, and what was refused."""
    said = [line for line in lines if "refused" not in line]
    by: dict[str, dict[str, Any]] = {}
    for times in ("2x", "4x"):
        here = [line for line in said if line["times"] == times]
        groups = {"all": here}
        for key in ("strategy", "world"):
            names = sorted({line[key] for line in here})
            groups |= {name: [line for line in here if line[key] == name] for name in names}
        by[times] = {name: told(group) for name, group in groups.items() if group}
    return {
        "chains": len(every),
        "too_few_sizes": sum(len(chain.cells) <= ENOUGH for chain in every),
        "predictions": len(said),
        "refusals": dict(Counter(line["refused"] for line in lines if "refused" in line)),
        "by": by,
    }


def told(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of some predictions; the interval of the share takes chains that share their rows as one case."""
    units: dict[str, list[bool]] = defaultdict(list)
    for line in lines:
        units[line["unit"]].append(line["low"] <= line["measured"] <= line["high"])
    shares = [float(np.mean(inside)) for inside in units.values()]
    hits = [inside for unit in units.values() for inside in unit]
    share, n = float(np.mean(hits)), len(units)
    low, high = wilson(share * n, n)
    if 0 < share < 1 and n > 1:
        error = Z * float(np.std(shares, ddof=1)) / sqrt(n)
        low, high = max(0.0, share - error), min(1.0, share + error)
    off = np.array([line["measured"] - line["value"] for line in lines])
    still = np.array([line["measured"] - line["before"] for line in lines])
    return {
        "share": share,
        "low": min(low, share),
        "high": max(high, share),
        "predictions": len(lines),
        "units": n,
        "width": float(np.median([line["high"] - line["low"] for line in lines])),
        "bias": float(off.mean()),
        "error": float(np.abs(off).mean()),
        "error_of_no_growth": float(np.abs(still).mean()),
    }


def misses(found: Mapping[str, Any]) -> Iterator[str]:
    """Where the bar is not reached."""
    for times, groups in found["by"].items():
        if "all" in groups and groups["all"]["share"] < BAR:
            share, cases = groups["all"]["share"], groups["all"]["predictions"]
            yield f"at {times} the 90 % interval holds {100 * share:.1f} % of {cases} measured accuracies"


def tables(found: Mapping[str, Any]) -> str:
    """Markdown."""
    head = ["", "within its 90 % interval, % [95 % interval]", "predictions", "median width, points"]
    head += ["mean error, points", "bias, points", "mean error of no growth at all"]
    parts = [
        f"## Foreseen from n rows: {found['predictions']} predictions, {found['chains']} chains "
        f"({found['too_few_sizes']} with too few sizes)"
    ]
    for times, groups in found["by"].items():
        rows = [[name, cell(group, True), *numbers(group)] for name, group in groups.items()]
        parts += [f"### At about {times} the rows", markdown(head, rows) if rows else "None."]
    refused = [[code, str(count)] for code, count in sorted(found["refusals"].items())]
    parts += ["### Refused", markdown(["why", "fits"], refused) if refused else "None."]
    return "\n\n".join(parts)


def numbers(group: Mapping[str, float]) -> list[str]:
    signed = {"bias": "+"}
    names = ("width", "error", "bias", "error_of_no_growth")
    return [str(group["predictions"]), *(f"{100 * group[name]:{signed.get(name, '')}.1f}" for name in names)]


def plot(found: Mapping[str, Any]) -> str:
    """The share of measured accuracies within their interval, as an SVG file."""
    dots = [
        Dot(f"{times}, {name}", group["share"], group["low"], group["high"], name == "all")
        for times, groups in found["by"].items()
        for name, group in groups.items()
    ]
    if not dots:
        return ""
    drawn = str(interval_plot("How often 90 % intervals hold what was measured", "share, %", dots, PERCENT))
    return alone(drawn.replace('width="100%"', f'width="{WIDTH}"', 1))


def carry_out(out: Path, seeds: int, sizes: Sequence[int]) -> None:
    """The cells of handwritten digits that are not there yet."""
    from benchmarks.decisions.cell import record
    from benchmarks.decisions.study import PIXELS, explored
    from benchmarks.decisions.study import carry_out as learn
    from warmstart import process

    for asked in grid([DIGITS], [], sizes, range(seeds), PIXELS):
        if not record(asked, out).is_file():
            with process.one_thread():
                learn(asked, out, explored)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks curves",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--cells", type=Path, nargs="+", default=[Path("runs/decisions")], help="of the study"
    )
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES), choices=STRATEGIES)
    parser.add_argument("--digits", type=int, default=0, metavar="SEEDS", help="carry out cells of digits")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="of the cells of digits")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of tables")
    parser.add_argument("--out", type=Path, default=Path("runs/curves"))
    given = parser.parse_args(words)
    carry_out(given.out.resolve(), given.digits, given.sizes)
    every = chains(dict.fromkeys((*given.cells, given.out)), given.strategies)
    some = [c for c in every if len(c.cells) > ENOUGH][: QUICK if given.quick else None]
    lines = [line for c in some for line in judged(c, QUICK_DRAWS if given.quick else DRAWS)]
    found = figures(lines, every)
    write_text(given.out / "curves.svg", plot(found) + "\n")
    write_text(given.out / "curves.json", json.dumps(lines) + "\n")
    print(json.dumps({"id": "curves", "figures": found}) if given.json else tables(found))
    missed = list(misses(found))
    for sentence in missed:
        print(sentence, file=sys.stderr)
    if missed and found["predictions"] >= ENOUGH_CASES:
        raise SystemExit(1)
