"""Is overfitting called so, and for the right reason? Trainings that overfit by design, and such as do not.

    python -m benchmarks overfits                # all, with three seeds
    python -m benchmarks overfits --quick        # each once: a look, nothing to rely on
    python -m benchmarks overfits --only "few trashnet" "long digits"

Twenty trainings on real rows (overfit_worlds.py), each beside its frozen rival, judged as the street does.
A training that overfits is right where it is said to overfit ("some" or "strong") and the first cause named
is the one that was planted; one that does not, where nothing is seen. Each adds a line to
<out>/overfits.jsonl, so that a study that was broken off goes on. Exit code 1: fewer than nine in ten are
right, of either kind.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.covered import WIDTH, alone, markdown
from benchmarks.decisions.worlds import world
from benchmarks.overfit_worlds import EVERY, Trained, write
from benchmarks.street import at_pixels
from warmstart import process
from warmstart.base.events import append, read_events
from warmstart.base.files import write_text
from warmstart.base.lines import to_line
from warmstart.base.probed import Probed
from warmstart.base.tables import to_table
from warmstart.base.types import Overfitting
from warmstart.decide.choose import plan_for
from warmstart.evaluate.calibrate import calibrated
from warmstart.evaluate.intervals import wilson
from warmstart.evaluate.weigh import weigh
from warmstart.models.card import ZOO
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import PERCENT
from warmstart.street import deciding, explaining, stops, training
from warmstart.street.folder import Options, begin

PIXELS = 96
SEEDS = 3
BAR = 0.9  # share of either kind that is right
FROZEN = "frozen"


def one(case: Trained, seed: int, out: Path) -> dict[str, Any]:
    """Train and explain it; what was said beside what is true."""
    place, started = out / "work" / f"{case.name}-{seed}".replace(" ", "-"), time.perf_counter()
    shutil.rmtree(place, ignore_errors=True)
    try:
        seen, changed = judged(case, seed, place, out)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    seconds = time.perf_counter() - started
    return {"case": case.name, "seed": seed, "cause": case.cause, "seconds": seconds, **told(seen), **changed}


def judged(case: Trained, seed: int, place: Path, out: Path) -> tuple[Overfitting, dict[str, Any]]:
    """As the street has it: read, rank, decide, train it and its frozen rival, weigh, explain."""
    kind = world(case.world).kind
    model = case.model if case.model.startswith(ZOO) else at_pixels(case.model, PIXELS, out)
    options = Options(
        str(write(case, seed, place)),
        models=(model,),
        label="label",
        group="none",
        strategy=case.strategy,
        settings=case.settings,
        seed=seed,
        race=0,
        pilots=False,
        **{kind: kind},
    )
    trip = begin(options, place / "runs")
    bundle = stops.read(trip)
    ranking, noticed = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    plan, _ = deciding.decide(trip, facts, ranking)
    ready = training.prepare(trip, bundle, training.load_for(trip, plan, facts.modality))
    rival = plan_for(FROZEN, facts, plan.model, seed=plan.seed)
    plans = {FROZEN: rival, plan.strategy: plan}  # a frozen plan stands alone
    arms = {n: (training.carry_out(trip, n, p, bundle, ready),) for n, p in plans.items()}
    evidence = weigh(plan.strategy, arms, bundle.labels, "accuracy", seed, len(bundle.train))
    findings = (*bundle.findings, *noticed)
    evidence = explaining.explain(evidence, arms, bundle, facts, findings, Probed())
    known = calibrated(arms[plan.strategy][0], seed)
    return evidence.overfitting[plan.strategy], {
        "temperature": known.temperature,
        "used": known.used,
        "changes": to_table(known.changes),
        "train": len(bundle.train),
        "test": len(bundle.test),
    }


def told(seen: Overfitting) -> dict[str, Any]:
    return {
        "verdict": seen.verdict,
        "gap": [seen.gap.value, seen.gap.low, seen.gap.high],
        "causes": [[cause.name, cause.strength] for cause in seen.causes],
        "sentence": seen.sentence,
        "membership": [m.value, m.low, m.high] if (m := seen.membership) else None,
    }


def is_right(line: Mapping[str, Any]) -> bool:
    """Called so, and for the planted reason; or not called so, where nothing was planted."""
    called = line["verdict"] != "none seen"
    if not line["cause"]:
        return not called
    return called and bool(line["causes"]) and line["causes"][0][0] == line["cause"]


def study(cases: Sequence[Trained], seeds: Sequence[int], out: Path) -> None:
    """Do the trainings that are not there yet."""
    log = out / "overfits.jsonl"
    done = {(line["case"], line["seed"]) for line in read_events(log)}
    for seed in seeds:
        for case in cases:
            if (case.name, seed) in done:
                continue
            with process.one_thread():
                line = one(case, seed, out)
            append(log, to_line(line))
            mark = "right" if is_right(line) else "WRONG"
            first = line["causes"][0][0] if line["causes"] else "-"
            tell(f"{case.name}, seed {seed}: {line['verdict']}, {first}: {mark}, {line['seconds']:.0f} s")


def figures(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many are right, by what was planted, and what was said instead."""
    groups: dict[str, list[Mapping[str, Any]]] = {"overfits": [], "does not": []}
    for line in lines:
        groups["overfits" if line["cause"] else "does not"].append(line)
        if line["cause"]:
            groups.setdefault(line["cause"], []).append(line)
    return {name: share(group) for name, group in groups.items() if group}


