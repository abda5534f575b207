"""Do curves foresee? The study reads the cells of the decisions, judges like with like, and counts right."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import curves
from benchmarks.curves import chains, figures, judged, misses, tables
from benchmarks.decisions.cell import record
from benchmarks.decisions.worlds import Cell
from warmstart.decide.curves.fit import fit
from warmstart.decide.curves.points import Point

SIZES = (50, 100, 200, 400, 800)


def power(n):
    return 0.95 - 3 * n**-0.6


def write_cell(out, rows, score, *, world="reviews", model="small", seed=0, arms=("full",), proving=500):
    """A cell as the decision study leaves it; its proving rows follow some that larger cells learn from."""
    cell = Cell(world, model, rows, seed)
    path = record(cell, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    luck = np.random.default_rng(seed).random(proving)  # the same rows are easy at every size
    right = np.concatenate([np.ones(30, bool), luck < score])
    places = [f"teach-{i}" for i in range(30)] + [f"prove-{i}" for i in range(proving)]
    arrays = {
        f"{arm}.test.{key}": values
        for arm in arms
        for key, values in (
            ("places", np.array(places)),
            ("right", right),
            ("truth", np.arange(len(right)) % 2),
        )
    }
    np.savez(path.with_suffix(".npz"), **arrays)
    known = {"world": world, "model": model, "rows": rows, "seed": seed}
    table = {"cell": known, "rows": {"train": rows - 1}, "classes": ["a", "b"], "arms": dict.fromkeys(arms)}
    path.write_text(json.dumps(table))


@pytest.fixture
def cells(tmp_path):
    for rows in SIZES:
        write_cell(tmp_path, rows, power(rows))
    return tmp_path


def test_a_chain_has_every_size_and_only_proving_rows_count(cells):
    (chain,) = chains([cells], ["full", "frozen"])
    assert (chain.world, chain.strategy, chain.classes) == ("reviews", "full", 2)
    assert sorted(chain.cells) == list(SIZES)
    assert all(len(c.right) == 500 and c.rows == n - 1 for n, c in chain.cells.items())


def test_a_prediction_is_that_of_a_curve_through_the_smaller_sizes_alone(cells):
    (chain,) = chains([cells], ["full"])
    lines = list(judged(chain))
    assert [(x["n"], x["m"], x["times"]) for x in lines] == [
        (200, 400, "2x"),
        (200, 800, "4x"),
        (400, 800, "2x"),
    ]
    scores = {n: sum(c.right.values()) for n, c in chain.cells.items()}
    known = fit([Point(n - 1, scores[n], 500) for n in SIZES[:3]], classes=2, floor=0.5)
    expected = known.at(4 * 199, trainings=1, same_rows=True).likely
    assert (lines[1]["value"], lines[1]["low"], lines[1]["high"]) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert lines[1]["measured"] == scores[800] / 500
    assert lines[1]["before"] == scores[200] / 500


def test_only_rows_that_every_size_was_asked_about_are_compared(cells):
    write_cell(cells, 800, power(800), proving=400)
    (chain,) = chains([cells], ["full"])
    line = list(judged(chain))[0]
    assert line["before"] == pytest.approx(
        np.mean([chain.cells[200].right[f"prove-{i}"] for i in range(400)])
    )


def test_curves_that_are_not_drawn_are_counted_by_their_reason(tmp_path):
    for rows in SIZES[:4]:
        write_cell(tmp_path, rows, 0.9 - 0.1 * np.log2(rows / 50))
    every = chains([tmp_path], ["full"])
    found = figures([line for c in every for line in judged(c)], every)
    assert found["refusals"] == {"falls": 1}
    assert found["predictions"] == 0
    assert "falls" in tables(found)


def test_shares_errors_and_misses_are_counted_from_the_lines(cells):
    def line(unit, measured, times="2x", **more):
        known = {"world": "w", "strategy": "full", "unit": unit, "times": times, "before": 0.5}
        return {**known, "value": 0.7, "low": 0.6, "high": 0.8, "measured": measured, **more}

    lines = [line("one", 0.7), line("one", 0.9), line("two", 0.65), line("three", 0.5, "4x")]
    found = figures([*lines, {"refused": "floor"}], [])
    two = found["by"]["2x"]["all"]
    assert two["share"] == pytest.approx(2 / 3)
    assert (two["predictions"], two["units"]) == (3, 2)
    assert two["low"] <= two["share"] <= two["high"]
    assert two["error"] == pytest.approx((0 + 0.2 + 0.05) / 3)
    assert two["bias"] == pytest.approx((0 + 0.2 - 0.05) / 3)
    assert two["error_of_no_growth"] == pytest.approx((0.2 + 0.4 + 0.15) / 3)
    assert found["by"]["4x"]["all"]["share"] == 0
    assert [sentence[:5] for sentence in misses(found)] == ["at 2x", "at 4x"]


def test_the_command_prints_a_table_and_draws(cells, tmp_path, capsys):
    curves.main(["--cells", str(cells), "--out", str(tmp_path / "out"), "--quick"])
    told = capsys.readouterr().out
    assert "At about 2x the rows" in told and "| full |" in told
    assert ElementTree.parse(tmp_path / "out" / "curves.svg").getroot().tag.endswith("svg")
    curves.main(["--cells", str(cells), "--out", str(tmp_path / "out"), "--quick", "--json"])
    assert json.loads(capsys.readouterr().out)["figures"]["predictions"] == 3


def test_without_cells_nothing_is_foreseen_and_that_is_said(tmp_path, capsys):
    curves.main(["--cells", str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert "0 predictions, 0 chains" in capsys.readouterr().out
