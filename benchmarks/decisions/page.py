"""The study as a page: first what does not hold, then all tables with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.decisions import tables
from benchmarks.decisions.figures import ALL, SCORES
from benchmarks.decisions.policies import FORETOLD, MEASURED, RECOMMENDED
from benchmarks.decisions.ranking import ORDER, RACED
from benchmarks.decisions.tables import NAMES, both
from warmstart.base.files import write_text
from warmstart.select.judge import PROBE

AIMS = {"tau": 0.85, "within": 0.95, "ratio": 1.0, "outlay": 0.25}
HOW = """\
Training rows are nested: the first n of a seed teach, n / 4 choose, and up to 800 others prove:
accuracy is measured on these alone. Pictures have 96 pixels. Every strategy of every candidate was
trained to its end by the product's own loop (`python -m benchmarks decisions`), and every candidate
was ranked on the same training rows (`--rankings`). Intervals are 95 %, from a bootstrap over sets
(rankings) or over sets and seeds (decisions); with few of them they are too narrow.

**tau_w** is scipy's weighted Kendall tau: hyperbolic and additive, ranked by the truth, -1 to 1.
The truth is the accuracy on the proving rows after full tuning. A number in brackets says of how
many candidates a score knows anything; tau is then among these. **ImageNet accuracy** is the top-1
that TF-Slim publishes for four of the eight networks; the others were made for other pictures and
come after them, in the order of their parameters, as in the product. **Parameters**: the larger
first.

