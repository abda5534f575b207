"""Few rows of each class: plain full tuning beside what warmstart recommends, on the same rows.

    python -m benchmarks smalldata                  # what is not done yet, then the table
    python -m benchmarks smalldata --quick          # one seed at 5 rows of each class
    python -m benchmarks smalldata --part 1/2 &     # a part; another process may do the rest beside it
    python -m benchmarks smalldata --tables         # what the records say so far; --json

Plain tuning moves head and body together from the first step, by the same recipe, batch and early stopping.
Each run leaves a record, so that a study that was broken off goes on. Test rows chose nothing. Exit code 1: a
cell is significantly worse than plain tuning.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions.tables import markdown
from benchmarks.decisions.worlds import Item, World, items, world
from benchmarks.street import at_pixels
from warmstart import process
from warmstart.base.files import write_text
from warmstart.base.seeds import generator
from warmstart.base.types import Gain, Measure, Predictions
from warmstart.decide.choose import plan_for
from warmstart.evaluate.compare import gain, measure, over_seeds, samples
from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.report.figures import Dot, interval_plot
from warmstart.report.units import POINTS
from warmstart.street import deciding, stops, training
from warmstart.street.folder import reopen

SETS = {
    "sign_digits": "mobilenet_v1_0.25_128",
    "trashnet": "mobilenet_v1_0.5_160",
    "snips_intents": "minilm-l2-small",
}
PER_CLASS, SEEDS, PIXELS = (5, 10, 20), (0, 1, 2, 3, 4), 96
CHOOSING, PROVING = 4, 400  # training rows for each that chooses, and rows that prove


@dataclass(frozen=True)
class Cell:
    """So many rows of each class of a set."""

    name: str
    per_class: int
    seed: int

    @property
    def key(self) -> str:
        return f"{self.name}--{self.per_class}--{self.seed}"


def cells(seeds: Sequence[int]) -> Iterator[Cell]:
    for seed in seeds:
        for per_class in PER_CLASS:
            for name in SETS:
                yield Cell(name, per_class, seed)


def write(cell: Cell, path: Path) -> World:
    """rows.csv: as many rows of every class teach, a fourth as many choose, published test rows prove."""
    chosen = world(cell.name)
    by_class: dict[str, list[Item]] = {}
    for item in items(chosen, "train"):
        by_class.setdefault(item.label, []).append(item)
    rows = []
    for label, some in sorted(by_class.items()):
        order = generator(cell.seed, "smalldata", cell.name, label).permutation(len(some))
        choosing = max(1, round(cell.per_class / CHOOSING))
        for place, number in enumerate(order[: cell.per_class + choosing]):
            rows.append((some[number].value, label, "train" if place < cell.per_class else "validation"))
    proof = items(chosen, "test")
    order = generator(0, "smalldata", cell.name).permutation(len(proof))[:PROVING]
    rows += [(proof[i].value, proof[i].label, "test") for i in order]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([chosen.kind, "label", "split"])
        table.writerows(rows)
    return chosen


def record(cell: Cell, out: Path) -> Path:
    return out / "cells" / f"{cell.key}.json"


def run(cell: Cell, out: Path) -> None:
    """The whole street, and plain tuning of the same model on the same rows."""
    place = out / "work" / cell.key
    shutil.rmtree(place, ignore_errors=True)
    chosen = write(cell, place / "rows.csv")
    model = at_pixels(SETS[cell.name], PIXELS if chosen.kind == "image" else 0, out)
    result = process.run(place / "rows.csv", runs=place, models=model, seed=cell.seed)
    trip = reopen(Path(result.run))
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    full = plan_for("full", facts, result.plan.model, seed=cell.seed)
    plain = replace(full, strategy="plain", phases=full.phases[-1:])
    ready = training.prepare(trip, bundle, training.load_for(trip, plain, facts.modality))
    said = training.carry_out(trip, "plain", plain, bundle, ready).predictions["test"]
    name = result.shipped.run if result.shipped else result.recommended
    with np.load(Path(result.run) / "training" / name / "predictions.npz", allow_pickle=False) as arrays:
        ours = Predictions(arrays["test.rows"], arrays["test.truth"], arrays["test.probs"])
    order_N, plain_N = np.argsort(ours.rows), np.argsort(said.rows)
    table = {
        "cell": vars(cell),
        "recommended": result.recommended,
        "planned": result.plan.strategy,
        "truth": ours.truth[order_N].tolist(),
        "ours": ours.answers[order_N].tolist(),
        "plain": said.answers[plain_N].tolist(),
    }
    write_text(record(cell, out), json.dumps(table))
    shutil.rmtree(place, ignore_errors=True)


def figures(out: Path) -> dict[str, Any]:
    """By set and rows of a class: accuracies over seeds, and the paired gain over rows and seeds."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((out / "cells").glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault("{name}, {per_class}".format(**table["cell"]), []).append(table)
    ordered = sorted(
        found.items(), key=lambda item: (item[1][0]["cell"]["name"], item[1][0]["cell"]["per_class"])
    )
    return {"cells": [summed(name, tables) for name, tables in ordered]}


