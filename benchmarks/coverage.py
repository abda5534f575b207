"""Do the intervals hold? Worlds whose truth is known, the street run on each, and what it printed judged.

    python -m benchmarks coverage                        # 400 runs
    python -m benchmarks coverage --quick                # 16 runs: a look, nothing to rely on
    python -m benchmarks coverage --first 0 --last 200   # a part; another process may do the rest beside it

Each run adds a line to <out>/coverage.jsonl, so that a study that was interrupted goes on where it was. Run i
is of world i modulo their number. The truth is what the saved model of each arm answers of 20,000 fresh rows.
Test rows are drawn at random, into a file of their own: that is what an interval over rows takes them for.
With --street-split the street splits them off and keeps the shares of the classes: intervals are then wider
than they need to be where classes fare differently. With several --seeds the truth of an arm is the mean over
the models of its seeds. Exit code 1: a bar was missed, in at least 400 runs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import covered
from benchmarks.power import SIMULATIONS, powers
from benchmarks.worlds import WORLDS, World, asked, texts_of, write_network, write_rows
from warmstart import process
from warmstart.base.events import append, read_events
from warmstart.base.files import write_text
from warmstart.base.lines import to_line
from warmstart.base.result import Result, RunSummary
from warmstart.base.seeds import generator
from warmstart.evaluate.compare import metrics

Truth = dict[str, dict[str, float]]  # folder of a model -> metric -> value on fresh rows
TEST = 0.2  # share of a world's rows
FRESH = 20_000  # rows that tell the truth
RUNS, QUICK, QUICK_POWER = 400, 16, 200
EPOCHS = "phases.2.epochs=6"  # of the tuning; from scratch twice as many
SEED = 0  # of networks; the run's number is the seed of its rows


def one(number: int, world: World, out: Path, seeds: int = 1, split: bool = False) -> dict[str, Any]:
    """Walk the street on fresh rows of the world, and put the truth beside what was printed."""
    place = out / f"run-{number}"
    shutil.rmtree(place, ignore_errors=True)
    model = network(out, world.taught)
    proof = 0 if split else round(world.rows * TEST)
    data = write_rows(place / "rows.csv", world, world.rows - proof, number)
    result = process.run(
        data,
        runs=place,
        test=str(write_rows(place / "test.csv", world, proof, number)) if proof else "",
        models=(str(model),),
        seed=number,
        strategy="full",
        settings=(EPOCHS,),
        seeds=seeds,
        baseline=False,  # it leaves no model to ask about fresh rows
    )
    line = {"run": number, "world": world.name, **compared(result, world, number)}
    shutil.rmtree(place)
    return line


def network(out: Path, taught: bool) -> Path:
    return out / "networks" / ("taught" if taught else "fresh")


def compared(result: Result, world: World, number: int) -> dict[str, Any]:
    """What a result prints, with the truth as the last of each row of numbers."""
    said, right = truth(result, world, number)
    means = {name: mean(said, folders(name, run)) for name, run in result.runs.items()}
    ours = means[result.recommended][result.primary]
    return {
        "verdict": result.verdict,
        "recommended": result.recommended,
        "planned": result.plan.strategy,
        "detectable": result.detectable,
        "seconds": result.seconds,
        "arms": {
            name: {k: [m.value, m.low, m.high, means[name][k]] for k, m in run.metrics.items()}
            for name, run in result.runs.items()
        },
        "gains": {
            rival: [
                *(g.value, g.low, g.high, ours - means[rival][result.primary], g.p),
                result.data.test * apart(right, result, rival),
            ]
            for rival, g in result.gains.items()
        },
        "gaps": {
            name: [o.gap.value, o.gap.low, o.gap.high, gap(said, name, result.runs[name])]
            for name, o in result.overfitting.items()
        },
    }


def folders(name: str, run: RunSummary) -> list[str]:
    """Where the models of an arm lie, below training/."""
    return [seed.run for seed in run.seeds] or [name]


def mean(said: Truth, names: Sequence[str]) -> dict[str, float]:
    return {kind: float(np.mean([said[name][kind] for name in names])) for kind in said[names[0]]}


def gap(said: Truth, name: str, run: RunSummary) -> float:
    """Train minus true accuracy of the model that the overfitting is told of: the best seed's."""
    best = min(run.seeds, key=lambda seed: seed.validation_loss).run if run.seeds else name
    return run.train_accuracy - said[best]["accuracy"]


