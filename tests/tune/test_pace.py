"""A few timed steps tell how fast a model learns, and leave it as it was."""

import pytest
import torch

import tune_worlds as worlds
from warmstart.tune import pace


@pytest.mark.parametrize("kind", ["bert", "mobilenet_v1"])
def test_steps_cost_less_from_further_up_and_nothing_has_moved(kind):
    model = worlds.pretrained(kind)
    before, head = worlds.state(model), len(model.anatomy.groups) - 1
    found = pace.measure(model.anatomy, worlds.task(kind), worlds.splits(kind)["train"], (0, head), 8, 0)
    assert found.step.keys() == found.look.keys() == {0, head}
    assert found.step[0] > found.step[head] > 0
    assert found.look[0] > found.look[head] > 0
    assert found.move > 0
    assert worlds.equal(worlds.state(model), before)
    assert all(p.grad is None for p in model.module.parameters())


def test_weights_are_those_from_a_group_on_without_words_that_never_occur():
    model = worlds.pretrained("bert")
    model.anatomy.set_learning(("*",), "frozen")
    head = len(model.anatomy.groups) - 1
    counts = pace.moved(model.anatomy, worlds.splits("bert")["train"], (0, head))
    assert counts[head] == sum(p.numel() for p in model.anatomy.groups[-1].parameters())
    assert counts[head] < counts[0] <= model.parameters


def test_what_the_backward_pass_keeps_is_counted_once():
    linear, x = torch.nn.Linear(100, 50), torch.ones(10, 100, requires_grad=True)
    kept = pace.kept_for_backward(lambda: linear(x).exp().sum(), linear.parameters())
    assert kept == 4 * (10 * 100 + 10 * 50)


@pytest.mark.parametrize("kind", ["bert", "mobilenet_v1"])
def test_what_is_counted_is_the_same_every_time_and_falls_towards_the_head(kind):
    anatomy, split = worlds.pretrained(kind).anatomy, worlds.splits(kind)["train"]
    starts = range(len(anatomy.groups))
    first, again = (pace.counted(anatomy, split, starts) for _ in range(2))
    assert first == again
    looks = [first.look[start] for start in starts]
    assert looks == sorted(looks, reverse=True)
    assert looks[0] > looks[-1] > 0
    assert all(first.step[start] == pytest.approx(3 * first.look[start]) for start in starts)
