"""What weights are worth: starts weakened as they say, measured as the candidates were, compared fairly."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from street_world import image_model, reviews, text_model, write_csv, write_shapes
from warmstart import process
from warmstart.evaluate.compare import paired, samples
from warmstart.evaluate.metrics.accuracy import Accuracy
from warmstart.models.load import load
from warmstart.street import deciding, stops, training, weights
from warmstart.street.folder import Options, begin


def set_out(place, data, model, **more):
    trip = begin(Options(str(data), models=(str(model),), **more), place / "runs")
    bundle = stops.read(trip)
    ranking, _ = stops.select(trip, bundle)
    facts = deciding.look(trip, bundle, ranking)
    plan, _ = deciding.decide(trip, facts, ranking)
    ready = training.prepare(trip, bundle, training.load_for(trip, plan, facts.modality))
    return trip, bundle, ranking, facts, plan, ready


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    place = tmp_path_factory.mktemp("texts")
    data, model = write_csv(place / "rows.csv", reviews(120)), text_model(place / "model")
    return set_out(place, data, model, strategy="full", settings=("phases.2.epochs=2",))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    place = tmp_path_factory.mktemp("pictures")
    data, model = write_shapes(place / "shapes"), image_model(place / "model")
    return set_out(place, data, model, strategy="full", settings=("phases.2.epochs=2",))


def tensors(pretrained):
    return {name: value.detach().clone() for name, value in pretrained.module.named_parameters()}


def head_of(pretrained):
    return {id(p) for p in pretrained.anatomy.parameters(pretrained.anatomy.names[-1])}


@pytest.mark.parametrize("world", ["texts", "pictures"])
def test_noise_is_a_share_of_each_tensor_s_spread_and_leaves_the_head(world, request):
    trip, _, _, facts, plan, _ = request.getfixturevalue(world)
    loaded = training.load_for(trip, plan, facts.modality)
    before, head = tensors(loaded), head_of(loaded)
    weights.add_noise(loaded, 0.3, 7)
    moved = 0
    for name, now in loaded.module.named_parameters():
        added, spread = now.detach() - before[name], before[name].std(correction=0)
        if id(now) in head or spread == 0:
            assert not added.any(), name
        elif now.numel() > 500:
            assert float(added.std() / spread) == pytest.approx(0.3, rel=0.15), name
            moved += 1
    assert moved > 1


def test_more_noise_is_more_of_the_same_and_the_same_seed_gives_the_same(texts):
    trip, _, _, facts, plan, _ = texts

    def noise(level, seed=0):
        loaded = training.load_for(trip, plan, facts.modality)
        before = tensors(loaded)
        weights.add_noise(loaded, level, seed)
        return torch.cat([(p.detach() - before[n]).flatten() for n, p in loaded.module.named_parameters()])

    little, much = noise(0.1), noise(1.0)
    assert torch.allclose(10 * little, much, atol=1e-4)
    assert torch.equal(little, noise(0.1))
    assert not torch.allclose(little, noise(0.1, seed=1), atol=1e-4)


def test_the_upper_half_is_fresh_and_the_lower_half_is_as_it_was(texts):
    trip, _, _, facts, plan, _ = texts
    assert weights.upper_half(plan, facts) == ("layer.1", "pooler")
    loaded = training.load_for(trip, plan, facts.modality)
    before = tensors(loaded)
    fresh = tensors(load(plan.model, "text", weights=False, seed=plan.seed))
    weights.freshen(loaded, trip, plan, ("layer.1", "pooler"))
    for name, now in loaded.module.named_parameters():
        upper = "layer.1." in name or "pooler" in name
        assert torch.equal(now, fresh[name] if upper else before[name]), name


def test_the_half_is_one_of_the_layers_that_the_plan_keeps(texts):
    _, _, _, facts, plan, _ = texts
    cut = replace(plan, edits=({"name": "drop_layers", "keep": 1}, {"name": "new_head"}))
    assert weights.upper_half(cut, facts) == ("pooler",)
    assert weights.upper_half(cut, replace(facts, groups=("embeddings", "layer.0", "layer.1", "head"))) == (
        "layer.0",
    )


@pytest.mark.parametrize("world", ["texts", "pictures"])
def test_quality_is_what_the_ranking_measured(world, request):
    trip, bundle, ranking, facts, plan, _ = request.getfixturevalue(world)
    loaded = training.load_for(trip, plan, facts.modality)
    assert weights.quality(trip, loaded, bundle) == ranking.best.accuracy
    assert weights.known_quality(ranking, plan) == ranking.best.accuracy


def test_weights_that_were_not_weakened_are_not_behind_at_all(texts):
    """The same rows, recipe and seed: nothing but the weights can make a difference."""
    trip, bundle, ranking, _, plan, ready = texts
    arms = {"full": (training.carry_out(trip, "full", plan, bundle, ready),)}
    idle = weights.Weakened("idle", "as they were", lambda pretrained: None)
    known = weights.dependency(trip, [idle], arms, plan, bundle, ranking, ready)
    (start,) = known.starts
    assert (start.behind.value, start.behind.p) == (0, 1)
    assert start.accuracy == known.accuracy
    assert start.quality == known.quality


def test_norm_statistics_follow_the_weights(pictures):
    """The mean that a norm takes off is again that of the training rows."""
    trip, bundle, _, facts, plan, ready = pictures
    loaded = training.load_for(trip, plan, facts.modality)
    norms = [m for m in loaded.module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    seen, stale = {}, norms[0].running_mean.clone()
    weights.changed(loaded, trip, plan, bundle, ready, lambda p: weights.add_noise(p, 1.0, 0))
    hook = norms[0].register_forward_hook(lambda m, i, out: seen.setdefault("in", i[0].detach()))
    loaded.module.eval()
    inputs = ready.splits["train"].inputs
    loaded.anatomy.run(inputs.batch(np.arange(len(inputs))))
    hook.remove()
    mean_C = seen["in"].mean((0, 2, 3))
    assert torch.allclose(mean_C, norms[0].running_mean, atol=0.01)
    assert not torch.allclose(mean_C, stale, atol=0.1)
    assert not any(m.training for m in loaded.module.modules())


def test_every_start_is_paired_with_the_plan_on_the_same_test_rows(text_copy):
    with process.one_thread():
        result = process.prove(text_copy, probes=("weights",))
    known = result.weights
    assert [s.name for s in known.starts] == [
        "noise-0.1",
        "noise-0.3",
        "noise-1",
        "fresh-upper-half",
        "scratch",
    ]
    assert known.run == result.plan.strategy
    assert known.quality == result.ranking[0].accuracy
    with np.load(Path(result.run, "training", known.run, "predictions.npz")) as said:
        ours, truth = said["test.probs"].argmax(1), said["test.truth"]
    for start in known.starts:
        place = ("training", "scratch") if start.name == "scratch" else ("trials", f"weights-{start.name}")
        with np.load(Path(result.run, *place, "predictions.npz")) as said:
            theirs = said["test.probs"].argmax(1)
            assert (said["test.truth"] == truth).all()
        assert start.accuracy.value == pytest.approx((theirs == truth).mean())
        assert start.behind.value == pytest.approx((ours == truth).mean() - (theirs == truth).mean())
        assert start.behind.low <= start.behind.value <= start.behind.high
        assert start.behind.p_holm >= start.behind.p
    assert process.run(text_copy) == result, "and then it is done"


def test_the_interval_is_that_of_paired_shares(texts):
    from warmstart.evaluate.probes.weights import behind

    trip, bundle, ranking, _, plan, ready = texts
    full = training.carry_out(trip, "full", plan, bundle, ready)
    other = training.carry_out(trip, "short", replace(plan, phases=plan.phases[:1]), bundle, ready)
    _, gains = behind("full", {"full": full, "short": other})
    said = {name: run.predictions["test"] for name, run in (("full", full), ("short", other))}
    found = samples(said, {"accuracy": Accuracy()}, 0)
    expected, p = paired(found["full", "accuracy"], found["short", "accuracy"])
    assert (gains["short"].low, gains["short"].high, gains["short"].p) == (expected.low, expected.high, p)


def test_an_arm_from_the_second_best_candidate_is_one_start_more(texts):
    trip, bundle, ranking, _, plan, ready = texts
    full = training.carry_out(trip, "full", plan, bundle, ready)
    idle = weights.Weakened("idle", "as they were", lambda pretrained: None)
    arms = {"full": (full,), "runner-up": (full,)}
    known = weights.dependency(trip, [idle], arms, plan, bundle, ranking, ready)
    assert [(s.name, s.plain) for s in known.starts][1] == ("runner-up", "the second-best candidate")
    assert known.starts[1].quality == ranking.best.accuracy


def test_a_plan_from_scratch_has_no_weights_to_lose(texts):
    trip, bundle, ranking, facts, plan, ready = texts
    fresh = replace(plan, strategy="scratch", pretrained=False)
    assert weights.weakened(trip, fresh, facts) == []
    known = weights.dependency(trip, [], {}, fresh, bundle, ranking, ready)
    assert known.refused.saw == "scratch starts from fresh weights"
