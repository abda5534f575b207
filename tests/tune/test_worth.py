"""A prefix is kept where that pays, in one pass for all phases that can share it, and changes no result."""

import numpy as np
import pytest
import torch

import tune_worlds as worlds
from warmstart.models.cache import entries_of
from warmstart.models.features import keep_prefix, keep_prefixes, logits_of
from warmstart.models.inputs import Inputs
from warmstart.tune import worth
from warmstart.tune.job import Split
from warmstart.tune.loop import Keeping
from warmstart.tune.worth import Cost, choose, together

DEAR, CHEAP = Cost(1e-2, 10_000), Cost(1e-5, 10_000_000)


class Counted(Inputs):
    """The same rows, and how often each was read."""

    def __init__(self, inner):
        self.inner, self.lengths, self.key = inner, inner.lengths, inner.key
        self.seen = np.zeros(len(inner), int)

    def batch(self, numbers):
        self.seen[np.asarray(numbers)] += 1
        return self.inner.batch(numbers)

    def packed(self, numbers):
        self.seen[np.asarray(numbers)] += 1
        return self.inner.packed(numbers)


class Unreadable(Inputs):
    """The same rows, which nobody may read."""

    def __init__(self, inner):
        self.lengths, self.key = inner.lengths, inner.key

    def batch(self, numbers):
        raise AssertionError("these rows were to be read from the folder")


def epochs(*counts):
    return [worlds.phase(epochs=count) for count in counts]


@pytest.mark.parametrize(
    ("cost", "count", "keep"),
    [
        (DEAR, 2, True),
        (DEAR, 1, False),
        (CHEAP, 2, False),
        (CHEAP, 100, False),
        (Cost(1e-5, 1000), 100, True),
    ],
)
def test_dear_layers_are_kept_for_several_epochs_and_cheap_ones_with_large_states_never(cost, count, keep):
    (choice,) = choose(epochs(count), [3], {3: cost})
    assert choice.keep is keep
    assert (choice.behind < choice.through) is keep
    assert together([choice], 0) == ([3] if keep else [])


def test_a_solved_head_reads_its_rows_several_times():
    (choice,) = choose([worlds.phase(epochs=1, solver="logistic")], [3], {3: DEAR})
    assert choice.keep


def test_later_phases_are_served_by_the_first_pass_as_boundaries_go_down():
    known = {stop: Cost(stop * 1e-3, 10_000) for stop in (1, 2, 3)}
    choices = choose(epochs(3, 1, 1, 1), [3, 2, 1, 0], known)
    assert [c.keep for c in choices] == [True, True, True, False]  # for one epoch, as it lies on the way
    assert [c.made_in for c in choices[:3]] == [0, 0, 0]
    assert together(choices, 0) == [1, 2, 3]
    assert together(choices, 1) == [2]


def test_phases_before_the_same_group_share_what_is_kept():
    choices = choose(epochs(1, 1), [3, 3], {3: DEAR})
    assert [c.keep for c in choices] == [True, True]
    assert [c.keep for c in choose(epochs(1, 1), [3, 2], {3: DEAR, 2: DEAR})] == [False, False]


def test_what_an_earlier_phase_moved_is_no_part_of_its_pass():
    choices = choose(epochs(5, 5, 5), [2, 0, 2], {2: DEAR})
    assert [c.made_in for c in choices] == [0, 1, 2]
    assert together(choices, 0) == [2]
    up = choose(epochs(5, 5), [2, 4], {2: DEAR, 4: DEAR})
    assert [c.made_in for c in up] == [0, 1]


@pytest.mark.parametrize("name", ["bert", "resnet-basic", "gpt2"])
def test_costs_are_counted_and_so_always_the_same(name):
    anatomy, inputs = worlds.pretrained(name).anatomy, worlds.splits(name)["train"].inputs
    stops = range(1, len(anatomy.groups))
    known = worth.costs(anatomy, inputs, list(stops))
    assert known == worth.costs(anatomy, inputs, list(stops))
    seconds = [known[stop].seconds for stop in stops]
    assert seconds == sorted(seconds)
    assert all(known[stop].size > 0 for stop in stops)


def gradual():
    head = worlds.phase(("head",), solver="logistic", epochs=1)
    return worlds.plan(
        head, worlds.phase(("top:2",), epochs=3), worlds.phase(("top:3",), epochs=3), worlds.phase(lr=1e-4)
    )


