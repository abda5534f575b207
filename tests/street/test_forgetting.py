"""What a source knew: measured for every run, and bounded by the way of mixed weights."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from street_world import reviews, text_model, write_csv
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.models.load import load
from warmstart.street import bounding, grafting
from warmstart.street.bounding import limit_of
from warmstart.street.forgetting import lost

QUICK = {"baseline": False, "race": 0, "pilots": False}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forgetting")
    process.digits(folder, 5, 0)
    return folder


@pytest.fixture(scope="module")
def flat(place):
    """Pictures without labels, of other digits than those that are learned from."""
    folder = place / "flat"
    folder.mkdir()
    for path in sorted((place / "digits-5-labels" / "test").glob("*/*.png"))[::3]:
        shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
    return folder


@pytest.fixture(scope="module")
def bounded(place, flat):
    with process.one_thread():
        return process.run(
            place / "digits-5-labels",
            runs=place / "runs",
            models="zoo:letters",
            strategy="full",
            retain=str(flat),
            max_forgetting="20pt",
            **QUICK,
        )


def by_name(result):
    return {run.run: run for run in result.forgetting.runs}


def test_a_frozen_body_has_lost_nothing_and_a_tuned_one_something(bounded):
    runs = by_name(bounded)
    assert set(runs) == {"full", "frozen", "bounded"}
    frozen, full = runs["frozen"], runs["full"]
    assert (frozen.retained.lost.value, frozen.kl.value, frozen.cka.value) == (0, 0, pytest.approx(1))
    assert full.retained.lost.low > 0 and full.kl.low > 0 and full.cka.high < 1
    assert full.retained.before.value == 1, "judged by what the source itself answers"
    assert full.retained.share == pytest.approx(
        full.retained.lost.value / (1 - chance(full, bounded)), rel=1e-6
    )


def chance(run, result):
    """Of the most frequent answer, from the share that the result itself tells."""
    return 1 - run.retained.lost.value / run.retained.share


def old_answers(folder, paths):
    """By another way: the source's own head above the body of a saved model, put together by hand."""
    source, tuned = load("zoo:letters", "image"), load(str(folder), "image")
    ours, theirs = source.module.state_dict(), tuned.module.state_dict()
    same = {n: t for n, t in theirs.items() if n.startswith("resnet.") and t.shape == ours[n].shape}
    assert len(same) == sum(n.startswith("resnet.") for n in ours)
    before = scores(source, paths)
    source.module.load_state_dict(same, strict=False)
    return before, scores(source, paths)


@torch.inference_mode()
def scores(source, paths):
    from PIL import Image

    source.module.eval()
    pixels = source.processor([Image.open(p).convert("RGB") for p in paths], return_tensors="pt")
    return source.module(**pixels).logits.argmax(-1)


def test_what_is_lost_is_what_the_sources_head_answers_otherwise_above_the_saved_body(bounded, flat):
    paths = sorted(flat.glob("*.png"))
    for name in ("full", "bounded"):
        before, after = old_answers(Path(bounded.run) / "training" / name / "model", paths)
        share = float((before != after).float().mean())
        told = by_name(bounded)[name].retained.lost
        assert told.low - 0.02 <= share <= told.high + 0.02


def test_what_is_taken_is_within_the_limit_and_what_is_not_shown_to_be_is_never_recommended(bounded):
    found = bounded.forgetting.bounded
    assert bounded.recommended in ("bounded", "frozen")
    assert found.chosen.within and found.chosen.lost.high <= 0.2
    path = [m for m in found.mixes if m.path == "full"]
    assert [m.alpha for m in path] == list(bounding.ALPHAS[: len(path)])
    assert all(m.within for m in path[:-1]), "the first that is not within is the last that is tried"
    assert found.chosen.new.value == max(m.new.value for m in found.mixes if m.within)
    assert by_name(bounded)["bounded"].retained.lost.value <= 0.2
    model = load(str(Path(bounded.run) / "model"), "image")
    assert len(model.labels) == 10


def test_what_lies_in_the_folder_is_not_searched_again(bounded, monkeypatch):
    monkeypatch.setattr(bounding.Search, "walked", None)
    (Path(bounded.run) / "result.json").unlink()
    again = process.run(bounded.run)
    assert again.forgetting.bounded == bounded.forgetting.bounded
    assert again.recommended == bounded.recommended


