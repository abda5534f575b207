"""Fresh norm statistics are those of the weights looked at, and the untrained network is no candidate."""

import numpy as np
import pytest
import torch

import tune_worlds as worlds
from warmstart.base.seeds import generator
from warmstart.models.anatomy import BATCH_NORMS
from warmstart.tune import norms
from warmstart.tune.guards import GUARDS
from warmstart.tune.loop import Keeping, new_job

RESNET = "resnet-basic"
EVERY = worlds.phase(("*",), lr=1e-2, epochs=4)
STOP = {"name": "early_stop", "patience": 9}


def fresh(*phases, **options):
    settings = {"pretrained": False, "norm_statistics": "learn", "guards": (STOP,), **options}
    return worlds.plan(*(phases or (EVERY,)), **settings)


def statistics(model):
    """Running mean and variance of each batch norm."""
    modules = [m for m in model.module.modules() if isinstance(m, BATCH_NORMS)]
    return [(m.running_mean.clone(), m.running_var.clone()) for m in modules]


def measured(model, inputs, parts):
    """The mean, over these parts of the rows, of the statistics that each norm sees in train mode."""
    seen = {}

    def note(module, given):
        x = given[0].transpose(0, 1).flatten(1)
        seen.setdefault(id(module), []).append((x.mean(1), x.var(1)))

    modules = [m for m in model.module.modules() if isinstance(m, BATCH_NORMS)]
    kept = model.module.state_dict()
    kept = {name: tensor.clone() for name, tensor in kept.items()}
    hooks = [m.register_forward_pre_hook(note) for m in modules]
    for module in modules:
        module.train()
    with torch.no_grad():
        for numbers in parts:
            model.anatomy.logits(inputs.batch(numbers))
    for hook in hooks:
        hook.remove()
    model.module.load_state_dict(kept)
    model.module.eval()
    return [tuple(torch.stack(values).mean(0) for values in zip(*seen[id(m)], strict=True)) for m in modules]


def test_the_statistics_that_are_kept_are_those_of_the_kept_weights_on_the_training_rows():
    model, _ = worlds.run(RESNET, fresh())
    inputs = worlds.splits(RESNET)["train"].inputs
    wanted = measured(model, inputs, norms.batches(len(inputs), 8, 3))
    for (mean, variance), (true_mean, true_variance) in zip(statistics(model), wanted, strict=True):
        torch.testing.assert_close(mean, true_mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(variance, true_variance, rtol=1e-4, atol=1e-5)


def test_pretrained_statistics_and_frozen_ones_are_left_to_the_training():
    for options in ({"pretrained": True}, {"norm_statistics": "frozen"}):
        model = worlds.pretrained(RESNET)
        job = new_job(
            model.anatomy, fresh(**options), worlds.task(RESNET), worlds.splits(RESNET), lambda event: None
        )
        job.anatomy.set_learning(("*",), job.plan.norm_statistics)
        before = statistics(model)
        norms.refresh(job, job.splits["train"].inputs, 0)
        for (mean, variance), (same_mean, same_variance) in zip(before, statistics(model), strict=True):
            assert torch.equal(mean, same_mean)
            assert torch.equal(variance, same_variance)


def test_a_refresh_leaves_modes_momentum_and_dropout_as_they_were():
    model = worlds.pretrained("efficientnet")
    job = new_job(
        model.anatomy, fresh(), worlds.task(RESNET), worlds.splits(RESNET, size=64), lambda event: None
    )
    job.anatomy.set_learning(("*",), "learn")
    modes = [(m.training, getattr(m, "momentum", None)) for m in model.module.modules()]
    state = torch.random.get_rng_state()
    norms.refresh(job, job.splits["train"].inputs, 0)
    assert modes == [(m.training, getattr(m, "momentum", None)) for m in model.module.modules()]
    assert torch.equal(state, torch.random.get_rng_state())
    first = statistics(model)
    norms.refresh(job, job.splits["train"].inputs, 0)
    assert all(
        torch.equal(a, c) and torch.equal(b, d)
        for (a, b), (c, d) in zip(first, statistics(model), strict=True)
    )


def test_many_rows_are_sampled_by_the_seed_and_no_batch_is_of_one_row():
    chosen = np.concatenate(norms.batches(3000, 16, 5))
    assert len(chosen) == len(set(chosen)) == norms.ROWS
    assert set(chosen) == set(generator(5, "norms").permutation(3000)[: norms.ROWS])
    assert [len(b) for b in norms.batches(33, 16, 0)] == [17, 16]
    assert sorted(np.concatenate(norms.batches(33, 16, 0))) == list(range(33))


def test_the_untrained_network_is_never_kept_where_weights_are_fresh():
    ruin = worlds.phase(("*",), lr=1.0, epochs=2, schedule="constant", warmup=0.0)
    model, trained = worlds.run("bert", fresh(ruin))
    losses = [look["validation_loss"] for look in trained.history]
    assert losses[0] < min(losses[1:])
    assert not worlds.equal(worlds.state(model), worlds.state(worlds.pretrained("bert")))


def test_patience_does_not_begin_before_the_first_step_of_fresh_weights():
    job = new_job(
        worlds.pretrained("bert").anatomy, fresh(), worlds.task("bert"), worlds.splits("bert"), print
    )
    guard = GUARDS.build({"name": "early_stop", "patience": 1})
    guard.watch(job, {"validation_loss": 0.1, "validation_accuracy": 0.9})
    job.steps = 1
    guard.watch(job, {"validation_loss": 2.0, "validation_accuracy": 0.5})
    assert (guard.best, job.stop) == (pytest.approx(0.5, abs=1e-5), False)


class PulledOutError(Exception):
    """The plug."""


@pytest.mark.parametrize("looks", [2, 4])
def test_a_training_of_fresh_norms_that_was_broken_off_ends_with_the_same_bits(tmp_path, looks):
    whole, end = worlds.run(RESNET, fresh())
    seen = []

    def tell(event):
        seen.append(event["event"])
        if seen.count("look") == looks:
            raise PulledOutError

    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    with pytest.raises(PulledOutError):
        worlds.run(RESNET, fresh(), keeping=keeping, tell=tell)
    told = []
    again, resumed = worlds.run(RESNET, fresh(), keeping=keeping, tell=told.append)
    assert [event["steps"] for event in told if event["event"] == "resumed"]
    assert worlds.equal(worlds.state(whole), worlds.state(again))
    assert resumed.history == end.history
