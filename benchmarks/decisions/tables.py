"""The figures of a study as Markdown tables and as plots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.covered import WIDTH as PIXELS
from benchmarks.covered import alone, markdown
from benchmarks.decisions import ranking
from benchmarks.decisions.arms import PLAIN, STRATEGIES
from benchmarks.decisions.figures import ALL, CEILINGS, SCORES
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT
from warmstart.select.judge import PROBE

NAMES = {
    PROBE: "probe (default)",
    "logme": "LogME",
    ranking.PUBLISHED: "LogME as published",
    "h_score": "H-score",
    "knn": "kNN",
    "transrate": "TransRate",
    "sfda": "SFDA",
    "nleep": "NLEEP",
    "leep": "LEEP",
    "ncti": "NCTI",
    ranking.IMAGENET: "ImageNet accuracy",
    ranking.PARAMETERS: "parameters",
    ranking.ACCURACY: "probe's accuracy",
    ranking.LAYERS: "probe, upper layers",
    ranking.ORDER: "order as printed",
    ranking.RACED: "after the race of three",
}
WIDTH = 'width="100%"'


def tables(found: Mapping[str, Any]) -> str:
    """Everything, for the screen."""
    return "\n\n".join(
        [
            *ranking_parts(found),
            *decision_parts(found),
            *outlay_parts(found),
            *seconds_parts(found),
            every(found),
        ]
    )


def ranking_parts(found: Mapping[str, Any]) -> Iterator[str]:
    ranked = found["rankings"]
    if not ranked["pools"]:
        yield "No pool of candidates is both tuned and ranked yet."
        return
    yield f"## Rankings: weighted Kendall tau with final accuracy, {ranked['pools']} pools"
    yield by_set(ranked)
    yield "For scale, what is known of the truth reaches, as a score: " + ceilings(ranked["ceilings"])
    yield "### By score"
    yield by_score(ranked["groups"][ALL])
    for group, scores in ranked["groups"].items():
        if group != ALL:
            yield f"### {group}"
            yield by_score(scores)


def by_set(ranked: Mapping[str, Any]) -> str:
    """A column for each score, a row for each set, then the mean with its interval."""
    rows = []
    for name, seen in ranked["sets"].items():
        itself = " / ".join(f"{seen['ceilings'][name]:.2f}" for name in CEILINGS)
        rows.append([name, str(seen["pools"]), str(seen["candidates"]), itself, *taus(seen)])
    whole = ranked["groups"][ALL]
    rows.append(
        [
            "**mean over pools**",
            str(ranked["pools"]),
            "",
            itself_of(ranked),
            *(value(whole[s], "tau") for s in SCORES),
        ]
    )
    rows.append(["95 %, by set", "", "", "", *(ends(whole[s], "tau") for s in SCORES)])
    rows.append(["truth: best tuned strategy", "", "", "", *(value(whole[s], "tau_best") for s in SCORES)])
    rows.append(["scipy's default weights", "", "", "", *(value(whole[s], "tau_scipy") for s in SCORES)])
    return markdown(["set", "pools", "candidates", "truth with itself", *(NAMES[s] for s in SCORES)], rows)


def itself_of(ranked: Mapping[str, Any]) -> str:
    return " / ".join(f"{ranked['ceilings'][name]['value']:.2f}" for name in CEILINGS)


def taus(seen: Mapping[str, Any]) -> Iterator[str]:
    """The mean of each score; in brackets of how many candidates, where it does not know them all."""
    for s in SCORES:
        if s not in seen["tau"]:
            yield "-"
            continue
        few = seen["judged"][s] < seen["candidates"]
        yield f"{seen['tau'][s]:.2f}" + (f" ({seen['judged'][s]})" if few else "")


def by_score(scores: Mapping[str, Any]) -> str:
    """A row for each score: agreement, and what its first choice costs, in points."""
    head = [
        "score", "pools", "tau_w [95 %]", "default ahead by", "regret of the first, points", "fair",
        "within 0.5 points", "race of three: regret", "fair", "within 0.5 points",
    ]  # fmt: skip
    rows = [
        [
            NAMES[s],
            str(seen["tau"]["n"]),
            both(seen["tau"]),
            both(seen["default_ahead"]),
            both(seen["regret"], 100, 1),
            both(seen["regret_fair"], 100, 1),
            both(seen["within"], 100, 0),
            both(seen["race"], 100, 1),
            both(seen["race_fair"], 100, 1),
            both(seen["race_within"], 100, 0),
        ]
        for s in SCORES
        if (seen := scores[s]) is not None
    ]
    return markdown(head, rows)


def ceilings(seen: Mapping[str, Any]) -> str:
    said = {
        "halves": "one half of the proving rows against the other",
        "drawn anew": "the measured order against the same on proving rows drawn anew",
        "other seeds": "the accuracies that other seeds gave",
        "frozen": "the accuracy of each frozen network on the proving rows themselves",
        "partial": "that of each network tuned in part",
        "plain": "that of each tuned without its head first",
    }
    return "; ".join(f"{text} {both(seen[name])}" for name, text in said.items() if seen.get(name)) + "."


def decision_parts(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"## Decisions: what each way to decide costs, {found['cells']} cells"
    for group, policies in found["decisions"].items():
        yield f"### {group}" if group != ALL else "### All cells"
        yield by_policy(policies)


def outlay_parts(found: Mapping[str, Any]) -> Iterator[str]:
    """What deciding takes of the tuning that it decides on."""
    if not found["outlay"]:
        return
    head = ["cells", "number", "trials, %", "timed steps, %", "together, %", "within 25 %, % of cells"]
    rows = [
        [
            name,
            str(seen["cells"]),
            f"{100 * seen['trials']:.1f}",
            f"{100 * seen['timing']:.1f}",
            both(seen["whole"], 100, 1),
            f"{100 * seen['within']:.0f}",
        ]
        for name, seen in found["outlay"].items()
    ]
    yield "## What deciding takes of the tuning that it decides on (the plan and its rivals)"
    yield markdown(head, rows)


def by_policy(policies: Mapping[str, Any]) -> str:
    head = [
        "way to decide", "cells", "accuracy, %", "against always full", "regret, fair", "by set alone",
        "regret, naive", "regret, best by other seeds", "within 0.5 / 1 point, %", "chose",
    ]  # fmt: skip
    rows = []
    for name, line in policies.items():
        near = " / ".join(f"{100 * share:.0f}" for share in line["within"].values())
        chose = ", ".join(f"{s} {n}" for s, n in line["strategies"].items())
        measured = [
            both(line[k], 100, 1) for k in ("accuracy", "gain", "fair", "fair_by_set", "naive", "seeds")
        ]
        rows.append([name, str(line["cells"]), *measured, near, chose])
    return markdown(head, rows)


def every(found: Mapping[str, Any]) -> str:
    """The accuracy of every strategy in every cell."""
    names = [*STRATEGIES, PLAIN]
    rows = [
        [
            c["world"],
            c["model"],
            str(c["rows"]),
            str(c["seed"]),
            *percents(c["accuracy"], names),
            c["planned"],
        ]
        for c in found["accuracies"]
    ]
    head = ["set", "model", "rows", "seed", *names, "planned when it was run"]
    return "## Accuracy on the proving rows of every cell, %\n\n" + markdown(head, rows)


def means(found: Mapping[str, Any]) -> str:
    """The same by set and rows, the mean over models and seeds; LoRA only where all of them can carry it."""
    names = [*STRATEGIES, PLAIN]
    groups: dict[tuple[str, int], list[Mapping[str, float]]] = {}
    for c in found["accuracies"]:
        groups.setdefault((c["world"], c["rows"]), []).append(c["accuracy"])
    rows = [
        [name, str(size), str(len(cells)), *percents(mean_of_all(cells), names)]
        for (name, size), cells in sorted(groups.items())
    ]
    return markdown(["set", "rows", "cells", *names], rows)


def mean_of_all(cells: Sequence[Mapping[str, float]]) -> dict[str, float]:
    shared = [name for name in cells[0] if all(name in cell for cell in cells)]
    return {name: sum(cell[name] for cell in cells) / len(cells) for name in shared}


def percents(accuracy: Mapping[str, float], names: Iterable[str]) -> list[str]:
    return [f"{100 * accuracy[name]:.1f}" if name in accuracy else "-" for name in names]


def seconds_parts(found: Mapping[str, Any]) -> Iterator[str]:
    if not found["seconds"]:
        return
    yield "## Ranking beside one epoch of tuning"
    for measured in found["seconds"]:
        yield f"{measured['set']}, {measured['rows']:,} rows, {measured['machine']}:"
        ranking_cpu, ranking_wall = measured["ranking"]["cpu"], measured["ranking"]["wall"]
        rows = [
            [f"ranking of {measured['candidates']}", f"{ranking_cpu:.1f}", f"{ranking_wall:.1f}", "", ""],
            *(
                [
                    f"one epoch of {e['model']}",
                    f"{e['cpu']:.1f}",
                    f"{e['wall']:.1f}",
                    f"{ranking_cpu / e['cpu']:.2f}",
                    f"{ranking_wall / e['wall']:.2f}",
                ]
                for e in measured["epochs"]
            ),
        ]
        yield markdown(["", "CPU s", "wall s", "ranking / epoch, CPU", "wall"], rows)
        parts = ", ".join(f"{name} {value:.1f}" for name, value in measured["parts"].items())
        yield f"Of the ranking, CPU seconds: {parts}."


def both(mean: Mapping[str, Any] | None, factor: float = 1, digits: int = 2) -> str:
    """A mean and its interval."""
    if mean is None:
        return "-"
    text = f"{factor * mean['value']:.{digits}f}"
    return text if mean["low"] is None else f"{text} {span(mean, factor, digits)}"


def span(mean: Mapping[str, Any], factor: float = 1, digits: int = 2) -> str:
    return f"[{factor * mean['low']:.{digits}f}, {factor * mean['high']:.{digits}f}]"


def value(seen: Mapping[str, Any] | None, key: str) -> str:
    return "-" if seen is None else f"{seen[key]['value']:.2f}"


def ends(seen: Mapping[str, Any] | None, key: str) -> str:
    return "-" if seen is None or seen[key]["low"] is None else span(seen[key])


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """SVG files by name: agreement of each score, regret of each way to decide."""
    drawn = {}
    scores = found["rankings"]["groups"][ALL] if found["rankings"]["pools"] else {}
    taus = [dot(NAMES[s], seen["tau"], s == PROBE) for s, seen in scores.items() if seen]
    if taus:
        title = f"Weighted Kendall tau with final accuracy, {found['rankings']['pools']} pools"
        drawn["rankings.svg"] = file(interval_plot(title, "tau_w", taus, zero=True))
    lines = found["decisions"].get(ALL, {})
    if lines:
        dots = [dot(name, line["fair"], number == 0) for number, (name, line) in enumerate(lines.items())]
        title = f"Accuracy below the best strategy, {found['cells']} cells, fairly measured"
        drawn["regrets.svg"] = file(interval_plot(title, "points of accuracy", dots, PERCENT, zero=True))
    return drawn


def dot(name: str, mean: Mapping[str, Any], chosen: bool) -> Dot:
    if mean["low"] is None:
        return Dot(name, mean["value"], chosen=chosen)
    return Dot(name, mean["value"], mean["low"], mean["high"], chosen)


def file(drawn: object) -> str:
    """A figure as a file of its own."""
    return alone(str(drawn).replace(WIDTH, f'width="{PIXELS}"', 1)) + "\n"
