"""The record of the study: the line of a world that has one, and no line where sets do not share it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.decisions.read import Read
from benchmarks.decisions.record import record, records
from benchmarks.decisions.worlds import Cell
from warmstart.base.types import Facts
from warmstart.decide.record import RECORDS, REFERENCE, belief

FACTS = Facts(
    task="image_classification", modality="image", rows=100, classes=2, fewest_per_class=50,
    median_per_class=50.0, floor=0.5, probe=0.8, groups=("stem", "head"), depths={}, parameters=1_000_000,
    pretrained=True, head_is_linear=True, can_pool=False, can_cut=False, has_batch_norm=True, baseline=0.7,
)  # fmt: skip
ROWS = 4000  # that prove


def cells(difference, sets=8, each=12, seed=0):
    """Cells whose frozen accuracy is `difference(facts, set)` beside a full one of 70 %."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(sets):
        for _ in range(each):
            per_class = float(10 ** rng.uniform(0.5, 2.5))
            facts = replace(FACTS, median_per_class=per_class, probe=rng.uniform(0.55, 0.95))
            shares = {"frozen": 0.7 + difference(facts, number), REFERENCE: 0.7}
            right = {name: np.arange(ROWS) < round(ROWS * share) for name, share in shares.items()}
            found.append(Read(Cell(f"set-{number}", "model", 100, 0), facts, {}, right))
    return found


def test_the_line_of_a_world_is_found():
    def line(facts, _):
        return -0.05 + 0.04 * np.log10(facts.median_per_class / 10) + 0.1 * (facts.similarity - 0.5)

    found = record(cells(line))
    for per_class, probe in ((5.0, 0.6), (50.0, 0.9), (300.0, 0.7)):
        facts = replace(FACTS, median_per_class=per_class, probe=probe)
        assert belief(found.trends["frozen"], facts).mean == pytest.approx(line(facts, 0), abs=0.01)
    assert found.trends["frozen"].spread <= 0.015
    assert (found.cells, found.parameters) == (96, 1_000_000)


def test_where_every_set_has_its_own_slope_there_is_none_and_the_spread_tells():
    def own(facts, number):
        return 0.1 * (-1) ** number * np.log10(facts.median_per_class / 30)

    trend = record(cells(own)).trends["frozen"]
    assert abs(trend.rows) < 0.01
    assert trend.spread == pytest.approx(0.058, abs=0.015)


def test_the_noise_of_proving_rows_is_no_spread_of_cells():
    rng = np.random.default_rng(1)

    def noisy(*_):
        return rng.normal(-0.05, 0.01)

    assert record(cells(noisy)).trends["frozen"].spread <= 0.012


def test_what_was_run_in_one_set_alone_has_no_trend():
    assert record(cells(lambda *_: 0.0, sets=1)).trends == {}


def test_it_is_printed_as_the_code_that_the_product_holds():
    names = {"Record": type(RECORDS["image"]), "Trend": type(RECORDS["image"].trends["frozen"])}
    mine = cells(lambda *_: -0.05)
    scope = {}
    exec(records(mine), names, scope)  # noqa: S102  our own print
    assert scope["RECORDS"] == {"image": record(mine)}