def summed(name: str, tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    arms = {arm: over_seeds([sample(table, arm) for table in tables]) for arm in ("ours", "plain")}
    more: Gain = gain("plain", arms["ours"], arms["plain"])
    told = {arm: vars(measure(one)) for arm, one in arms.items()}
    chosen = [table["recommended"] for table in tables]
    return {
        "name": name,
        "seeds": len(tables),
        **told,
        "gain": [more.value, more.low, more.high],
        "recommended": {one: chosen.count(one) for one in dict.fromkeys(chosen)},
    }


def sample(table: Mapping[str, Any], arm: str) -> Any:
    """The accuracy of one run; answers as certain probabilities, which accuracy alone reads."""
    truth_N, said_N = np.array(table["truth"]), np.array(table[arm])
    classes = int(max(truth_N.max(), said_N.max())) + 1
    said = Predictions(np.arange(len(truth_N)), truth_N, np.eye(classes)[said_N])
    return samples({arm: said}, {"accuracy": Accuracy()}, 0)[arm, "accuracy"]


def tables(found: Mapping[str, Any]) -> str:
    head = ["set, rows of a class", "seeds", "warmstart, %", "plain, %", "gain, points [95 %]", "recommended"]
    rows = []
    for one in found["cells"]:
        value, low, high = one["gain"]
        chosen = ", ".join(f"{name} {count}" for name, count in one["recommended"].items())
        shown = f"{100 * value:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"
        accuracy = [f"{100 * Measure(**one[arm]).value:.1f}" for arm in ("ours", "plain")]
        rows.append([one["name"], str(one["seeds"]), *accuracy, shown, chosen])
    return markdown(head, rows)


def plot(found: Mapping[str, Any]) -> str:
    dots = [Dot(one["name"], *one["gain"], one["gain"][1] > 0) for one in found["cells"]]
    title = "What warmstart recommends minus plain full tuning"
    return str(interval_plot(title, "test accuracy, points", dots, POINTS, zero=True, signed=True))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks smalldata",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("runs/smalldata"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--minutes", type=float, default=0, help="begin no cell after that; 0: all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(words)
    out = given.out.resolve()
    if not given.tables:
        import torch

        torch.set_num_threads(1)
        some = [c for c in cells(given.seeds[:1] if given.quick else given.seeds)]
        some = [c for c in some if not given.quick or c.per_class == PER_CLASS[0]]
        number, count = map(int, given.part.split("/"))
        end = time.monotonic() + 60 * given.minutes if given.minutes else float("inf")
        for cell in some[number - 1 :: count]:
            if time.monotonic() < end and not record(cell, out).is_file():
                run(cell, out)
                print(cell.key, flush=True)
    found = figures(out)
    write_text(out / "smalldata.svg", plot(found))
    print(json.dumps({"id": "smalldata", "figures": found}) if given.json else tables(found))
    if any(one["gain"][2] < 0 for one in found["cells"]):
        raise SystemExit(1)
