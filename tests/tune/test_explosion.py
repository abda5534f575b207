"""A phase that undoes what was learned before it is ended after its first epoch, and that is said."""

import torch

import tune_worlds as worlds

HEAD = worlds.phase(("head",), solver="logistic")


def told_of(*phases, shrink=1.0):
    """Notes and epochs of the last phase, where the head reads features that are `shrink` times as large."""
    model = worlds.pretrained("bert", num_hidden_layers=1)
    with torch.no_grad():
        model.module.bert.pooler.dense.weight.mul_(shrink)
    told = []
    guards = ({"name": "early_stop"},)
    model, trained = worlds.run("bert", worlds.plan(*phases, guards=guards), model, tell=told.append)
    last = [look["epoch"] for look in trained.history if look["phase"] == len(phases)]
    return [event["what"] for event in told if event["event"] == "note"], last, trained


def test_a_body_phase_under_a_head_with_huge_weights_is_ended_and_the_head_is_kept():
    notes, epochs, trained = told_of(HEAD, worlds.phase(("*",), lr=3e-3, epochs=6, warmup=0.0), shrink=1e-4)
    assert epochs == [1]
    assert len(notes) == 1
    assert notes[0].startswith("phase 2 is ended: in its first epoch the training loss went from ")
    assert "--set phases.1.lr" in notes[0]
    best = min(trained.history, key=lambda look: look["validation_loss"])
    assert best["phase"] < 2


def test_a_phase_that_learns_goes_on():
    assert told_of(HEAD, worlds.phase(("*",), lr=1e-5, epochs=3))[:2] == ([], [1, 2, 3])


def test_a_first_phase_has_nothing_to_undo():
    ruin = worlds.phase(("*",), lr=0.3, epochs=2, schedule="constant", warmup=0.0)
    assert told_of(ruin)[:2] == ([], [1, 2])