def test_the_ends_of_the_way_are_the_source_and_what_was_tuned():
    start, tuned = {"w": torch.tensor([1.0, 2.0])}, {"w": torch.tensor([3.0, -2.0])}
    assert grafting.mixed(start, tuned, 0)["w"] is start["w"]
    assert grafting.mixed(start, tuned, 1)["w"] is tuned["w"]
    assert grafting.mixed(start, tuned, 0.25)["w"].tolist() == [1.5, 1.0]


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("1pt", 0.01, "points"),
        ("0.5 pt", 0.005, "points"),
        ("5%", 0.05, "percent"),
        ("0.05nat", 0.05, "nats"),
    ],
)
def test_a_limit_is_read_in_its_unit(text, amount, unit):
    found = limit_of(text)
    assert (found.amount, found.unit) == (pytest.approx(amount), unit)
    assert found.of(0.8) == pytest.approx(amount * 0.8 if unit == "percent" else amount)


@pytest.mark.parametrize("text", ["1", "pt", "-1pt", "0pt", "100%", "1pt more", "nan nat"])
def test_a_limit_that_cannot_be_read_is_refused_before_anything_is_done(place, text):
    with pytest.raises(WarmstartError, match="--max-forgetting"):
        process.run(place / "digits-5-labels", runs=place / "bad", models="zoo:letters", max_forgetting=text)
    assert not (place / "bad").exists()


def test_a_source_without_a_head_has_nothing_that_a_limit_could_be_put_on(tmp_path):
    text_model(tmp_path / "model")
    write_csv(tmp_path / "rows.csv", reviews(40))
    asked = {"models": str(tmp_path / "model"), "strategy": "full", "max_forgetting": "1pt", **QUICK}
    with pytest.raises(WarmstartError, match="no trained head"):
        process.run(tmp_path / "rows.csv", runs=tmp_path / "runs", **asked)


def test_a_plan_from_fresh_weights_knew_nothing(place):
    asked = {"models": "zoo:letters", "strategy": "scratch", "max_forgetting": "1pt", **QUICK}
    with process.one_thread(), pytest.raises(WarmstartError, match="starts from fresh weights"):
        process.run(place / "digits-5-labels", runs=place / "fresh", **asked)


def test_too_few_rows_to_retain_are_refused_with_how_many_it_takes(place, flat):
    few = place / "few"
    few.mkdir()
    for path in sorted(flat.glob("*.png"))[:30]:
        shutil.copy(path, few)
    asked = {"models": "zoo:letters", "strategy": "full", "retain": str(few), **QUICK}
    with process.one_thread(), pytest.raises(WarmstartError) as refusal:
        process.run(place / "digits-5-labels", runs=place / "poor", **asked)
    assert refusal.value.code == "few-rows" and "rows or more" in refusal.value.do


def test_a_loss_is_counted_above_chance():
    before, after = np.r_[np.ones(80), np.zeros(20)], np.r_[np.ones(60), np.zeros(40)]
    found = lost("right", before, after, 0.5, "")
    assert (found.lost.value, found.share) == (pytest.approx(0.2), pytest.approx(0.2 / 0.3))
    assert replace(found, share=None) == replace(lost("right", before, after, 0.9, ""), share=None)
    assert lost("right", before, after, 0.9, "").share is None, "the source had nothing above chance"


def test_adapters_that_were_merged_and_layers_that_were_cut_are_measured_too(tmp_path):
    text_model(tmp_path / "model")
    write_csv(tmp_path / "rows.csv", reviews(40))
    asked = {"models": str(tmp_path / "model"), "runs": tmp_path / "runs", **QUICK}
    for strategy in ("lora", "partial"):
        result = process.run(tmp_path / "rows.csv", strategy=strategy, **asked)
        (tuned, frozen) = (by_name(result)[name] for name in (strategy, "frozen"))
        assert tuned.retained is None and "no trained head" in result.forgetting.refused.saw
        assert frozen.cka.value == pytest.approx(1)
        assert tuned.cka.value < 1 or strategy == "partial"
