"""Candidates are read on few rows first; those that are left are read as if on all at once."""

import numpy as np
import pytest

from street_world import image_model, write_shapes
from warmstart.select import sift as rules
from warmstart.street import opening, stops
from warmstart.street.folder import Options, begin
from warmstart.street.sifting import sift


@pytest.fixture
def trip(tmp_path):
    models = tuple(str(image_model(tmp_path / f"m{i}", seed=i)) for i in range(3))
    data = write_shapes(tmp_path / "shapes", each=60)
    return begin(Options(str(data), models=models, baseline=False), tmp_path / "run")


def sifted(trip, monkeypatch, fewest):
    monkeypatch.setattr(rules, "FEWEST", fewest)
    bundle = stops.read(trip)
    task = stops.task_of(bundle)
    labels = task.targets(bundle, bundle.train).numpy()
    return bundle, task, labels, sift(trip, task, bundle, np.arange(len(labels)), labels, None)


def test_those_that_are_left_have_the_features_of_all_rows_in_their_order(trip, monkeypatch):
    bundle, task, labels, found = sifted(trip, monkeypatch, 20)
    assert len(rules.stages(labels, None, 3)) > 1
    whole, _ = opening.open_all(trip, task, bundle, bundle.train)
    known = {one.candidate.source: one for one in whole}
    assert found.opened
    for one in found.opened:
        before = known[one.candidate.source]
        assert one.candidate == before.candidate
        assert one.pace > 0
        for name, values in before.features.items():
            assert np.allclose(one.features[name], values, atol=1e-5), name
    sources = {one.candidate.source for one in found.opened} | {
        p.scored.candidate.source for p in found.parted
    }
    assert sources == set(known)


def test_the_leaders_row_of_the_ranking_is_the_same_with_stages_and_without(trip, monkeypatch):
    sifted(trip, monkeypatch, 20)
    with_stages, _ = stops.select(trip, stops.read(trip))
    trip.path("ranking.json").unlink()
    monkeypatch.setattr(rules, "FEWEST", 10_000)
    without, _ = stops.select(trip, stops.read(trip))
    assert with_stages.best.candidate.source == without.best.candidate.source
    assert with_stages.best.score.value == pytest.approx(without.best.score.value, abs=1e-5)
    assert {one.candidate.source for one in with_stages.scored} == {
        one.candidate.source for one in without.scored
    }


def test_a_model_that_cannot_be_opened_costs_one_line_and_not_the_run(trip, tmp_path, monkeypatch):
    from dataclasses import replace

    torn = tmp_path / "torn"
    torn.mkdir()
    options = replace(trip.options, models=(*trip.options.models, str(torn)))
    _, _, _, found = sifted(replace(trip, options=options), monkeypatch, 20)
    assert sum("torn" in finding.what for finding in found.findings) == 1
