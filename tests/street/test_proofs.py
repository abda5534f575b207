"""What is promised of every training holds in clean runs of all kinds, is shown, and is kept."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import street_world
import tiny_models
from proof_worlds import BRISK, proof, scene_of, stage, tick
from street_world import networks_of
from warmstart import process
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.report.read import read_result
from warmstart.street import kept
from warmstart.street.proofs import PROOFS

NAMES = {
    *("frozen_unmoved", "loss_by_hand", "parts_add_up", "padding_is_silent", "saved_is_the_same"),
    *("merged_is_the_same", "starts_as_the_source", "unseen_in_training", "best_is_shipped", "no_collapse"),
}


def broken(ticks):
    return [found for found in ticks if found.holds is False]


@pytest.fixture(params=["text_run", "image_run"])
def walk(request):
    return request.getfixturevalue(request.param)


def test_every_network_of_a_run_has_every_proof_and_none_fails(walk):
    for name, run in networks_of(walk.result).items():
        assert {found.name for found in run.ticks} == NAMES, name
        assert broken(run.ticks) == []
    assert broken(walk.result.ticks) == []


def test_the_result_has_one_proof_for_each_promise_in_their_order(walk):
    names = [found.name for found in walk.result.ticks]
    assert names == sorted(NAMES, key=lambda name: PROOFS.get(name).order)
    for found in walk.result.ticks:
        own = [p for run in networks_of(walk.result).values() for p in run.ticks if p.name == found.name]
        asked = [p.seen for p in own if p.holds is not None]
        assert found.seen == (max(asked) if asked else None), "the run nearest to the bound is shown"


def test_a_proof_that_does_not_apply_says_why(text_run):
    said = {
        name: {p.name: p.what for p in run.ticks if p.holds is None}
        for name, run in networks_of(text_run.result).items()
    }
    assert "no group is frozen" in said["full"]["frozen_unmoved"]
    assert "there are no adapters" in said["full"]["merged_is_the_same"]
    assert "the head is solved" in said["frozen"]["parts_add_up"]
    assert "the weights are fresh" in said["scratch"]["starts_as_the_source"]


def test_adapters_and_several_seeds_are_proved_too(world, tmp_path):
    asked = {"models": (str(world / "text-model"),), "strategy": "lora", "rows": 40, "seeds": 2, **BRISK}
    result = process.run(world / "reviews.csv", runs=tmp_path, **asked)
    assert broken(result.ticks) == []
    assert proof(result.runs["lora"], "merged_is_the_same").holds
    assert proof(result.runs["lora"], "frozen_unmoved").holds
    seed = json.loads((tmp_path / "reviews-1/training/lora-seed-1/run.json").read_text())
    assert {found["name"] for found in seed["run"]["ticks"]} == NAMES


def test_a_model_that_learned_nothing_is_proved_as_far_as_it_can_be(world, tmp_path):
    street_world.text_model(tmp_path / "knows", classes=("bad", "good"))
    asked = {"models": (str(tmp_path / "knows"),), "strategy": "frozen", "rows": 40, **BRISK}
    result = process.run(world / "reviews.csv", runs=tmp_path / "runs", **asked)
    base = {found.name: found.holds for found in result.runs["base"].ticks}
    assert {name for name, holds in base.items() if holds} == {
        *("padding_is_silent", "saved_is_the_same", "starts_as_the_source"),
    }
    assert "scores of 2 kept classes" in proof(result.runs["base"], "starts_as_the_source").what
    assert "nothing is trained" in proof(result.runs["base"], "best_is_shipped").what


def test_proofs_are_kept_with_the_run_and_in_the_result(text_copy):
    result = read_result(text_copy / "result.json")
    (text_copy / "result.json").unlink()
    again = process.run(text_copy)
    assert again.ticks == result.ticks
    assert again.runs["full"].ticks == result.runs["full"].ticks


def test_a_run_from_before_there_were_proofs_is_still_read(text_copy):
    path = text_copy / "training" / "full" / "run.json"
    table = json.loads(path.read_text())
    mark = table["fingerprint"]
    del table["run"]["ticks"]
    path.write_text(json.dumps(table))
    run = kept.read_run(path.parent, mark)
    assert run is not None and run.ticks == ()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_chosen_look_is_found_again_in_both_precisions(world, tmp_path, precision):
    run = stage(world, tmp_path, "reviews.csv", "text-model").train("full", precision=precision)
    found = proof(run, "best_is_shipped")
    assert found.holds and found.bound < 0.02
    assert (found.seen > 1e-6) is (precision == "bf16"), "rounding is seen, and not more"


@pytest.mark.parametrize("name", tiny_models.NAMES)
def test_what_is_promised_before_the_first_step_holds_for_every_architecture(name):
    scene = scene_of(name)
    for found in (
        tick("loss_by_hand", "begun", scene),
        tick("parts_add_up", "begun", scene),
        tick("starts_as_the_source", "begun", scene),
        tick("padding_is_silent", "shipped", scene),
    ):
        assert found.holds, found


def test_a_proof_leaves_the_model_as_it_was():
    scene = scene_of("bert")
    model = scene.model.module.train()
    model.bert.embeddings.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    learning = [parameter.requires_grad for parameter in model.parameters()]
    random = torch.random.get_rng_state()
    tick("loss_by_hand", "begun", scene)
    tick("parts_add_up", "begun", scene)
    tick("padding_is_silent", "shipped", scene)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert modes == [module.training for module in model.modules()]
    assert learning == [parameter.requires_grad for parameter in model.parameters()]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(random, torch.random.get_rng_state())


def test_texts_of_one_length_are_cut_so_that_there_is_padding_to_see():
    scene = scene_of("bert")
    whole = scene.ready.splits["validation"]
    rows = np.random.default_rng(0).integers(4, 60, (len(whole), 6)).tolist()
    even = TextInputs(Ragged.of(rows), whole.inputs.padding)
    splits = {**scene.ready.splits, "validation": replace(whole, inputs=even)}
    found = tick("padding_is_silent", "shipped", replace(scene, ready=replace(scene.ready, splits=splits)))
    assert found.holds and "a row of 3 tokens alone, and beside one of 6" in found.what
