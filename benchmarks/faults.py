"""Are planted faults found, and does clean data raise no alarm? Real sets, and faults of known places.

    python -m benchmarks faults            # 6 sets, 5 draws of each fault, 50 clean draws
    python -m benchmarks faults --quick    # one draw of each: a look, nothing to rely on

- labels: 40 wrong labels in 1,000 rows; the list of confident learning on the ranking's probe, beside chance
  and, where it is installed, cleanlab's list from the same probabilities.
- near: 25 near-duplicates of training rows among the test rows: texts with one word changed (from 8 words on)
  or two (from 12), other case, other punctuation; pictures stored again, 5 % smaller, 3 % brighter. Beside
  them, for texts of fewer than 8 words, one word changed: what the search is not made for.
- group: a column of batches that tells the label, on both sides of a split; and a named group on both sides.
- shift: test rows from elsewhere: every second text with a greeting, pictures a fifth darker.
- clean: random draws with nothing planted, and which checks raise an alarm.

Each draw adds a line to <out>/faults.jsonl, so that a study that was interrupted goes on where it was. Exit
code 1: a bar was missed by the whole study.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import faulted
from benchmarks.planted import (
    ONE_FROM,
    SETS,
    TEXTS,
    WORD,
    Pool,
    copies,
    features,
    mislabelled,
    pool,
    shifted,
    write,
)
from warmstart.base.events import append, read_events
from warmstart.base.files import write_text
from warmstart.base.lines import to_line
from warmstart.base.seeds import generator
from warmstart.base.types import Finding
from warmstart.data.bundle import checked_draft, open_bundle
from warmstart.data.sniff import Asked
from warmstart.select.label_noise import Suspects, surprise, suspects
from warmstart.street import shift
from warmstart.street.folder import Options, Trip
from warmstart.street.stops import task_of
from warmstart.street.suspects import SURE, out_of_fold

ROWS, WRONG = 1000, 40  # of which so many, or 4 %, are mislabelled
COPIES, OTHERS = 25, 200  # near-duplicates among so many other test rows
TRAIN, TEST = 600, 200  # of a clean draw
DRAWS, CLEAN = 5, 50
GROUP = 8  # rows of a planted batch


def labels(rows: Pool, seed: int, out: Path) -> dict[str, Any]:
    """Planted wrong labels: what the list says of them."""
    chosen = rows.draw(ROWS, seed, "labels")
    truth_N = np.unique([rows.labels[i] for i in chosen], return_inverse=True)[1].astype(np.int64)
    number = round(len(chosen) * WRONG / ROWS)
    given_N, wrong = mislabelled(truth_N, number, seed)
    found = out_of_fold({"read": features(rows, out)[chosen]}, given_N, None, seed)
    if found is None:
        return {"planted": number, "refused": True}
    shares_NC, right = found
    listed = suspects(shares_NC, given_N)
    by_margin = listed.rows_S[np.argsort(listed.margin_S, kind="stable")]
    return {
        "planted": number,
        "right": right,
        "listed": len(listed.rows_S),
        "estimate": listed.estimate,
        **judged(listed.rows_S, wrong, "ours"),
        "first": hits(listed.rows_S[:number], wrong) / number,
        "first_by_margin": hits(by_margin[:number], wrong) / number,
        "chance": number / len(chosen),
        "warning": surprise(shares_NC, given_N) < SURE,
        **beside_cleanlab(shares_NC, given_N, wrong, listed),
    }


def hits(rows: NDArray[np.int64], wrong: NDArray[np.int64]) -> int:
    return int(np.isin(rows, wrong).sum())


def judged(rows: NDArray[np.int64], wrong: NDArray[np.int64], name: str) -> dict[str, float]:
    found = hits(rows, wrong)
    return {f"precision_{name}": found / max(1, len(rows)), f"recall_{name}": found / len(wrong)}


def beside_cleanlab(
    shares_NC: NDArray[np.float64], given_N: NDArray[np.int64], wrong: NDArray[np.int64], listed: Suspects
) -> dict[str, float]:
    """The list of cleanlab's default rule on the same probabilities; nothing where it is not installed."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        return {}
    theirs = np.flatnonzero(find_label_issues(given_N, shares_NC, n_jobs=1))
    both = np.isin(listed.rows_S, theirs).sum() / max(1, len(np.union1d(listed.rows_S, theirs)))
    return {**judged(theirs, wrong, "cleanlab"), "same_as_cleanlab": float(both)}


