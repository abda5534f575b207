"""Rows that go through in parts teach what they teach all at once, but for rounding."""

import numpy as np
import pytest
import torch

import tune_worlds as worlds
from warmstart.tune.job import Job
from warmstart.tune.step import add_gradients

CASES = [(8, 4), (8, 1), (8, 3), (8, 7), (8, 100), (22, 5), (5, 2)]  # 22 rows; most windows are not whole


def calm(name="bert"):
    return worlds.pretrained(name, **(worlds.CALM if name == "bert" else {}))


@pytest.mark.parametrize(("batch", "micro_batch"), CASES)
def test_parts_of_a_batch_end_in_the_same_weights_and_losses(batch, micro_batch):
    """Rate and steps are few, so that what Adam makes of rounding stays below the bound."""
    phase = worlds.phase(lr=1e-5, epochs=3, schedule="constant", warmup=0.0)
    ends = []
    for size in (0, micro_batch):
        plan = worlds.plan(phase, batch=batch, micro_batch=size)
        model, trained = worlds.run("bert", plan, calm())
        ends.append((worlds.without_key_biases(worlds.state(model)), trained))
    (one, at_once), (other, in_parts) = ends
    start = worlds.without_key_biases(worlds.state(calm()))
    assert at_once.steps == in_parts.steps == 3 * -(-22 // batch)
    assert worlds.largest_difference(one, start) > 2e-5
    assert worlds.largest_difference(one, other) < 1e-6
    for a, b in zip(at_once.history, in_parts.history, strict=True):
        assert b["validation_loss"] == pytest.approx(a["validation_loss"], abs=1e-6)
        if a["train_loss"] is not None:
            assert b["train_loss"] == pytest.approx(a["train_loss"], abs=1e-6)


def gradients_of(model, splits, numbers, micro_batch):
    plan = worlds.plan(worlds.phase(), micro_batch=micro_batch)
    job = Job(plan, worlds.task(model.source), model.anatomy, splits, ())
    model.module.zero_grad()
    total, count = add_gradients(job, (), splits["train"], numbers, 0)
    return total, count, {n: p.grad / count for n, p in model.module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", ["bert", "gpt2", "vit", "resnet-basic"])
@pytest.mark.parametrize("micro_batch", [1, 3, 8, 12])
def test_gradients_of_parts_add_up_to_those_of_the_mean_loss(name, micro_batch):
    """The oracle: one forward of the padded rows by the model itself, and the mean cross-entropy."""
    model, splits = calm(name), worlds.splits(name, train=13, size=64)
    model.module.eval().requires_grad_(True)
    numbers = np.random.default_rng(0).permutation(13)
    total, count, found = gradients_of(model, splits, numbers, micro_batch)
    model.module.zero_grad()
    targets = splits["train"].targets[numbers]
    loss = torch.nn.functional.cross_entropy(
        model.module(**splits["train"].inputs.batch(numbers)).logits, targets
    )
    loss.backward()
    assert count == 13
    assert total / count == pytest.approx(loss.item(), rel=1e-5)
    expected = {n: p.grad for n, p in model.module.named_parameters() if p.grad is not None}
    assert set(found) == set(expected)
    flat = [torch.cat([g[n].flatten() for n in sorted(g)]) for g in (found, expected)]
    assert (flat[0] - flat[1]).norm() < 1e-5 * flat[1].norm()


def test_every_row_weighs_the_same_also_in_the_last_smaller_batch():
    """The mean of the epoch's losses is over rows, not over batches."""
    plan = worlds.plan(worlds.phase(lr=1e-12, epochs=1), batch=8)
    model, trained = worlds.run("bert", plan, calm())
    train = worlds.splits("bert")["train"]
    with torch.no_grad():
        logits = model.module(**train.inputs.batch(range(22))).logits
    expected = float(torch.nn.functional.cross_entropy(logits, train.targets))
    assert trained.history[-1]["train_loss"] == pytest.approx(expected, abs=1e-5)


def test_dropout_differs_between_steps_and_parts_but_not_between_runs():
    plan = worlds.plan(worlds.phase(epochs=2), micro_batch=4)
    ends = [worlds.state(worlds.run("bert", plan)[0]) for _ in range(2)]
    assert worlds.equal(*ends)
    job = Job(
        worlds.plan(worlds.phase(), micro_batch=2),
        worlds.task("bert"),
        worlds.pretrained("bert").anatomy,
        {},
        (),
    )
    job.anatomy.set_learning(("*",), "frozen")
    split = worlds.splits("bert")["train"]
    same_rows = np.array([5, 5, 5, 5])
    losses = []
    for job.step in (0, 0, 1):
        seen = []
        hook = job.anatomy.model.classifier.register_forward_hook(
            lambda m, a, out, seen=seen: seen.append(out)
        )
        add_gradients(job, (), split, same_rows, 0)
        hook.remove()
        losses.append(torch.cat(seen))
    assert torch.equal(losses[0], losses[1])
    assert not torch.allclose(losses[0], losses[2])
    assert len({tuple(row.tolist()) for row in losses[0].detach()}) == 4


def test_the_shared_randomness_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = worlds.state(worlds.run("bert", worlds.plan(worlds.phase(epochs=1)))[0])
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert worlds.equal(worlds.state(worlds.run("bert", worlds.plan(worlds.phase(epochs=1)))[0]), first)