def apart(right: Mapping[str, NDArray[np.bool_]], result: Result, rival: str) -> float:
    """On which share of the fresh rows one of the two answers right and the other wrong; mean over seeds."""
    ours, theirs = (folders(name, result.runs[name]) for name in (result.recommended, rival))
    return float(np.mean([(right[a] != right[b]).mean() for a, b in zip(ours, theirs, strict=True)]))


def truth(result: Result, world: World, number: int) -> tuple[Truth, dict[str, NDArray[np.bool_]]]:
    """Every metric of every saved model on fresh rows, and which of them it answers right."""
    tokens_NL, label_N = world.draw(FRESH, generator(number, "truth", world.name))
    found, right, kinds = {}, {}, metrics()
    for name in [folder for arm, run in result.runs.items() for folder in folders(arm, run)]:
        model = Path(result.run) / "training" / name / "model"
        same_tokens(model, tokens_NL[:3])
        said_NC = asked(model, tokens_NL, world.labels)
        found[name] = {kind: metric.measure(label_N, said_NC) for kind, metric in kinds.items()}
        right[name] = said_NC.argmax(1) == label_N
    return found, right


def same_tokens(folder: Path, tokens_NL: np.ndarray) -> None:
    """The saved tokenizer reads the texts as the tokens that the model is asked about."""
    from transformers import AutoTokenizer

    read = AutoTokenizer.from_pretrained(folder)(texts_of(tokens_NL))["input_ids"]
    assert [row[1:-1] for row in read] == tokens_NL.tolist(), folder


def study(
    numbers: Sequence[int], worlds: Sequence[World], out: Path, seeds: int = 1, split: bool = False
) -> None:
    """Do the runs that are not there yet."""
    log = out / "coverage.jsonl"
    for taught in {world.taught for world in worlds}:
        write_network(network(out, taught), taught, SEED)
    for number in numbers:
        if any(line["run"] == number for line in read_events(log)):
            continue
        with process.one_thread():
            line = one(number, worlds[number % len(worlds)], out, seeds, split)
        append(log, to_line(line))
        print(f"{number}: {line['world']}, {line['verdict']}, {line['seconds']:.1f} s", file=sys.stderr)


def main(words: Sequence[str] | None = None) -> None:
    names = [world.name for world in WORLDS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks coverage",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=0, help=f"in all; 0: {RUNS}, or {QUICK} with --quick")
    parser.add_argument("--first", type=int, default=0, help="number of the first run to do")
    parser.add_argument("--last", type=int, default=0, help="number before which to stop; 0: all")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=1, help="of every plan and rival")
    parser.add_argument("--street-split", action="store_true", help="test rows as the street splits them off")
    parser.add_argument("--worlds", nargs="+", default=names, choices=names)
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of tables")
    parser.add_argument("--out", type=Path, default=Path("runs/coverage"))
    given = parser.parse_args(words)
    runs = given.runs or (QUICK if given.quick else RUNS)
    given.out.mkdir(parents=True, exist_ok=True)
    worlds = [world for world in WORLDS if world.name in given.worlds]
    study(range(given.first, given.last or runs), worlds, given.out, given.seeds, given.street_split)
    lines = [line for line in read_events(given.out / "coverage.jsonl") if line["run"] < runs]
    found = covered.figures(lines, powers(QUICK_POWER if given.quick else SIMULATIONS))
    write_text(given.out / "coverage.svg", covered.plot(found) + "\n")
    print(json.dumps({"id": "coverage", "figures": found}) if given.json else covered.tables(found))
    missed = list(covered.misses(found))
    for sentence in missed:
        print(sentence, file=sys.stderr)
    if missed and len(lines) >= RUNS:
        raise SystemExit(1)