def share(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    right, n = sum(map(is_right, lines)), len(lines)
    low, high = wilson(right, n)
    called = sum(line["verdict"] != "none seen" for line in lines) / n
    return {"right": right / n, "low": low, "high": high, "trainings": n, "called": called}


def tables(found: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: the shares, then every training."""
    head = ["planted", "right, % [95 % interval]", "called overfitting, %", "trainings"]
    rows = [
        [
            name,
            f"{100 * s['right']:.0f} [{100 * s['low']:.0f}, {100 * s['high']:.0f}]",
            f"{100 * s['called']:.0f}",
            str(s["trainings"]),
        ]
        for name, s in found.items()
    ]
    each = [
        "training",
        "seed",
        "planted",
        "gap, points",
        "said",
        "causes",
        "by heart (AUC)",
        "temperature",
        "right",
    ]
    return "\n\n".join(
        ["## Is overfitting called so, and for the right reason?", markdown(head, rows)]
        + ["### Every training", markdown(each, [*map(cells, lines)])]
    )


def cells(line: Mapping[str, Any]) -> list[str]:
    causes = ", ".join(f"{name} {strength:.2f}" for name, strength in line["causes"])
    value, low, high = (100 * v for v in line["gap"])
    heart = line["membership"]
    return [
        line["case"],
        str(line["seed"]),
        line["cause"] or "nothing",
        f"{value:.1f} [{low:.1f}, {high:.1f}]",
        line["verdict"],
        causes or "-",
        f"{heart[0]:.2f}" if heart else "-",
        f"{line['temperature']:.2f}{' used' if line['used'] else ''}",
        "yes" if is_right(line) else "no",
    ]


def plot(found: Mapping[str, Any]) -> str:
    """The shares that are right, as an SVG file."""
    dots = [Dot(n, s["right"], s["low"], s["high"], n in ("overfits", "does not")) for n, s in found.items()]
    drawn = str(interval_plot("How often what is said of overfitting is right", "right, %", dots, PERCENT))
    return alone(drawn.replace('width="100%"', f'width="{WIDTH}"', 1)) if dots else ""


def misses(found: Mapping[str, Any]) -> Iterator[str]:
    for name in ("overfits", "does not"):
        if name in found and found[name]["right"] < BAR:
            yield f"{name}: {100 * found[name]['right']:.0f} % right, below {100 * BAR:.0f} %"


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main(words: Sequence[str] | None = None) -> None:
    names = [case.name for case in EVERY]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks overfits",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--seeds", type=int, default=0, help=f"0: {SEEDS}, or 1 with --quick")
    parser.add_argument("--only", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of tables")
    parser.add_argument("--out", type=Path, default=Path("runs/overfits"))
    given = parser.parse_args(words)
    seeds = given.seeds or (1 if given.quick else SEEDS)
    out = given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    study([case for case in EVERY if case.name in given.only], range(seeds), out)
    place = {name: number for number, name in enumerate(names)}
    lines = [x for x in read_events(out / "overfits.jsonl") if x["case"] in given.only and x["seed"] < seeds]
    lines.sort(key=lambda line: (place[line["case"]], line["seed"]))
    found = figures(lines)
    write_text(out / "overfits.svg", plot(found) + "\n")
    print(json.dumps({"id": "overfits", "figures": found}) if given.json else tables(found, lines))
    missed = list(misses(found))
    for sentence in missed:
        tell(sentence)
    if missed and len(given.only) == len(names):
        raise SystemExit(1)
