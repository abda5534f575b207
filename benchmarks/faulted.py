"""From the lines of a study of planted faults to its figures, tables and plot."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.covered import WIDTH, alone, markdown
from warmstart.evaluate.intervals import wilson
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT

Line = Mapping[str, Any]
Share = dict[str, float]

RECALL, FALSE = 0.95, 0.01  # of near-duplicates found; of other rows, like none of their class
TIMES = 3.0  # what chance finds: so much better must the first of the list be
TOLD = 0.9  # of the draws with a leaked group or a shifted test
RATES = {  # of clean draws in which a check may warn, and what promises it
    "shift": 0.005,  # half of those outside a 99 % interval
    "label_noise": 0.001,  # its p-value
    "hidden_groups": 0.001,  # three standard errors
}
LABELS = ("precision_ours", "recall_ours", "first", "first_by_margin", "chance")
CLEANLAB = ("precision_cleanlab", "recall_cleanlab", "same_as_cleanlab")


def share(right: float, number: float) -> Share:
    """A share with its 95 % interval."""
    low, high = wilson(right, number)
    return {"share": right / number, "low": low, "high": high, "n": number}


def figures(lines: Sequence[Line]) -> dict[str, Any]:
    """All numbers of the study, by fault and set."""
    by: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        if not line.get("refused"):
            by[line["fault"]][line["set"]].append(line)
    return {
        "draws": len(lines),
        "labels": {name: labels(of) for name, of in by["labels"].items()},
        "near": {name: near(of) for name, of in by["near"].items()},
        "group": {name: told(of, ("told", "false", "named")) for name, of in by["group"].items()},
        "shift": {name: told(of, ("told", "warning")) for name, of in by["shift"].items()},
        "clean": clean([line for of in by["clean"].values() for line in of]),
    }


def labels(of: Sequence[Line]) -> dict[str, float]:
    """Means over the draws; cleanlab's where it was there."""
    names = [*LABELS, *(name for name in CLEANLAB if all(name in line for line in of))]
    found = {name: float(np.mean([line[name] for line in of])) for name in names}
    found |= {name: float(np.mean([line[name] for line in of])) for name in ("listed", "right", "planted")}
    return {**found, "warned": float(np.mean([line["warning"] for line in of])), "draws": len(of)}


def near(of: Sequence[Line]) -> dict[str, Any]:
    ways: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in of:
        for how, (found, number) in [*line["ways"].items(), ("short", line.get("short", (0, 0)))]:
            ways[how][0] += found
            ways[how][1] += number
    planted = [numbers for how, numbers in ways.items() if how != "short"]
    return {
        "recall": share(sum(found for found, _ in planted), sum(number for _, number in planted)),
        "ways": {how: share(*numbers) for how, numbers in ways.items() if numbers[1]},
        "others": float(np.mean([line["others"] for line in of])),
        "others_of_another_class": float(np.mean([line["others_of_another_class"] for line in of])),
    }


def told(of: Sequence[Line], names: Sequence[str]) -> dict[str, Share]:
    return {name: share(sum(bool(line[name]) for line in of), len(of)) for name in names}


def clean(of: Sequence[Line]) -> dict[str, Any]:
    """How often each check warns, and how often it speaks at all, of draws with nothing planted."""
    if not of:
        return {}
    spoken = Counter(name for line in of for name in line["speaking"])
    names = sorted({name.split(":")[0] for name in spoken} | {*RATES})
    return {
        name: {
            "warning": share(spoken[f"{name}: warning"], len(of)),
            "note": share(spoken[f"{name}: note"], len(of)),
        }
        for name in names
    }