def near(rows: Pool, seed: int, out: Path) -> dict[str, Any]:
    """Near-duplicates across splits: how many training rows of them are dropped, and how many others."""
    chosen = rows.draw(ROWS + OTHERS, seed, "near")
    train, others = chosen[: -OTHERS - 1], chosen[-OTHERS:]
    random = generator(seed, "sources")
    sources = [int(i) for i in random.choice(train, COPIES, replace=False)]
    made = copies(rows, sources, seed)
    dropped, different = dropped_by(rows, train, others, sources, made, out)
    ways: dict[str, list[bool]] = {}
    for source, (_, how) in zip(sources, made, strict=True):
        ways.setdefault(how, []).append(source in dropped)
    line: dict[str, Any] = {
        "recall": sum(source in dropped for source in sources) / COPIES,
        "ways": {how: [sum(found), len(found)] for how, found in ways.items()},
        "others": len(dropped - {*sources}) / len(train),
        "others_of_another_class": different / len(train),
    }
    few = [int(i) for i in train if len(WORD.findall(rows.values[i])) in range(3, ONE_FROM)][:COPIES]
    if rows.name in TEXTS and few:
        found, _ = dropped_by(rows, train, others, few, copies(rows, few, seed, short=True), out)
        line["short"] = [sum(i in found for i in few), len(few)]
    return line


def dropped_by(
    rows: Pool,
    train: NDArray[np.int64],
    others: NDArray[np.int64],
    sources: Sequence[int],
    made: Sequence[tuple[str | bytes, str]],
    out: Path,
) -> tuple[set[int], int]:
    """Training rows that are dropped as leaks; and how many of them are like no test row of their class."""
    place = out / "near"
    shutil.rmtree(place, ignore_errors=True)
    plain = [(rows.values[i], rows.labels[i], {}) for i in others]
    copied = [(copy, rows.labels[i], {}) for i, (copy, _) in zip(sources, made, strict=True)]
    taught = [(rows.values[i], rows.labels[i], {}) for i in train]
    write(place, rows, {"train": taught, "test": [*plain, *copied]})
    draft, _ = checked_draft(str(place), Asked())
    leaked = [change for change in draft.changes if change.check == "leaks"]
    at = {
        where(rows, number, label): int(i)
        for number, (i, (_, label, _)) in enumerate(zip(train, taught, strict=True))
    }
    dropped = {at[change.where] for change in leaked}
    shutil.rmtree(place)
    strangers = dropped - {*sources}
    return dropped, sum(other_class(rows, i, others) for i in strangers)


def other_class(rows: Pool, row: int, others: NDArray[np.int64]) -> bool:
    """Is a row that was dropped, without a copy of it planted, like test rows of other classes alone?"""
    from warmstart.data.near_images import near_images
    from warmstart.data.near_texts import near_texts
    from warmstart.data.prints import look_at

    values = [rows.values[row], *(rows.values[i] for i in others)]
    if rows.kind == "text":
        pairs, _ = near_texts(values)
    else:
        prints = look_at(values)
        pairs, _ = near_images(
            np.array([p.dhash for p in prints], np.uint64), [p.thumb or b"" for p in prints]
        )
    alike = {int(max(pair)) - 1 for pair in pairs.tolist() if min(pair) == 0}
    return bool(alike) and all(rows.labels[others[i]] != rows.labels[row] for i in alike)


def where(rows: Pool, number: int, label: str) -> str:
    """The place of a training row as warmstart says it."""
    return f"train.csv:{number + 2}" if rows.kind == "text" else f"train/{label}/{number:05}.jpg"


def group(rows: Pool, seed: int, out: Path) -> dict[str, Any]:
    """A column that tells the label and stands on both sides; one by chance; a named group on both sides."""
    if rows.kind != "text":
        return {"refused": True}
    chosen, random = rows.draw(TRAIN, seed, "group"), generator(seed, "group")
    by_label = sorted(chosen.tolist(), key=lambda i: (rows.labels[i], i))
    batch = {i: f"b{place // GROUP}" for place, i in enumerate(by_label)}
    strays = random.choice(
        chosen, len(chosen) // 5, replace=False
    )  # a fifth of the rows in a batch by chance
    batch |= {int(i): f"b{random.integers(len(chosen) // GROUP)}" for i in strays}
    chance = {int(i): f"c{random.integers(len(chosen) // GROUP)}" for i in chosen}
    told = columns(rows, chosen, {"batch": batch, "chance": chance}, out)
    sides = named_group(rows, chosen, batch, out)
    return {"told": "batch" in told, "false": "chance" in told, "named": sides}


def columns(rows: Pool, chosen: NDArray[np.int64], more: dict[str, dict[int, str]], out: Path) -> set[str]:
    """Which of these columns are told to look like groups."""
    place = out / "group"
    shutil.rmtree(place, ignore_errors=True)
    taught = [(rows.values[i], rows.labels[i], {k: v[int(i)] for k, v in more.items()}) for i in chosen]
    write(place, rows, {"train": taught})
    bundle = open_bundle(str(place / "train.csv"), place / "bundle", group="none")
    shutil.rmtree(place)
    told = [f.what for f in bundle.findings if f.check == "hidden_groups"]
    return {name for name in more if any(f"column {name!r} " in what for what in told)}


def named_group(rows: Pool, chosen: NDArray[np.int64], batch: dict[int, str], out: Path) -> bool:
    """Is it told that values of a group that is named stand on both sides of the user's own split?"""
    place = out / "group"
    shutil.rmtree(place, ignore_errors=True)
    given = [(rows.values[i], rows.labels[i], {"batch": batch[int(i)]}) for i in chosen]
    write(place, rows, {"train": given[:-150], "test": given[-150:]})
    _, findings = checked_draft(str(place), Asked(group="batch"))
    shutil.rmtree(place)
    return any(f.check == "leaks" and "'batch' on both sides" in f.what for f in findings)


