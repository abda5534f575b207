"""From the lines of a coverage study to its figures, tables and plot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from benchmarks.worlds import WORLDS
from warmstart.evaluate.intervals import Z, wilson
from warmstart.evaluate.verdict import NOT_WORTH, WORTH
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT

JUDGED = ("accuracy", "macro_f1", "log_loss", "gain", "gap")  # intervals that must hold
SHOWN = (*JUDGED, "brier", "ece")
BAR = (0.92, 0.98)  # of the runs, for an interval of 95 %
MOST_FALSE = 0.05  # of the runs in worlds where nothing differs
POWER = (0.75, 0.87)  # at the true difference that is printed as likely to show, 0.8
MARGIN = 0.01
FEWEST = 8  # test rows that one of two models is expected to answer right and the other wrong
Line = Mapping[str, Any]

WIDTH, AROUND = 760, 24  # pixels of the plot, and of the paper around it
STYLE = """text{font:14px sans-serif}svg{overflow:visible}
.span{stroke:#222;stroke-width:2}.mark{fill:#fff;stroke:#222;stroke-width:2}.chosen .mark{fill:#1f4f82}
.grid{stroke:#ddd}.reading,.tick,.axis{fill:#555}.reading{text-anchor:end}.zero{stroke:#222}"""


def intervals_of(line: Line) -> Iterator[tuple[str, str, Sequence[float]]]:
    """(kind, arm, [value, low, high, truth]) of all that a run printed.

    A gain between two models that hardly differ is no trial of its interval: where fewer than FEWEST test
    rows are to tell them apart (none, where tuning never improved on its frozen head), an interval that
    holds the truth often enough holds it always, for it must leave room for rows that were not drawn.
    """
    for arm, measures in line["arms"].items():
        for kind, numbers in measures.items():
            yield kind, arm, numbers
    for rival, numbers in line["gains"].items():
        if numbers[5] >= FEWEST:
            yield "gain", rival, numbers[:4]
    for arm, numbers in line["gaps"].items():
        yield "gap", arm, numbers


def holds(numbers: Sequence[float]) -> bool:
    _, low, high, truth = numbers
    return bool(low <= truth <= high)


def coverage(lines: Sequence[Line], kind: str, world: str = "", arm: str = "") -> dict[str, float] | None:
    """How often the intervals of this kind hold the truth; the runs are the sample, not their arms."""
    shares, below, times = [], 0, 0
    for line in lines:
        if world in ("", line["world"]):
            asked = [n for k, a, n in intervals_of(line) if k == kind and arm in ("", a)]
            below += sum(n[3] < n[1] for n in asked)
            times += len(asked)
            shares += [float(np.mean([holds(numbers) for numbers in asked]))] if asked else []
    if not shares:
        return None
    share, n = float(np.mean(shares)), len(shares)
    low, high = wilson(share * n, n)
    if 0 < share < 1 and n > 1:
        error = Z * float(np.std(shares, ddof=1)) / sqrt(n)
        low, high = max(0.0, share - error), min(1.0, share + error)
    return {
        "share": share,
        "low": low,
        "high": high,
        "runs": n,
        "intervals": times,
        "too_high": below / times,
    }


def verdicts(lines: Sequence[Line]) -> dict[str, Any]:
    """What was said in each world, and how often it was false of the models that were measured."""
    nothing = [line for line in lines if not world_of(line).differs]
    said = {w.name: dict(Counter(x["verdict"] for x in lines if x["world"] == w.name)) for w in WORLDS}
    return {
        "said": {world: counts for world, counts in said.items() if counts},
        "worth_it_where_nothing_differs": share(nothing, lambda line: line["verdict"] == WORTH),
        "worth_it_without_a_gain": share(
            lines, lambda line: line["verdict"] == WORTH and true_gain(line) <= 0
        ),
        "not_worth_it_with_a_gain": share(
            lines, lambda line: line["verdict"] == NOT_WORTH and true_gain(line) >= MARGIN
        ),
        "true_gain": {
            w.name: float(np.mean([true_gain(x) for x in lines if x["world"] == w.name]))
            for w in WORLDS
            if any(x["world"] == w.name for x in lines)
        },
    }


def share(lines: Sequence[Line], is_so: Any) -> dict[str, float] | None:
    if not lines:
        return None
    count = sum(map(is_so, lines))
    low, high = wilson(count, len(lines))
    return {"share": count / len(lines), "low": low, "high": high, "runs": len(lines)}


def world_of(line: Line) -> Any:
    return next(world for world in WORLDS if world.name == line["world"])


def true_gain(line: Line) -> float:
    """Of the fine-tuned run on trial, over scratch and over the most frequent class: the smaller one."""
    accuracy = {arm: measures["accuracy"][3] for arm, measures in line["arms"].items()}
    subject = line["planned"] if line["recommended"] == "scratch" else line["recommended"]
    return float(accuracy[subject] - max(accuracy["scratch"], max(world_of(line).shares)))


def figures(lines: Sequence[Line], powers: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """All numbers of the study."""
    worlds = [world.name for world in WORLDS]
    return {
        "runs": len(lines),
        "coverage": {kind: coverage(lines, kind) for kind in SHOWN},
        "by_world": {w: {kind: coverage(lines, kind, w) for kind in SHOWN} for w in worlds},
        "verdicts": verdicts(lines),
        "power": list(powers),
    }


def misses(found: Mapping[str, Any]) -> Iterator[str]:
    """Which bars the study does not reach."""
    for kind in JUDGED:
        seen = found["coverage"][kind]
        if seen and not BAR[0] <= seen["share"] <= BAR[1]:
            yield f"the intervals of {kind} hold the truth in {100 * seen['share']:.1f} % of the runs"
    false = found["verdicts"]["worth_it_where_nothing_differs"]
    if false and false["share"] > MOST_FALSE:
        yield f"worth it in {100 * false['share']:.1f} % of the runs where nothing differs"
    for power in found["power"]:
        if not POWER[0] <= power["power"] <= POWER[1]:
            yield f"{power['metric']}, {power['rows']} rows: power {power['power']:.2f} where 0.80 is printed"


def tables(found: Mapping[str, Any]) -> str:
    """Markdown."""
    worlds = [w for w, kinds in found["by_world"].items() if kinds["accuracy"]]
    rows = [
        [kind, cell(found["coverage"][kind], True), *(cell(found["by_world"][w][kind]) for w in worlds)]
        for kind in SHOWN
    ]
    said = found["verdicts"]["said"]
    names = sorted({name for counts in said.values() for name in counts})
    rates = [
        ("worth it where nothing differs", "worth_it_where_nothing_differs"),
        ("worth it, the measured models gain nothing", "worth_it_without_a_gain"),
        ("not worth it, they gain a point or more", "not_worth_it_with_a_gain"),
    ]
    power = [
        [str(p["metric"]), str(p["rows"]), f"{p['detectable']:.3f}", f"{p['power']:.3f}"]
        for p in found["power"]
    ]
    gains = found["verdicts"]["true_gain"]
    return "\n\n".join(
        (
            f"## How often the truth lies within, {found['runs']} runs",
            markdown(["95 % interval of", "all [95 % interval]", *worlds], rows),
            "## Verdicts",
            markdown(
                ["world", *names, "true gain, points"],
                [[w, *(str(c.get(n, 0)) for n in names), f"{100 * gains[w]:+.1f}"] for w, c in said.items()],
            ),
            markdown(["", "share"], [[told, cell(found["verdicts"][key], True)] for told, key in rates]),
            "## Power at the printed smallest detectable difference",
            markdown(["metric", "rows", "printed", "power"], power),
        )
    )


def cell(seen: Mapping[str, float] | None, whole: bool = False) -> str:
    if seen is None:
        return "-"
    text = f"{100 * seen['share']:.1f}"
    return f"{text} [{100 * seen['low']:.1f}, {100 * seen['high']:.1f}]" if whole else text


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def plot(found: Mapping[str, Any]) -> str:
    """The coverage of every kind of interval in every world, as an SVG file."""
    dots = [
        Dot(kind if world == "all" else f"{kind}, {world}", c["share"], c["low"], c["high"], world == "all")
        for kind in SHOWN
        for world, kinds in {"all": found["coverage"], **found["by_world"]}.items()
        if (c := kinds[kind])
    ]
    title = f"How often the 95 % intervals hold the truth, {found['runs']} runs"
    drawn = str(interval_plot(title, "share of the runs, %", dots, PERCENT))
    return alone(drawn.replace('width="100%"', f'width="{WIDTH}"', 1))


def alone(drawn: str) -> str:
    """A figure of a page as a file of its own, with room around it."""
    height = int(drawn.split('height="', 1)[1].split('"', 1)[0]) + 2 * AROUND
    place = f'width="{WIDTH + 2 * AROUND}" height="{height}"'
    box = f'viewBox="{-AROUND} {-AROUND} {WIDTH + 2 * AROUND} {height}"'
    paper = f'<rect x="{-AROUND}" y="{-AROUND}" {place} fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {place} {box}><style>{STYLE}</style>{paper}{drawn}</svg>'
