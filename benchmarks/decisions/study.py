"""Run the decision study, in parts that can be broken off and go on.

python -m benchmarks decisions --minutes 60 --part 1/2 &
python -m benchmarks decisions --minutes 60 --part 2/2
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.decisions import trying
from benchmarks.decisions.cell import record, run
from benchmarks.decisions.worlds import ASSETS, WORLDS, Cell, grid

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
        "--pilots", action="store_true", help="of cells that were run, try what is tried first"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/decisions"))
    return parser.parse_args(words)


def main(words: Sequence[str]) -> None:
    given = asked(words)
    if not ASSETS.is_dir():
        raise SystemExit(f"no assets at {ASSETS}: set WARMSTART_ASSETS")
    import torch

    torch.set_num_threads(given.threads)
    out = given.out.resolve()
    cells = list(grid(given.sets, given.models, given.rows, given.seeds, given.pixels))
    number, count = map(int, given.part.split("/"))
    end = time.monotonic() + 60 * given.minutes if given.minutes else float("inf")
    for cell in cells[number - 1 :: count]:
        if time.monotonic() > end:
            break
        if given.pilots and record(cell, out).is_file() and not trying.kept(cell, out).is_file():
            carry_out(cell, out, trying.run)
        if not (given.pilots or record(cell, out).is_file()):
            carry_out(cell, out, run)


def carry_out(cell: Cell, out: Path, work: Callable[[Cell, Path], dict[str, Any]]) -> None:
    """A cell that fails is said and leaves no record; the others go on."""
    started = time.monotonic()
    try:
        table = work(cell, out)
    except Exception:  # whatever it is, the study has hundreds of other cells
        print(f"{cell.name}: failed\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return
    arms = table.get("arms", {})
    said = " ".join(f"{name} {arm['test_accuracy']:.3f}" for name, arm in arms.items()) or "pilots"
    print(f"{cell.name} ({time.monotonic() - started:.0f} s): {said}", flush=True)