def shifting(rows: Pool, seed: int, out: Path) -> dict[str, Any]:
    """A test set from elsewhere: is it told?"""
    chosen = rows.draw(TRAIN + TEST, seed, "shift")
    cut = len(chosen) - TEST * len(chosen) // (TRAIN + TEST)
    train, test = chosen[:cut], chosen[cut:]
    strange = shifted(rows, [int(i) for i in test], seed)
    pairs = [(value, rows.labels[i], {}) for value, i in zip(strange, test, strict=True)]
    findings = looked_at(rows, train, pairs, out)
    levels = [f.level for f in findings if f.check == "shift"]
    return {"told": bool(levels), "warning": "warning" in levels}


def clean(rows: Pool, seed: int, out: Path) -> dict[str, Any]:
    """A random draw, its test drawn alike: the checks that speak, by level."""
    chosen = rows.draw(TRAIN + TEST, seed, "clean")
    cut = len(chosen) - TEST * len(chosen) // (TRAIN + TEST)
    pairs = [(rows.values[i], rows.labels[i], {}) for i in chosen[cut:]]
    findings = [*looked_at(rows, chosen[:cut], pairs, out)]
    codes_N = np.unique([rows.labels[i] for i in chosen], return_inverse=True)[1].astype(np.int64)
    found = out_of_fold({"read": features(rows, out)[chosen]}, codes_N, None, seed)
    listed = 0
    if found is not None:
        listed = len(suspects(found[0], codes_N).rows_S)
        level = "warning" if surprise(found[0], codes_N) < SURE else "note"
        findings += [Finding("label_noise", level, "", "")] if listed else []
    return {
        "rows": len(chosen),
        "listed": listed,
        "speaking": sorted({f"{f.check}: {f.level}" for f in findings}),
    }


def looked_at(
    rows: Pool, train: NDArray[np.int64], test: Sequence[tuple[str | bytes, str, dict[str, Any]]], out: Path
) -> tuple[Finding, ...]:
    """Findings of the data and of the comparison of test and training rows."""
    place = out / "looked-at"
    shutil.rmtree(place, ignore_errors=True)
    taught = [(rows.values[i], rows.labels[i], {}) for i in train]
    write(place / "data", rows, {"train": taught, "test": test})
    bundle = open_bundle(str(place / "data"), place / "bundle")
    trip = Trip(place / "bundle", Options(str(place / "data")), "", place)
    found = (*bundle.findings, *shift.by_floor(trip, task_of(bundle), bundle))
    shutil.rmtree(place)
    return found


FAULTS: dict[str, Callable[[Pool, int, Path], dict[str, Any]]] = {
    "labels": labels,
    "near": near,
    "group": group,
    "shift": shifting,
    "clean": clean,
}


def cells(draws: int, cleans: int, sets: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """(fault, set, seed) of the whole study; the clean draws go round the sets."""
    for fault in FAULTS:
        if fault == "clean":
            yield from ((fault, sets[i % len(sets)], i // len(sets)) for i in range(cleans))
        else:
            yield from ((fault, name, seed) for name in sets for seed in range(draws))


def study(wanted: Sequence[tuple[str, str, int]], out: Path) -> None:
    """Do the draws that are not there yet."""
    log = out / "faults.jsonl"
    done = {(line["fault"], line["set"], line["seed"]) for line in read_events(log)}
    pools: dict[str, Pool] = {}
    for fault, name, seed in wanted:
        if (fault, name, seed) in done:
            continue
        rows = pools.setdefault(name, pool(name))
        line = {"fault": fault, "set": name, "seed": seed, **FAULTS[fault](rows, seed, out)}
        append(log, to_line(line))
        print(f"{fault} {name} {seed}", file=sys.stderr)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks faults",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--faults", nargs="+", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--draws", type=int, default=0, help=f"of each set and fault; 0: {DRAWS}, or 1")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of tables")
    parser.add_argument("--out", type=Path, default=Path("runs/faults"))
    given = parser.parse_args(words)
    given.out.mkdir(parents=True, exist_ok=True)
    draws = given.draws or (1 if given.quick else DRAWS)
    wanted = [
        cell
        for cell in cells(draws, len(given.sets) if given.quick else CLEAN, given.sets)
        if cell[0] in given.faults
    ]
    study(wanted, given.out)
    kept = {*wanted}
    every = read_events(given.out / "faults.jsonl")
    lines = [line for line in every if (line["fault"], line["set"], line["seed"]) in kept]
    found = faulted.figures(lines)
    write_text(given.out / "faults.svg", faulted.plot(found) + "\n")
    print(json.dumps({"id": "faults", "figures": found}) if given.json else faulted.tables(found))
    missed = list(faulted.misses(found))
    for sentence in missed:
        print(sentence, file=sys.stderr)
    if missed and not given.quick:
        raise SystemExit(1)
