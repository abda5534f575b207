"""The whole street on real texts and images: what was chosen, what it gave, what would have been best.

    python -m benchmarks street --rows 200 1000 --sets sms_spam trashnet --out runs/study

Each cell is a run folder, so that a study that was interrupted goes on where it was. The table goes to
standard output as Markdown, all figures to <out>/street.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from warmstart import process
from warmstart.base.result import Result
from warmstart.report.read import read_result

ASSETS = Path(os.environ.get("WARMSTART_ASSETS", "../shared/assets"))
MOBILENETS = (
    "mobilenet_v1_0.25_128",
    "mobilenet_v1_0.5_160",
    "mobilenet_v1_0.75_224",
    "mobilenet_v2_1.0_224",
    "mobilenet_v2_inat_bird",
    "mobilenet_v2_inat_insect",
)
VALIDATION = 0.2  # share of the rows that chooses; it comes on top of the training rows


@dataclass(frozen=True)
class DataSet:
    """Where a set lies and what may be started from."""

    name: str
    data: str
    models: tuple[str, ...]
    test: str = ""


def data_sets() -> Iterator[DataSet]:
    texts = ("all-MiniLM-L6-v2",)
    for name in ("banking77", "sms_spam", "snips_intents"):
        yield DataSet(name, name, texts)
    for domain in ("amazon", "yelp"):
        place = f"sentiment_sentences/{domain}"
        yield DataSet(f"{domain}_sentiment", f"{place}_train.csv", texts, f"{place}_test.csv")
    for name in ("mnist_small", "pollen_bees", "sign_digits", "trashnet"):
        yield DataSet(name, name, MOBILENETS)


def at_pixels(model: str, pixels: int, out: Path) -> str:
    """The model's folder, or a copy whose processor gives pictures of `pixels` (0: as trained)."""
    given = ASSETS / "weights" / model
    if not pixels or not (given / "preprocessor_config.json").is_file():
        return str(given)
    copy = out / f"models-{pixels}" / model
    if not copy.is_dir():
        draft = copy.with_name(f".{model}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(given, draft)
        path = draft / "preprocessor_config.json"
        table = json.loads(path.read_text(encoding="utf-8"))
        table["size"] = {"shortest_edge": round(pixels * 1.14)}
        table["crop_size"] = {"height": pixels, "width": pixels}
        path.write_text(json.dumps(table), encoding="utf-8")
        draft.rename(copy)
    return str(copy)


def one(chosen: DataSet, rows: int, seed: int, pixels: int, out: Path) -> Result:
    """The result of a cell, from its run folder if it has been there."""
    place = out / f"{chosen.name}-{rows}-{seed}"
    done = sorted(place.glob("*/result.json"))
    if done:
        return read_result(done[0])
    begun = sorted(place.glob("*/run.json"))
    if begun:
        return process.run(begun[0].parent)
    asked = {
        "models": tuple(at_pixels(m, pixels, out) for m in chosen.models),
        "test": str(ASSETS / "data" / chosen.test) if chosen.test else "",
        "rows": round(rows / (1 - VALIDATION)),
        "seed": seed,
    }
    return process.run(ASSETS / "data" / chosen.data, runs=place, **asked)


def line(chosen: DataSet, rows: int, result: Result) -> dict[str, object]:
    """The figures of a cell."""
    arms = {name: run.metrics["accuracy"] for name, run in result.runs.items()}
    best = max(arms, key=lambda name: arms[name].value)
    return {
        "set": chosen.name,
        "rows": rows,
        "train": result.data.train,
        "test": result.data.test,
        "model": result.ranking[0].name,
        "planned": result.plan.strategy,
        "recommended": result.recommended,
        "best": best,
        "lost": arms[best].value - arms[result.recommended].value,
        "verdict": result.verdict,
        "floor": result.proofs["floor_accuracy"],
        "arms": {n: [m.value, m.low, m.high] for n, m in arms.items()},
        "seconds": {n: run.seconds for n, run in result.runs.items()},
    }


def tuned(row: dict[str, object]) -> str:
    """The arm that moves pretrained weights: the planned one, or full tuning where another was planned."""
    return "full" if row["planned"] in ("frozen", "scratch") else str(row["planned"])


def table(lines: Sequence[dict[str, object]]) -> str:
    """Markdown: accuracies in per cent with 95 % intervals, seconds of training."""
    arms = ("frozen", "tuned", "scratch")
    head = [
        "set",
        "train",
        "test",
        "model",
        "floor",
        *arms,
        "seconds",
        "planned",
        "recommended",
        "best",
        "verdict",
    ]
    out = ["| " + " | ".join(head) + " |", "|" + "|".join("---" for _ in head) + "|"]
    for row in lines:
        cells = [
            str(row["set"]),
            str(row["train"]),
            str(row["test"]),
            str(row["model"]),
            f"{100 * row['floor']:.1f}",
        ]
        shown = [tuned(row) if arm == "tuned" else arm for arm in arms]
        for arm in shown:
            said = row["arms"].get(arm)
            cells.append(f"{100 * said[0]:.1f} [{100 * said[1]:.1f}, {100 * said[2]:.1f}]" if said else "-")
        cells.append(" / ".join(f"{row['seconds'][a]:.0f}" if a in row["seconds"] else "-" for a in shown))
        cells += [str(row[name]) for name in ("planned", "recommended", "best", "verdict")]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def main(words: Sequence[str] | None = None) -> None:
    names = [d.name for d in data_sets()]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000], help="training rows")
    parser.add_argument("--sets", nargs="+", default=names, choices=names)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pixels", type=int, default=0, help="side of the pictures; 0: as trained")
    parser.add_argument("--out", type=Path, default=Path("runs/study"))
    asked = parser.parse_args(words)
    if not ASSETS.is_dir():
        raise SystemExit(f"no assets at {ASSETS}: set WARMSTART_ASSETS")
    lines = []
    for rows in asked.rows:
        for chosen in data_sets():
            if chosen.name in asked.sets:
                lines.append(line(chosen, rows, one(chosen, rows, asked.seed, asked.pixels, asked.out)))
                text = "\n".join(json.dumps(entry) for entry in lines)
                (asked.out / "street.jsonl").write_text(text + "\n", encoding="utf-8")
                print(json.dumps(lines[-1]), flush=True)
    print(table(lines))


if __name__ == "__main__":
    main()