def misses(found: Mapping[str, Any]) -> Iterator[str]:
    """Which bars the study does not reach."""
    yield from missed_copies(found["near"])
    for fault, key in (("group", "told"), ("group", "named"), ("shift", "told")):
        for name, of in found[fault].items():
            if of[key]["share"] < TOLD:
                yield f"{fault}, {name}: told in {100 * of[key]['share']:.0f} % of the draws"
    for name, of in found["labels"].items():
        if of["first"] <= TIMES * of["chance"]:
            yield f"labels, {name}: {100 * of['first']:.0f} % of the first are wrong"
    for name, rate in RATES.items():
        seen = found["clean"].get(name, {}).get("warning")
        if seen and seen["low"] > rate:
            yield f"clean draws: {name} warns in {100 * seen['share']:.0f} %"


def missed_copies(near: Mapping[str, Any]) -> Iterator[str]:
    for name, of in near.items():
        if of["recall"]["share"] < RECALL:
            yield f"near, {name}: {100 * of['recall']['share']:.1f} % of the copies are found"
        if of["others_of_another_class"] > FALSE:
            yield f"near, {name}: {100 * of['others_of_another_class']:.2f} % of other rows are dropped"


def tables(found: Mapping[str, Any]) -> str:
    """Markdown."""
    parts = [f"## Planted faults, {found['draws']} draws"]
    if found["labels"]:
        parts += ["### Wrong labels", label_table(found["labels"])]
    if found["near"]:
        parts += ["### Near-duplicates among the test rows", near_table(found["near"])]
    for fault, title in (("group", "### Leaked groups"), ("shift", "### Shifted tests")):
        if found[fault]:
            names = list(next(iter(found[fault].values())))
            rows = [[name, *(cell(of[key]) for key in names)] for name, of in found[fault].items()]
            parts += [title, markdown(["set", *names], rows)]
    if found["clean"]:
        rows = [
            [name, cell(of["warning"]), cell(of["note"]), f"{100 * RATES[name]:g}" if name in RATES else "-"]
            for name, of in found["clean"].items()
        ]
        title = f"### Clean draws, {found['clean']['shift']['warning']['n']:.0f}"
        parts += [title, markdown(["check", "warns, %", "notes, %", "promised, %"], rows)]
    return "\n\n".join(parts)


def label_table(of: Mapping[str, Mapping[str, float]]) -> str:
    names = [*LABELS, *(n for n in CLEANLAB if all(n in one for one in of.values())), "warned"]
    head = ["set", "probe right", "listed", *names]
    rows = [
        [name, percent(one["right"]), f"{one['listed']:.0f}", *(percent(one[n]) for n in names)]
        for name, one in of.items()
    ]
    return markdown(head, rows)


def near_table(of: Mapping[str, Mapping[str, Any]]) -> str:
    ways = list(dict.fromkeys(how for one in of.values() for how in one["ways"]))
    rows = [
        [
            name,
            cell(one["recall"]),
            *(cell(one["ways"][how]) if how in one["ways"] else "-" for how in ways),
            f"{100 * one['others']:.2f}",
            f"{100 * one['others_of_another_class']:.2f}",
        ]
        for name, one in of.items()
    ]
    return markdown(["set", "found", *ways, "other rows dropped", "of another class"], rows)


def percent(value: float) -> str:
    return f"{100 * value:.0f}"


def cell(of: Share) -> str:
    return f"{100 * of['share']:.0f} [{100 * of['low']:.0f}, {100 * of['high']:.0f}]"


def plot(found: Mapping[str, Any]) -> str:
    """How many planted near-duplicates are found in each set, and how often groups and shifts are told."""
    dots = [dot(f"near, {name}", of["recall"]) for name, of in found["near"].items()]
    dots += [dot(f"group, {name}", of["told"]) for name, of in found["group"].items()]
    dots += [dot(f"shift, {name}", of["told"]) for name, of in found["shift"].items()]
    if not dots:
        return ""
    drawn = str(interval_plot("Planted faults that are found", "share, %", dots, PERCENT))
    return alone(drawn.replace('width="100%"', f'width="{WIDTH}"', 1))


def dot(name: str, of: Share) -> Dot:
    return Dot(name, of["share"], of["low"], of["high"], of["share"] >= RECALL)
