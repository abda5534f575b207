"""The benchmark suite: what a training costs here and elsewhere, for the same result.

    python -m benchmarks P1 P3             # rows; none named: all of them
    python -m benchmarks --quick           # few rows, one round: a look, nothing to rely on
    python -m benchmarks --rounds 5 --update
    python -m benchmarks P1 P6 --device cuda --threads 4   # on a GPU, compared by wall seconds
    python -m benchmarks street --help     # the study of the whole street on real data
    python -m benchmarks decisions --help  # the study of what should have been chosen
    python -m benchmarks coverage --help   # worlds with known truth: do the intervals hold?
    python -m benchmarks overfits --help   # trainings that overfit by design: is it said, and why?
    python -m benchmarks curves --help     # the decision study's cells: do learning curves foresee?
    python -m benchmarks faults --help     # faults planted in real data: do the checks find them?

A ratio is the other side's processor seconds over ours (on a GPU: wall seconds), from the reading of the rows
to the last step. Exit code 1: a contender failed, or a ratio is more than a tenth below baseline.json.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import baseline
from benchmarks.figures import Figures
from benchmarks.pairs import ROOT, Runner, alternate, run_once
from benchmarks.rows import Row, Trial, all_rows

# What is compared on a device, as a ratio and as memory.
COSTS = {"cpu": ("CPU ratio", "peak MB"), "cuda": ("wall ratio", "peak MB allocated on the GPU")}


def measure(
    row: Row, rounds: int, place: Path, threads: int, seed: int, runner: Runner = run_once
) -> Figures:
    """All trials of a row, one after the other."""
    figures = Figures(row.id)
    for note in row.notes:
        figures.note("notes", note)
    for trial in row.trials:
        measure_trial(trial, figures, rounds, place, threads, seed, runner)
    return figures


def measure_trial(
    trial: Trial, figures: Figures, rounds: int, place: Path, threads: int, seed: int, runner: Runner
) -> None:
    present = []
    for contender in trial.contenders:
        lacking = contender.missing()
        if lacking:
            figures.note("missing", f"{trial.label}/{contender.name}: {', '.join(lacking)} not installed")
        else:
            present.append(contender)
    if not present:
        return
    prepare(place / "data", trial.wanted())
    work = trial.work(place / "data", threads, seed)
    tell(f"{figures.id} {trial.label}: {len(present)} contenders")
    ran = list(alternate(present, work, rounds, place, tell, runner))
    ours = present[0].name
    figures.add(trial.label, ran, [contender.name for contender in present], ours, trial.held)


def prepare(place: Path, wanted: Sequence[str]) -> None:
    """Write the rows and networks that are not there yet, in a process of its own."""
    absent = [
        word for word in wanted if not (place / word.removeprefix("networks:").replace(":", "-")).is_dir()
    ]
    if absent:
        tell("preparing " + ", ".join(absent))
        command = [sys.executable, "-m", "benchmarks.work", str(place), *absent]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def table(title: str, measured: dict[str, Any]) -> str:
    """Markdown: what each contender cost, as a ratio, in seconds and in memory, and what it reached."""
    cost, room = COSTS[measured["figures"].get("device", "cpu")]
    lines = [
        f"## {measured['id']}: {title}",
        "",
        f"| | {cost} | CPU s | wall s | process CPU s | {room} | ours / its memory | last loss | accuracy |",
        "|" + "---|" * 9,
    ]
    for name, figures in measured["figures"].items():
        if not isinstance(figures, dict):
            continue
        cells = [name, ranged(measured["ratios"].get(name))]
        cells += [ranged(figures[f"{kind}_seconds"]) for kind in ("cpu", "wall", "process_cpu")]
        peak = figures["peak_mb"]
        cells += ["-" if peak is None else f"{peak:,.0f}", said(measured["memory"].get(name))]
        cells += [said(figures.get("last_loss")), said(figures.get("accuracy"))]
        lines.append("| " + " | ".join(cells) + " |")
    notes = [
        f"- {note}" for kind in ("missing", "failed", "notes") for note in measured["figures"].get(kind, ())
    ]
    compared = measured["ratios"]
    agree = f"- same result on both sides: {'yes' if measured['same_result'] else 'NO'}"
    return "\n".join([*lines, "", *([agree] if compared else []), *notes, ""])


def ranged(spread: dict[str, float] | None) -> str:
    if spread is None:
        return "-"
    value, low, high = (f"{spread[name]:.3g}" for name in ("value", "low", "high"))
    return value if low == high else f"{value} [{low}, {high}]"


def said(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    known = all_rows(quick=False, device="cuda")
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"of {', '.join(known)}; none: all")
    parser.add_argument(
        "--quick", action="store_true", help="small rows and one round, under five minutes in all"
    )
    parser.add_argument("--rounds", type=int, default=0, help="of all contenders; 0: 5, or 1 with --quick")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the training rows; compared with no baseline"
    )
    parser.add_argument(
        "--without", nargs="+", default=(), metavar="PEER", help="contenders to leave out, by name"
    )
    parser.add_argument(
        "--networks", nargs="+", default=(), metavar="NAME", help="of each row only these; none: all"
    )
    parser.add_argument("--threads", type=int, default=1, help="of every process")
    parser.add_argument(
        "--device", choices=tuple(COSTS), default="cpu", help="cuda: one GPU, which has larger networks too"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first round; the next ones count on")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")
    parser.add_argument("--update", action="store_true", help="take what is measured as the new baseline")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="for data and logs")
    given = parser.parse_args(words)
    for reason in refusals(given, known):
        parser.error(reason)
    return given


def refusals(given: argparse.Namespace, known: dict[str, Row]) -> Iterator[str]:
    """Why what was asked for makes no sense."""
    trials = [trial for row in known.values() for trial in row.trials]
    peers = {side.name for trial in trials for side in trial.contenders[1:]}
    asked = (("peer", given.without, peers), ("network", given.networks, {t.network for t in trials}))
    for kind, names, there in asked:
        for name in sorted(set(names) - there):
            yield f"no {kind} {name!r}; known are {', '.join(sorted(there))}"
    for name in given.ids:
        if name not in known:
            yield f"no row {name}; known are {', '.join(known)}"
    if not 0 < given.share <= 1:
        yield f"--share {given.share}: give a share above 0, at most 1"
    if given.update and (given.quick or given.share < 1):
        yield "a look at a part is no baseline: leave out --update, or --quick and --share"
    if given.device != "cpu":
        yield from refusals_of_gpu(given.update)


def refusals_of_gpu(update: bool) -> Iterator[str]:
    import torch

    if update:
        yield "the baseline is that of processors: leave out --update, or --device"
    if not torch.cuda.is_available():
        yield f"--device cuda: torch {torch.__version__} sees no GPU here"


def machine(device: str) -> tuple[str, ...]:
    """A note on what measured, where the figures mean nothing without it."""
    if device == "cpu":
        return ()
    import torch

    return (f"on {torch.cuda.get_device_name()}, torch {torch.__version__}",)


def suite(given: argparse.Namespace) -> list[str]:
    """Measure, print and compare; returns what failed or has become worse."""
    whole, worse = all_rows(given.quick, given.device), []
    rows = {n: r.of(given.networks).shared(given.share).without(given.without) for n, r in whole.items()}
    place, notes = given.out.resolve(), machine(given.device)
    for name in given.ids or rows:
        if not rows[name].trials:
            tell(f"{name}: none of its networks was asked for")
            continue
        rounds = given.rounds or (1 if given.quick else 5)
        measured = measure(rows[name].noting(notes), rounds, place, given.threads, given.seed).table()
        print(json.dumps(measured) if given.json else table(rows[name].title, measured), flush=True)
        worse += [f"{name}: failed {what}" for what in measured["figures"].get("failed", ())]
        if given.update:
            baseline.update(measured)
        elif not given.quick and given.share == 1 and given.device == "cpu":
            worse += baseline.regressions(measured, baseline.read_baseline())
    return worse


STUDIES = {  # by their first word, each with a `main` of its own
    "street": "benchmarks.street",
    "decisions": "benchmarks.decisions.study",
    "coverage": "benchmarks.coverage",
    "curves": "benchmarks.curves",
    "forgetting": "benchmarks.forgetting.study",
    "smalldata": "benchmarks.smalldata",
    "faults": "benchmarks.faults",
    "overfits": "benchmarks.overfits",
}


def main(words: Sequence[str]) -> None:
    if words and words[0] in STUDIES:
        importlib.import_module(STUDIES[words[0]]).main(words[1:])
        return
    if words and words[0] == "smalldata":
        from benchmarks import smalldata

        smalldata.main(words[1:])
        return
    worse = suite(asked(words))
    for sentence in worse:
        tell(sentence)
    if worse:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