**Regret** is accuracy below the best, in points. *Naive*: the best is the highest on the same rows,
which is partly luck, so that the best choice has a regret too. *Fair*: the best is found on one
half of the proving rows and asked on the other, both ways, twenty times; it errs on the low side,
since half the rows do not always find it. *What other seeds had best* is no way to decide but a
scale: it knows how every strategy of the same model did on other draws of as many rows. *Race of
three*: the first three by the score are tuned in full, and the validation rows choose."""


def write(found: Mapping[str, Any], path: Path, asked: str) -> None:
    """The page, and its plots beside it."""
    drawn = tables.plots(found)
    for name, text in drawn.items():
        write_text(path.with_name(f"{path.stem}-{name}"), text)
    write_text(path, page(found, path.stem, list(drawn), asked))


def page(found: Mapping[str, Any], stem: str, drawn: list[str], asked: str) -> str:
    pools = found["rankings"]["pools"]
    bad = list(failures(found)) or ["Nothing that was aimed at was missed."]
    parts = [
        "# What should have been chosen",
        f"Made by `{asked}` from {found['cells']} cells and {pools} ranked pools; do not edit.",
        "## What does not hold",
        "\n".join(f"- {sentence}" for sentence in bad),
        "## How it was measured",
        HOW,
        *(f"![{name.removesuffix('.svg')}]({stem}-{name})" for name in drawn),
        *tables.ranking_parts(found),
        *tables.decision_parts(found),
        *tables.outlay_parts(found),
        "### Accuracy by set and rows, %",
        tables.means(found),
        *tables.seconds_parts(found),
    ]
    return "\n\n".join(parts) + "\n"


def failures(found: Mapping[str, Any]) -> Iterator[str]:
    """Sentences, the gravest first: where we miss an aim, or where something simpler does better."""
    if found["quick"]:
        yield "These figures come from few random draws (`--quick`): a look, nothing to rely on."
    yield from of_rankings(found["rankings"])
    yield from of_decisions(found["decisions"])
    for name, seen in found["outlay"].items():
        if seen["whole"]["value"] > AIMS["outlay"]:
            yield f"Deciding takes {both(seen['whole'], 100, 0)} % of the tuning that it decides on ({name})."
    yield from of_seconds(found)
    for name, models in found["pools"]["lacking"].items():
        yield f"{name} is not judged: {', '.join(models)} not tuned yet."


def of_rankings(ranked: Mapping[str, Any]) -> Iterator[str]:
    if not ranked["pools"]:
        yield "No pool was ranked."
        return
    seen = ranked["groups"][ALL]
    default = seen[PROBE]
    if default is None:
        yield "The default score knew of no pool."
        return
    if default["tau"]["value"] < AIMS["tau"]:
        yield (
            f"The default score agrees with the final accuracy less than aimed at: tau_w "
            f"{both(default['tau'])} over {ranked['pools']} pools, aim {AIMS['tau']}. For scale, what is "
            f"known of the truth reaches, as a score: {tables.ceilings(ranked['ceilings'])}"
        )
    yield from beside(seen)
    yield from within(ranked)
    worst = {n: s["tau"][PROBE] for n, s in ranked["sets"].items() if PROBE in s["tau"]}
    if worst:
        low = min(worst, key=lambda n: worst[n])
        yield f"The default score is worst on {low}: tau_w {worst[low]:.2f}."
    if ranked["unscored"]:
        yield f"Tuned but not ranked yet: {', '.join(ranked['unscored'])}."


def within(ranked: Mapping[str, Any]) -> Iterator[str]:
    """How often the choice is near the best, beside how often the truth itself would be."""
    seen, near = ranked["groups"][ALL], ranked["near"]
    raced = seen[RACED]
    if raced is None or raced["within"]["value"] >= AIMS["within"]:
        return
    known = ", ".join(f"{name} {both(value, 100, 0)} %" for name, value in near.items())
    yield (
        f"After the product's race of three the chosen candidate is within half a point of the best in "
        f"{both(raced['within'], 100, 0)} % of the pools, aim {100 * AIMS['within']:.0f}; the first by the "
        f"score alone in {both(seen[PROBE]['within'], 100, 0)} %, the first of the printed order in "
        f"{both(seen[ORDER]['within'], 100, 0)} %, of three that were all tuned in full the best by "
        f"validation rows in {both(seen[PROBE]['race_within'], 100, 0)} %. For scale, what the truth "
        f"itself has first, seen elsewhere: {known}."
    )


def beside(seen: Mapping[str, Any]) -> Iterator[str]:
    """Which scores are ahead of the default one, and which are not shown to be behind it."""
    behind = {n: seen[n]["default_ahead"] for n in SCORES if n != PROBE and seen[n]}
    better = [n for n, by in behind.items() if by["value"] < 0]
    level = [n for n, by in behind.items() if n not in better and (by["low"] is None or by["low"] <= 0)]
    said = {n: f"{NAMES[n]} ({both(by)})" for n, by in behind.items()}
    if better:
        yield (
            "These order candidates better than the default score does (its tau_w minus theirs, on the "
            f"candidates that they know): {', '.join(said[n] for n in better)}."
        )
    if level:
        yield f"The default score is not shown to be better than {', '.join(said[n] for n in level)}."


def of_decisions(decided: Mapping[str, Any]) -> Iterator[str]:
    """Simpler policies that do better than ours, in all cells and by kind and rows."""
    for group, policies in decided.items():
        for ours in (RECOMMENDED, MEASURED):
            mine = policies.get(ours)
            if mine is None:
                continue
            better = [
                f"{name} ({both(line['fair'], 100, 1)})"
                for name, line in policies.items()
                if name not in (MEASURED, RECOMMENDED, FORETOLD)
                and line["cells"] == mine["cells"]
                and line["fair"]["value"] < mine["fair"]["value"]
            ]
            if better:
                cost = both(mine["fair"], 100, 1)
                said = f"{group}, {mine['cells']} cells: {ours} has a fair regret of {cost} points"
                yield f"{said}, more than {', '.join(better)}."


def of_seconds(found: Mapping[str, Any]) -> Iterator[str]:
    for measured in found["seconds"]:
        for e in measured["epochs"]:
            ratio = measured["ranking"]["cpu"] / e["cpu"]
            if ratio >= AIMS["ratio"]:
                yield (
                    f"Ranking {measured['candidates']} candidates on {measured['rows']:,} rows of "
                    f"{measured['set']} takes {ratio:.1f} times the processor time of an epoch of "
                    f"{e['model']}."
                )
