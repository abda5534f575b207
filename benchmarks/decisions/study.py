"""Run the decision study, in parts that can be broken off and go on.

python -m benchmarks decisions --minutes 60 --part 1/2 &
python -m benchmarks decisions --minutes 60 --part 2/2
python -m benchmarks decisions --rankings         # score the candidates of every pool; goes on where it was
python -m benchmarks decisions --seconds          # a whole ranking beside one epoch of tuning
python -m benchmarks decisions --tables           # what the records say so far; --json, --quick
python -m benchmarks decisions --page docs/decisions.md
python -m benchmarks decisions --record           # what decide/record.py is to hold
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.decisions import page, ranking, seconds, trying
from benchmarks.decisions.cell import record, run
from benchmarks.decisions.figures import figures
from benchmarks.decisions.measured import asks, records_without
from benchmarks.decisions.ranking import Pool
from benchmarks.decisions.read import Read, read_all
from benchmarks.decisions.record import records
from benchmarks.decisions.tables import plots, seconds_parts, tables
from benchmarks.decisions.worlds import ASSETS, WORLDS, Cell, grid
from warmstart.base.files import write_text
from warmstart.decide.pilots import Ask

ROWS = (50, 100, 200, 400, 1000, 2000)
SEEDS = (0, 1, 2)
PIXELS = 96


def asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks decisions",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    names = [w.name for w in WORLDS]
    parser.add_argument("--sets", nargs="+", default=names, choices=names)
    parser.add_argument("--models", nargs="+", default=(), help="of each set only these; none: all")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="training rows")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--pixels", type=int, default=PIXELS, help="side of the pictures; 0: as trained")
    parser.add_argument("--minutes", type=float, default=0, help="begin no cell after that; 0: all")
    parser.add_argument("--part", default="1/1", help="2/3: the second of three processes that share it")
    parser.add_argument(
        "--pilots", action="store_true", help="of cells that were run, try what their decision asks for"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/decisions"))
    parser.add_argument("--rankings", action="store_true", help="score all candidates instead of tuning")
    parser.add_argument("--seconds", action="store_true", help="time a ranking beside an epoch")
    parser.add_argument("--rounds", type=int, default=3, help="of --seconds, which takes the median")
    parser.add_argument("--tables", action="store_true", help="print what the records say, draw <out>/*.svg")
    parser.add_argument("--page", type=Path, help="write it as a Markdown page, with plots beside it")
    parser.add_argument("--record", action="store_true", help="print the record of each modality")
    parser.add_argument("--incomplete", action="store_true", help="also pools with candidates not yet tuned")
    parser.add_argument("--quick", action="store_true", help="few random draws: a look")
    parser.add_argument("--json", action="store_true", help="of --tables: one line of JSON")
    given = parser.parse_args(words)
    modes = [m for m in ("rankings", "seconds", "tables", "page", "record") if getattr(given, m)]
    if len(modes) > 1:
        parser.error(f"--{modes[0]} and --{modes[1]} are two things to do: give one")
    return given


def main(words: Sequence[str]) -> None:
    given = asked(words)
    out = given.out.resolve()
    if given.record:
        print(records(read_all(out)))
        return
    if given.tables or given.page:
        show(given, out)
        return
    if not ASSETS.is_dir():
        raise SystemExit(f"no assets at {ASSETS}: set WARMSTART_ASSETS")
    import torch

    torch.set_num_threads(given.threads)
    if given.seconds:
        names = [name for name in given.sets if len(given.sets) < len(WORLDS) or name in seconds.SETS]
        found = seconds.run(names, given.pixels, out, given.rounds)
        print("\n\n".join(seconds_parts({"seconds": found})))
        return
    end = time.monotonic() + 60 * given.minutes if given.minutes else float("inf")
    asked_for = asked_of(read_all(out)) if given.pilots else {}
    work = ranked if given.rankings else trying_what(asked_for) if given.pilots else explored
    for point in points(given):
        if time.monotonic() > end:
            break
        if waits(point, out, asked_for if given.pilots else None):
            carry_out(point, out, work)


def asked_of(cells: Sequence[Read]) -> dict[Cell, Ask]:
    """By cell the trials that its decision asks for, by a record of the other sets."""
    records = {name: records_without(cells, name) for name in {c.cell.world for c in cells}}
    return {c.cell: asks(c, records[c.cell.world]) for c in cells}


def points(given: argparse.Namespace) -> list[Cell | Pool]:
    """The cells to explore or to try things in, or the pools to rank, of the part that was asked for."""
    found: list[Cell | Pool]
    if given.rankings:
        found = list(ranking.pools(given.sets, given.rows, given.seeds, given.pixels))
    else:
        found = list(grid(given.sets, given.models, given.rows, given.seeds, given.pixels))
    number, count = map(int, given.part.split("/"))
    return found[number - 1 :: count]


def waits(point: Cell | Pool, out: Path, asked_for: Mapping[Cell, Ask] | None = None) -> bool:
    """Is this still to be done, and can it be? Pilots, if those are meant, are for cells that were run."""
    if isinstance(point, Pool):
        return not ranking.record(point, out).is_file()
    if asked_for is None:
        return not record(point, out).is_file()
    return point in asked_for and trying.lacks(point, out, asked_for[point])


def show(given: argparse.Namespace, out: Path) -> None:
    """Tables on the screen and plots beside the records, or all as a page."""
    found = figures(out, quick=given.quick, incomplete=given.incomplete)
    if given.page:
        flags = [f"--{name}" for name in ("incomplete", "quick") if getattr(given, name)]
        page.write(found, given.page, " ".join(["python -m benchmarks decisions --page", *flags]))
        return
    for name, drawn in plots(found).items():
        write_text(out / name, drawn)
    print(json.dumps({"id": "decisions", "figures": found}) if given.json else tables(found))


def carry_out(point: Any, out: Path, work: Callable[[Any, Path], str]) -> None:
    """A point that fails is said and leaves no record; the others go on."""
    started = time.monotonic()
    try:
        said = work(point, out)
    except Exception:  # whatever it is, the study has hundreds of other points
        print(f"{point.name}: failed\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return
    print(f"{point.name} ({time.monotonic() - started:.0f} s): {said}", flush=True)


def explored(cell: Cell, out: Path) -> str:
    arms = run(cell, out)["arms"]
    return " ".join(f"{name} {arm['test_accuracy']:.3f}" for name, arm in arms.items())


def trying_what(asked_for: Mapping[Cell, Ask]) -> Callable[[Cell, Path], str]:
    def tried(cell: Cell, out: Path) -> str:
        return "pilots " + " ".join(trying.run(cell, out, asked_for[cell])["trials"])

    return tried


def ranked(pool: Pool, out: Path) -> str:
    scores = ranking.run(pool, out)["scores"]
    return " > ".join(sorted(scores, key=lambda model: -scores[model][ranking.ORDER]))
