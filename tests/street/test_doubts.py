"""What the second stop notices of the rows: labels that features speak against, tests unlike training."""

import csv

import numpy as np
import pytest

import street_world
from warmstart import process
from warmstart.street import suspects
from warmstart.street.shift import class_difference


def findings_of(run, check):
    import json

    table = json.loads((run / "ranking.json").read_text())
    return [f for f in table["findings"] if f["check"] == check]


@pytest.fixture(scope="module")
def mislabelled(world, tmp_path_factory):
    """A run folder of 240 reviews, every eleventh of which has the other label; and what was planted."""
    place = tmp_path_factory.mktemp("mislabelled")
    rows = street_world.clear_reviews(240)
    other = {"good": "bad", "bad": "good"}
    planted = {f"reviews.csv:{i + 2}" for i in range(0, 240, 11)}
    rows = [(text, other[label] if i % 11 == 0 else label) for i, (text, label) in enumerate(rows)]
    data = street_world.write_csv(place / "reviews.csv", rows)
    process.rank(data, runs=place / "runs", models=world / "text-model")
    return place / "runs" / "reviews-1", planted


def test_planted_labels_are_named_with_place_label_and_the_likelier_one(mislabelled):
    folder, planted = mislabelled
    (finding,) = findings_of(folder, "label_noise")
    with (folder / suspects.FILE).open() as file:
        rows = list(csv.DictReader(file))
    assert finding["count"] == len(rows) and len(finding["where"]) == min(len(rows), suspects.SHOWN)
    first = [row["where"] for row in rows[:10]]
    assert np.mean([place in planted for place in first]) >= 0.8
    assert finding["where"][0] == f"{rows[0]['where']} ({rows[0]['label']!r}, rather {rows[0]['likely']!r})"
    assert "nothing was changed" in finding["do"]
    shares = [float(row["p_label"]) for row in rows]
    assert shares == sorted(shares)
    assert all(float(row["normalised_margin"]) < 0.5 for row in rows)


def test_the_findings_are_read_back_and_not_made_again(mislabelled):
    folder, _ = mislabelled
    before = street_world.stamps(folder)
    process.rank(folder)
    after = street_world.stamps(folder)
    assert before[folder / suspects.FILE] == after[folder / suspects.FILE]


def test_too_few_rows_or_features_that_know_nothing_speak_against_no_label():
    rng = np.random.default_rng(0)
    labels_N = np.arange(40) % 2
    assert suspects.out_of_fold({"head": rng.normal(size=(40, 3))}, labels_N, None, 0) is None
    labels_N = np.arange(200) % 4
    assert suspects.out_of_fold({"head": rng.normal(size=(200, 3))}, labels_N, None, 0) is None
    known = rng.normal(size=(200, 4)) + 3 * np.eye(4)[labels_N]
    shares_NC, right = suspects.out_of_fold({"head": known}, labels_N, None, 0)
    assert shares_NC.shape == (200, 4) and right > 0.8


def test_test_rows_of_other_words_are_told_and_rows_drawn_alike_are_not(world, tmp_path):
    rows = street_world.reviews(160, seed=3)
    strange = [" ".join([f"{word}x" for word in text.split()[:4]] + text.split()[4:]) for text, _ in rows]
    shifted = [(text, label) for text, (_, label) in zip(strange, rows, strict=True)]
    data = street_world.write_csv(tmp_path / "x.csv", rows)
    for name, others, told in (("like", street_world.reviews(80, seed=9), 0), ("unlike", shifted[:80], 1)):
        test = street_world.write_csv(tmp_path / f"{name}.csv", others)
        process.rank(data, runs=tmp_path / name, models=world / "text-model", test=test)
        found = findings_of(tmp_path / name / "x-1", "shift")
        assert len(found) == told, found
        if told:
            assert found[0]["level"] == "warning" and "bag of words" in found[0]["what"]


def test_a_test_that_is_made_by_chance_is_not_compared(mislabelled):
    assert not findings_of(mislabelled[0], "shift")


def test_pictures_of_another_brightness_are_told(world, tmp_path):
    from PIL import Image, ImageEnhance

    train = street_world.write_shapes(tmp_path / "train", each=20)
    test = street_world.write_shapes(tmp_path / "test", each=14, seed=4)
    for path in test.rglob("*.png"):
        ImageEnhance.Brightness(Image.open(path).convert("RGB")).enhance(0.5).save(path)
    bundle = process.check(train, test=test)
    assert [f.level for f in bundle.findings if f.check == "shift"] == ["warning"]


def test_class_shares_that_differ_are_measured_and_chance_is_not(tmp_path):
    rows = street_world.reviews(200, seed=1)
    few = [row for row in street_world.reviews(200, seed=2) if row[1] == "bad"][:60]
    data = street_world.write_csv(tmp_path / "x.csv", rows)
    skew = street_world.write_csv(tmp_path / "skew.csv", few + street_world.reviews(20, seed=3))
    apart, name = class_difference(process.check(data, test=skew))
    assert apart == pytest.approx(70 / 80 - 0.5, abs=0.02) and name in ("bad", "good")
    like = street_world.write_csv(tmp_path / "like.csv", street_world.reviews(60, seed=4))
    assert class_difference(process.check(data, test=like)) == (0.0, "")
