"""How well does `--max-forgetting` hold, and what does it cost? Real weights, tuned on to another task.

python -m benchmarks forgetting                 # every case that is not done yet, then the tables
python -m benchmarks forgetting --quick         # the cases of the zoo: a look
python -m benchmarks forgetting --part 1/2 &    # a part; another process may do the rest beside it
python -m benchmarks forgetting --tables        # what the records say so far; --json

Each case leaves a record, so that a study that was broken off goes on. What is true is measured on rows that
chose nothing: of the old task, or answered by the source itself, and the test rows of the new one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decisions.tables import markdown
from benchmarks.decisions.worlds import ASSETS
from benchmarks.forgetting import walk, words
from benchmarks.forgetting.cases import OWN, Case, cases
from warmstart.base.files import write_text
from warmstart.report.bands import Spot, band_plot
from warmstart.report.units import PERCENT, POINTS

WORDS = "words"
STORIES = ("stories260k_llama", "babyllama105_char")
ENOUGH = 0.98  # of what unbounded tuning gives
AIM = 0.95  # of the limits that hold


def every(seeds: Sequence[int]) -> list[Case]:
    spoken = [Case(WORDS, name, "stories", "shakespeare", seed) for seed in seeds for name in STORIES]
    return [*cases(seeds), *spoken]


def run(case: Case, out: Path) -> dict[str, Any]:
    if case.kind != WORDS:
        return walk.run(case, out)
    path = walk.record(case, out)
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    table = words.explore(case)
    write_text(path, json.dumps(table))
    return table


def read(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "cases").glob("*.json"))]


def judged(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each limit: does it hold, and what does the taken model give beside what could be had within it?"""
    spoken = table["case"]["kind"] == WORDS
    found = []
    for one in table["limits"]:
        true = of_taken(one, spoken)
        worth = gains(table, one["models"], one["new"], true, one["limit"], spoken)
        found.append(
            {
                "case": "{kind} {network} {old} {new} {seed}".format(**table["case"]),
                "kind": table["case"]["kind"],
                "limit": one["limit"],
                "way": one["way"],
                "alpha": one["chosen"]["alpha"],
                "lost": true,
                "holds": true <= one["limit"] + 1e-9,
                **worth,
            }
        )
    return found


def of_taken(one: Mapping[str, Any], spoken: bool) -> float:
    """What the taken model truly loses."""
    if spoken:
        return float(one["lost"])
    same = [m for m in one["models"] if (m["way"], m["alpha"]) == (one["way"], one["chosen"]["alpha"])]
    return float(same[0]["lost"])


def gains(
    table: Mapping[str, Any],
    models: Sequence[Mapping[str, Any]],
    taken: float,
    true: float,
    limit: float,
    spoken: bool,
) -> dict[str, float | bool]:
    """Share of what unbounded tuning gives that was had, and that the best model within the limit has."""
    if spoken:  # nats a token that are gained on the source
        begun, goal = table["new"]["source"], table["new"]["full"]
        within = [begun - m["new"] for m in models if m["lost"] <= limit]
        had, allowed, whole = begun - taken, max(within), begun - goal
    else:
        within = [max(m["new"]) for m in models if m["lost"] <= limit]
        had, allowed, whole = taken, max(within), table["new"]["full"]
    return {"had": had / whole, "allowed": allowed / whole, "new": taken}


def figures(out: Path) -> dict[str, Any]:
    lines = [line for table in read(out) for line in judged(table)]
    kinds = {
        kind: [x for x in lines if x["kind"] == kind] for kind in dict.fromkeys(x["kind"] for x in lines)
    }
    return {"lines": lines, "kinds": {k: summed(some) for k, some in {**kinds, "all": lines}.items() if some}}


def summed(some: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    can = [x for x in some if x["allowed"] >= ENOUGH]
    return {
        "runs": len(some),
        "holds": float(np.mean([x["holds"] for x in some])),
        "can": len(can),
        "reached": float(np.mean([x["had"] >= ENOUGH for x in can])) if can else float("nan"),
        "had": float(np.mean([x["had"] for x in some])),
        "allowed": float(np.mean([x["allowed"] for x in some])),
    }


def tables(found: Mapping[str, Any]) -> str:
    head = [
        "rows to remember", "runs", "within the limit, %", "98 % can be had in", "of these reached, %",
        "new task, % of unbounded", "the best within, %",
    ]  # fmt: skip
    rows = [
        [
            kind,
            str(s["runs"]),
            f"{100 * s['holds']:.0f}",
            str(s["can"]),
            f"{100 * s['reached']:.0f}" if s["can"] else "-",
            f"{100 * s['had']:.1f}",
            f"{100 * s['allowed']:.1f}",
        ]
        for kind, s in found["kinds"].items()
    ]
    each = [
        [
            x["case"],
            f"{100 * x['limit']:g}" if x["kind"] != WORDS else f"{x['limit']:g} nat",
            f"{x['alpha']:g} to {x['way']}",
            f"{100 * x['lost']:.1f}" if x["kind"] != WORDS else f"{x['lost']:.3f} nat",
            "yes" if x["holds"] else "NO",
            f"{100 * x['had']:.1f}",
            f"{100 * x['allowed']:.1f}",
        ]
        for x in found["lines"]
    ]
    detail = markdown(
        ["case", "limit, points", "taken", "lost, points", "holds", "new, %", "best within, %"], each
    )
    return f"{markdown(head, rows)}\n\n{detail}"


def plot(found: Mapping[str, Any]) -> str:
    """What was lost over the limit, by rows that chose nothing."""
    spots = [
        Spot(x["case"], "ours" if x["holds"] else "theirs", (x["limit"], x["lost"], x["lost"], x["lost"]))
        for x in found["lines"]
        if x["kind"] != WORDS
    ]
    title = "What was lost of the old task over the limit that was asked for"
    return str(band_plot(title, "limit, points", "lost, points", (), spots, POINTS, PERCENT))


def carry_out(some: Sequence[Case], out: Path, end: float) -> None:
    for case in some:
        if time.monotonic() > end:
            break
        if walk.record(case, out).is_file():
            continue
        started = time.monotonic()
        try:
            run(case, out)
        except Exception:  # whatever it is, the study has other cases
            print(f"{case.name}: failed\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            continue
        print(f"{case.name} ({time.monotonic() - started:.0f} s)", flush=True)


def main(words_: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks forgetting",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("runs/forgetting"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--kinds", nargs="+", default=[], help="zoo, labels, answers, words; none: all")
    parser.add_argument("--part", default="1/1", help="2/3: the second of three processes that share it")
    parser.add_argument("--minutes", type=float, default=0, help="begin no case after that; 0: all")
    parser.add_argument("--quick", action="store_true", help="the zoo alone")
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(words_)
    out = given.out.resolve()
    if not given.tables:
        import torch

        torch.set_num_threads(1)
        kinds = [OWN] if given.quick else given.kinds
        some = [c for c in every(given.seeds) if not kinds or c.kind in kinds]
        if any(c.kind != OWN for c in some) and not ASSETS.is_dir():
            raise SystemExit(f"no assets at {ASSETS}: set WARMSTART_ASSETS")
        number, count = map(int, given.part.split("/"))
        end = time.monotonic() + 60 * given.minutes if given.minutes else float("inf")
        carry_out(some[number - 1 :: count], out, end)
    found = figures(out)
    write_text(out / "forgetting.svg", plot(found))
    print(json.dumps({"id": "forgetting", "figures": found}) if given.json else tables(found))
    if found["lines"] and found["kinds"]["all"]["holds"] < AIM:
        raise SystemExit(1)
