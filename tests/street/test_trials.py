"""Trials: nested parts that judge fairly, the loop of all trainings, and nothing done twice."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from street_world import image_model, reviews, text_model, write_csv, write_shapes
from warmstart.street import deciding, stops, training
from warmstart.street.folder import Options, begin
from warmstart.street.trials import asked, deal, spread, trial


def set_out(place, data, model, **more):
    trip = begin(Options(str(data), models=(str(model),), **more), place / "runs")
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    plan, _ = deciding.decide(trip, facts, ranking)
    return trip, bundle, plan, training.prepare(trip, bundle, training.load_for(trip, plan, facts.modality))


@pytest.fixture
def texts(tmp_path):
    return set_out(
        tmp_path,
        write_csv(tmp_path / "rows.csv", reviews(120)),
        text_model(tmp_path / "model"),
        strategy="full",
    )


@pytest.fixture
def pictures(tmp_path):
    return set_out(
        tmp_path, write_shapes(tmp_path / "shapes"), image_model(tmp_path / "model"), strategy="full"
    )


def test_the_deal_keeps_classes_apart_evenly_and_its_parts_are_nested(texts):
    _, bundle, _, ready = texts
    dealt = deal(bundle, 0)
    assert sorted([*dealt.teaching, *dealt.judging]) == list(range(len(bundle.train)))
    assert abs(len(dealt.judging) - len(bundle.train) / 2) <= 1
    truth = ready.splits["train"].targets.numpy()
    assert set(dealt.first(8)) < set(dealt.first(20))
    for rows in (4, 8, 20):
        counts = np.bincount(truth[dealt.first(rows)], minlength=2)
        assert abs(counts[0] - counts[1]) <= 2
    assert not np.array_equal(deal(bundle, 1).judging, dealt.judging)


def test_rows_of_a_group_judge_together_or_teach_together(tmp_path):
    rows = [(text, label, f"author-{n // 3}") for n, (text, label) in enumerate(reviews(120))]
    data = write_csv(tmp_path / "rows.csv", rows, ("review", "mood", "author"))
    _, bundle, _, _ = set_out(tmp_path, data, text_model(tmp_path / "model"), strategy="full", group="author")
    authors = np.array([str(bundle.rows.column("author")[n]) for n in bundle.train])
    dealt = deal(bundle, 0)
    assert len(dealt.judging) > len(authors) / 4
    assert not set(authors[dealt.judging]) & set(authors[dealt.teaching])


def test_any_cut_of_a_spread_order_has_the_classes_in_their_proportions():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    order = spread(labels, np.random.default_rng(0).permutation(100))
    for rows in (10, 33, 50, 77):
        assert (
            np.abs(np.bincount(labels[order[:rows]], minlength=3) / rows - [0.6, 0.3, 0.1]).max() < 2 / rows
        )


@pytest.mark.parametrize("world", ["texts", "pictures"])
def test_on_all_rows_a_trial_is_the_training_itself(world, request):
    trip, bundle, plan, ready = request.getfixturevalue(world)
    whole = training.carry_out(trip, "full", plan, bundle, ready)
    every = np.arange(len(bundle.train))
    tried = trial(trip, "all", plan, bundle, ready, every, {"test": asked(ready, "test")})
    assert np.array_equal(tried.predictions["test"].probabilities, whole.predictions["test"].probabilities)
    assert np.array_equal(tried.predictions["test"].rows, whole.predictions["test"].rows)
    assert tried.steps == whole.steps


def test_fewer_rows_take_fewer_steps_and_others_are_asked(texts):
    trip, bundle, plan, ready = texts
    dealt = deal(bundle, 0)
    rows = asked(ready, "train", dealt.judging)
    small = trial(trip, "small", plan, bundle, ready, dealt.first(16), {"judged": rows})
    large = trial(trip, "large", plan, bundle, ready, dealt.first(48), {"judged": rows})
    assert small.steps < large.steps
    assert set(small.predictions["judged"].rows) == {bundle.train[p] for p in dealt.judging}
    assert not (trip.path("trials", "small") / "model").exists()


def test_a_trial_in_the_folder_is_not_done_again_but_another_one_of_its_name_is(texts, monkeypatch):
    trip, bundle, plan, ready = texts
    rows = {"test": asked(ready, "test")}
    first = trial(trip, "one", plan, bundle, ready, np.arange(20), rows)
    other = trial(trip, "one", plan, bundle, ready, np.arange(30), rows)
    assert other.proofs["rows"] == 30
    monkeypatch.setattr("warmstart.street.trials.tune", None)
    again = trial(trip, "one", plan, bundle, ready, np.arange(30), rows)
    assert np.array_equal(again.predictions["test"].probabilities, other.predictions["test"].probabilities)
    with pytest.raises(TypeError):
        trial(trip, "one", replace(plan, seed=5), bundle, ready, np.arange(30), rows)
    assert first.proofs["rows"] == 20


def test_changed_weights_are_another_trial(texts):
    trip, bundle, plan, ready = texts
    rows = {"test": asked(ready, "test")}

    def to_nothing(pretrained):
        with torch.no_grad():
            for weights in pretrained.module.parameters():
                weights.zero_()

    plain = trial(trip, "one", plan, bundle, ready, np.arange(40), rows)
    empty = trial(trip, "one", plan, bundle, ready, np.arange(40), rows, change=to_nothing, changed="zeros")
    assert not np.array_equal(
        empty.predictions["test"].probabilities, plain.predictions["test"].probabilities
    )