@pytest.mark.parametrize("name", ["bert", "roberta", "resnet-basic"])
def test_gradual_unfreezing_runs_the_frozen_layers_once_for_all_its_phases(name, tmp_path, monkeypatch):
    monkeypatch.setattr(worth, "WRITE", 1e12)  # so that it pays for so small a network
    plan, told = gradual(), []
    data = worlds.splits(name)
    counted = {n: Split(Counted(s.inputs), s.targets) for n, s in data.items()}
    _, trained = worlds.run(name, plan, keeping=Keeping(tmp_path), data=counted, tell=told.append)
    last = len(worlds.pretrained(name).anatomy.groups) - 1
    assert trained.proofs["prefix_cached"] == [last, last - 2, last - 3, 0]
    assert len(list(entries_of(tmp_path))) == 6  # three boundaries of two splits
    decided = [e for e in told if e["event"] == "prefix"]
    assert [(e["phase"], e["stop"], e["keep"]) for e in decided] == [
        (1, last, True), (2, last - 2, True), (3, last - 3, True),
    ]  # fmt: skip
    full = plan.phases[-1].epochs
    middle = np.median(counted["train"].inputs.seen)  # one pass, and then the phase in which all learns
    assert middle == 1 + full
    slow, without = worlds.run(name, plan, keeping=Keeping(cache=None), data=data)
    fast, behind = worlds.run(name, plan, keeping=Keeping(tmp_path), data=data)
    for a, b in zip(without.history, behind.history, strict=True):
        assert b["validation_loss"] == pytest.approx(a["validation_loss"], abs=1e-4)


def test_what_does_not_pay_is_run_in_every_step_and_said_with_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(worth, "WRITE", 1.0)
    told = []
    _, trained = worlds.run("bert", gradual(), keeping=Keeping(tmp_path), tell=told.append)
    assert trained.proofs["prefix_cached"] == [0, 0, 0, 0]
    assert not list(entries_of(tmp_path))
    assert [e["keep"] for e in told if e["event"] == "prefix"] == [False] * 3
    assert all(e["through"] < e["behind"] for e in told if e["event"] == "prefix")


@pytest.mark.parametrize("name", ["bert", "gpt2", "resnet-basic", "regnet", "swin"])
def test_states_kept_in_one_pass_are_those_kept_one_by_one(name, tmp_path):
    size = 64 if name == "swin" else 32
    anatomy, inputs = worlds.pretrained(name).anatomy, worlds.splits(name, size=size)["train"].inputs
    expected = logits_of(anatomy, inputs)
    stops = list(range(1, len(anatomy.groups)))
    kept = keep_prefixes(anatomy, inputs, stops, tmp_path / "all")
    assert list(kept) == stops
    for stop in stops:
        alone = keep_prefix(anatomy, inputs, stop, tmp_path / "alone")
        assert kept[stop].key == alone.key
        for source in (kept[stop], alone):
            assert torch.allclose(logits_of(anatomy, source, stop), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["bert", "resnet-basic", "regnet"])
def test_where_the_boundary_moves_up_the_pass_begins_behind_what_is_kept(name, tmp_path):
    anatomy, inputs = worlds.pretrained(name).anatomy, worlds.splits(name)["train"].inputs
    expected = logits_of(anatomy, inputs)
    held = keep_prefixes(anatomy, inputs, [2], tmp_path)
    last = len(anatomy.groups) - 1
    kept = keep_prefixes(anatomy, Unreadable(inputs), [2, last], tmp_path)
    assert torch.allclose(logits_of(anatomy, kept[last], last), expected, atol=1e-5)
    assert len(held) == 1


def test_where_room_is_short_the_states_nearest_to_the_input_are_left_out(tmp_path):
    anatomy, inputs = worlds.pretrained("resnet-basic").anatomy, worlds.splits("resnet-basic")["train"].inputs
    last = len(anatomy.groups) - 1
    kept = keep_prefixes(anatomy, inputs, [1, last], tmp_path, limit=20_000)
    assert list(kept) == [last]
    assert torch.allclose(logits_of(anatomy, kept[last], last), logits_of(anatomy, inputs), atol=1e-5)


@pytest.mark.parametrize(
    "name", ["bert", "vit", "dinov2", "swin", "convnext", "resnet-basic", "mobilenet_v2", "regnet"]
)
def test_before_the_head_nothing_but_the_pooled_features_is_kept(name, tmp_path):
    size = 64 if name in ("vit", "dinov2", "swin", "convnext") else 32
    anatomy, inputs = worlds.pretrained(name).anatomy, worlds.splits(name, size=size)["train"].inputs
    kept = keep_prefix(anatomy, inputs, len(anatomy.groups) - 1, tmp_path)
    assert list(kept.batch([0, 1])) == ["pooled"]
    assert kept.batch([0, 1])["pooled"].dim() == 2
