"""The decision study: nested rows, one cell to its end, and a study that goes on."""

import csv
import json

import numpy as np
import pytest

from benchmarks.curves import chains
from benchmarks.decisions import trying, worlds
from benchmarks.decisions.cell import record, run
from benchmarks.decisions.read import read_pilots
from benchmarks.decisions.worlds import ASSETS, CHOOSING, LEFT_OUT, Cell, deal, grid, items, world, write_cell
from warmstart.base.types import Reason
from warmstart.decide.pilots import Ask

pytestmark = pytest.mark.skipif(not (ASSETS / "data").is_dir(), reason=f"no assets at {ASSETS}")
CELL = Cell("amazon", "stories260k_llama", 16, 0)


def splits(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["place"]: (row["split"], row["text"], row["label"]) for row in csv.DictReader(file)}


def test_a_small_cell_is_a_part_of_a_large_one_and_proves_on_rows_of_neither(tmp_path):
    chosen = world("amazon")
    found = {}
    for size in (16, 64):
        write_cell(chosen, size, 3, tmp_path / "rows.csv")
        found[size] = splits(tmp_path / "rows.csv")
    assert found[16].keys() < found[64].keys()
    assert {f"teach-{i}" for i in range(LEFT_OUT * 16)} <= found[16].keys()
    assert all(found[16][place][1:] == found[64][place][1:] for place in found[16])
    taught = {n: {p for p, (split, *_) in rows.items() if split == "train"} for n, rows in found.items()}
    chose = {n: {p for p, (split, *_) in rows.items() if split == "validation"} for n, rows in found.items()}
    assert taught[16] == {f"teach-{i}" for i in range(16)} < taught[64]
    assert (len(chose[16]), len(chose[64])) == (16 // CHOOSING, 64 // CHOOSING)
    assert all(split == "test" for place, (split, *_) in found[64].items() if place.startswith("prove"))


def test_other_seeds_deal_other_rows_and_no_row_both_teaches_and_proves():
    chosen = world("sms_spam")
    one, other = deal(chosen, 0), deal(chosen, 1)
    assert one.teaching != other.teaching
    assert len(one.teaching) == chosen.most
    assert len(one.choosing) == chosen.most // CHOOSING
    parts = [*one.teaching, *one.choosing, *one.proving]
    assert len(parts) <= len(items(chosen, "train")) + len(items(chosen, "test"))
    assert len({item.label for item in items(world("banking12"), "test")}) == worlds.BANKING_CLASSES


def test_the_grid_leaves_out_what_a_set_has_not_and_tells_of_all_sets_first():
    cells = list(grid(["pollen_bees", "amazon"], ["minilm-l2-small"], (50, 400), (0, 1), 96))
    assert [(c.world, c.rows, c.seed, c.pixels) for c in cells] == [
        ("amazon", 50, 0, 0),
        ("amazon", 400, 0, 0),
        ("amazon", 50, 1, 0),
        ("amazon", 400, 1, 0),
    ]
    assert all(c.rows <= 200 for c in grid(["pollen_bees"], [], (50, 400), (0,), 96))


def test_a_cell_runs_every_strategy_to_its_end_and_is_not_done_again(tmp_path):
    table = run(CELL, tmp_path)
    assert {"frozen", "partial", "gradual", "full", "scratch", "plain"} <= {*table["arms"], *table["failed"]}
    assert "full" in table["arms"]
    assert not list((tmp_path / "work").iterdir())
    with np.load(record(CELL, tmp_path).with_suffix(".npz")) as arrays:
        right = arrays["full.test.right"]
        assert right.mean() == pytest.approx(table["arms"]["full"]["test_accuracy"])
        assert not set(arrays["learned"]) & set(arrays["full.test.places"])
    read = {chain.strategy: chain.cells[16] for chain in chains([tmp_path], ["frozen", "full"])}
    assert {len(read[name].right) for name in read} == {len(read["full"].truth)}
    assert all(place.startswith("prove-") for place in read["full"].right)
    path = record(CELL, tmp_path)
    path.write_text(json.dumps({"kept": True}))
    assert run(CELL, tmp_path) == {"kept": True}


def test_trials_that_are_asked_for_are_made_once_and_judged_on_rows_that_taught_none(tmp_path):
    why = Reason("pilots", "", "")
    cell = Cell("sms_spam", "stories260k_llama", 50, 0)
    one, more = (Ask(names, 12, why) for names in (("full", "frozen"), ("full", "frozen", "gradual")))
    assert trying.lacks(cell, tmp_path, one)
    first = trying.run(cell, tmp_path, one)
    assert set(first["trials"]) == {"full", "frozen"} and not trying.lacks(cell, tmp_path, one)
    assert trying.lacks(cell, tmp_path, more)
    second = trying.run(cell, tmp_path, more)
    assert second["trials"].items() >= first["trials"].items(), "what was made is kept"
    found = read_pilots(trying.kept(cell, tmp_path))
    assert found.rows == 12 and found.judged.keys() == second["trials"].keys()
    assert {len(right) for right in found.judged.values()} == {25}
    assert trying.lacks(cell, tmp_path, Ask(("full", "frozen"), 25, why)), "on as many rows as are asked for"
