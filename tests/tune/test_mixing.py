"""Weights between two points: by layer, of adapters, of norm statistics; and LiNeS, which ends there."""

import pytest
import torch

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.adapt.edits import EDITS
from warmstart.models.features import logits_of
from warmstart.tune.mixing import depths, even, mixed, rising

PLACES = {"embeddings": 0, "layer.0": 1, "layer.1": 2, "layer.2": 3, "pooler": 4}


def test_lines_keeps_of_each_layer_s_change_a_share_that_rises_evenly_to_one():
    phase = worlds.phase(lr=1e-2)
    start = worlds.state(worlds.pretrained("bert"))
    tuned = worlds.state(worlds.run("bert", worlds.plan(phase))[0])
    plan = worlds.plan(phase, guards=({"name": "lines", "lowest": 0.2},))
    scaled = worlds.state(worlds.run("bert", plan)[0])
    for name, tensor in scaled.items():
        if name.startswith("classifier"):
            assert torch.equal(tensor, tuned[name])
            continue
        place = next(p for group, p in PLACES.items() if group in name)
        share = 0.2 + 0.8 * place / 4
        expected = start[name].double() + share * (tuned[name].double() - start[name].double())
        assert float((tensor.double() - expected).abs().max()) < 1e-6, name
    assert worlds.equal(scaled, tuned, [n for n in scaled if "pooler" in n])


def test_lines_of_share_one_changes_nothing():
    phase = worlds.phase(lr=1e-2)
    tuned = worlds.state(worlds.run("bert", worlds.plan(phase))[0])
    plan = worlds.plan(phase, guards=({"name": "lines", "lowest": 1.0},))
    assert worlds.equal(worlds.state(worlds.run("bert", plan)[0]), tuned)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_sweep_needs_no_training_and_ends_where_it_began_or_where_it_was_tuned(share):
    """Norm statistics go along, so that what is halfway answers as a model of its own."""
    name = "resnet-basic"
    begun = worlds.pretrained(name)
    start = worlds.state(begun)
    plan = worlds.plan(worlds.phase(lr=1e-2), norm_statistics="learn")
    model, _ = worlds.run(name, plan)
    tuned = worlds.state(model)
    between = mixed(start, tuned, even(model.anatomy, start, share))
    body = [n for n in tuned if not n.startswith("classifier") and not n.endswith("tracked")]
    assert worlds.equal(between, tuned, [n for n in tuned if n not in body])
    for tensor in body:
        expected = (1 - share) * start[tensor].double() + share * tuned[tensor].double()
        assert torch.allclose(between[tensor].double(), expected, atol=1e-6), tensor
    if share in (0.0, 1.0):
        assert worlds.equal(between, {0.0: start, 1.0: tuned}[share], body)
        model.module.load_state_dict(between)
        if share == 0.0:  # the body answers as the start did under the tuned head
            head = {n: t for n, t in tuned.items() if n.startswith("classifier")}
            begun.module.load_state_dict(head, strict=False)
            rows = worlds.splits(name)["validation"].inputs
            assert torch.equal(logits_of(model.anatomy, rows), logits_of(begun.anatomy, rows))


def test_an_adapter_is_scaled_by_its_second_factor_alone():
    model, _ = EDITS.build({"name": "lora", "rank": 2, "alpha": 4}).apply(worlds.pretrained("bert"), (), 0)
    start = worlds.state(model)
    guarded.moved(model)
    tuned = worlds.state(model)
    names = [n for n in tuned if ".lora_" in n]
    after = mixed(start, tuned, rising(model.anatomy, names, 0.0))
    for first in (n for n in names if ".lora_A." in n):
        second = first.replace("lora_A", "lora_B")
        share = next(p for group, p in PLACES.items() if group in first) / 4
        product = after[second].double() @ after[first].double()
        assert torch.allclose(product, share * (tuned[second].double() @ tuned[first].double()), atol=1e-7)


def test_every_tensor_below_the_head_has_the_place_of_its_group():
    model = worlds.pretrained("bert")
    found = depths(model.anatomy, worlds.state(model))
    assert set(found) == {n for n in worlds.state(model) if not n.startswith("classifier")}
    for name, place in found.items():
        assert place == next(p for group, p in PLACES.items() if group in name), name


def test_a_body_of_one_group_keeps_all():
    model = worlds.pretrained("bert")
    anatomy = type(model.anatomy)(model.module, model.anatomy.part, model.anatomy.groups[-2:])
    names = [n for n in worlds.state(model) if "pooler" in n]
    assert set(rising(anatomy, names, 0.3).values()) == {1.0}
