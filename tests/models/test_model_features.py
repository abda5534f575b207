"""What frozen layers give is computed once, exactly, and never confused with anything else."""

import copy
import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny_models
from warmstart.models import features, whole
from warmstart.models.anatomy import anatomy_of
from warmstart.models.cache import SLACK
from warmstart.models.features import before_head, keep_prefix, logits_of, pooled_features, prefix_key
from warmstart.models.inputs import ImageInputs, Inputs, KeptInputs, Ragged, TextInputs

NAMES = ["bert", "deberta-v2", "gpt2", "resnet-basic", "vit", "swin", "regnet", "albert"]
LIMIT = 10**9


def inputs_for(name, rows=70, seed=0, longest=12):
    source = np.random.default_rng(seed)
    if tiny_models.modality(name) == "image":
        pixels = source.integers(0, 256, (rows, 3, 64, 64), dtype=np.uint8)
        return ImageInputs(pixels, np.full(3, 1 / 64, np.float32), np.full(3, -2, np.float32))
    lengths = source.integers(3, longest + 1, rows)
    return TextInputs(Ragged.of([source.integers(4, 60, n).tolist() for n in lengths]), 0)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def anatomy(name):
    return anatomy_of(tiny_models.make(name))


SOME = range(0, 70, 9)


@torch.no_grad()
def row_by_row(anatomy, inputs, cut):
    """The state before a group of some rows, each alone and so without padding."""
    return [anatomy.run(inputs.batch([i]), 0, cut) for i in SOME]


@torch.no_grad()
def test_features_after_every_group_are_those_of_each_row_alone(name, anatomy):
    inputs = inputs_for(name)
    found = pooled_features(anatomy, inputs)
    assert tuple(found) == anatomy.names[:-1]
    for cut, group in enumerate(anatomy.names[:-1], start=1):
        expected = torch.cat([anatomy.features(state, cut) for state in row_by_row(anatomy, inputs, cut)])
        assert found[group].dtype == np.float32
        assert np.allclose(found[group][SOME], expected, atol=1e-4)


def test_with_the_head_come_its_probabilities_in_the_same_pass(name, anatomy, tmp_path):
    inputs = inputs_for(name)
    plain, found = (
        pooled_features(anatomy, inputs, tmp_path),
        pooled_features(anatomy, inputs, tmp_path, head=True),
    )
    assert tuple(found) == anatomy.names
    assert all(np.array_equal(found[group], plain[group]) for group in plain)
    expected = logits_of(anatomy, inputs).softmax(-1).numpy()
    assert np.allclose(found[anatomy.names[-1]], expected, atol=1e-6)
    again = pooled_features(anatomy, Unreadable(inputs), tmp_path, head=True)
    assert all(np.array_equal(again[group], found[group]) for group in found)


def test_another_head_has_other_probabilities_and_the_same_features(name, anatomy, tmp_path):
    inputs = inputs_for(name)
    first = pooled_features(anatomy, inputs, tmp_path, head=True)
    with torch.no_grad():
        anatomy.head()[1].weight.add_(torch.randn_like(anatomy.head()[1].weight))
    second = pooled_features(anatomy, inputs, tmp_path, head=True)
    assert not np.allclose(second[anatomy.names[-1]], first[anatomy.names[-1]], atol=1e-4)
    assert all(np.array_equal(second[group], first[group]) for group in anatomy.names[:-1])


def test_logits_and_what_the_head_reads_are_those_of_each_row_alone(name, anatomy):
    inputs = inputs_for(name)
    last = len(anatomy.groups)
    expected = torch.cat([state["logits"] for state in row_by_row(anatomy, inputs, last)])
    assert torch.allclose(logits_of(anatomy, inputs)[SOME], expected, atol=1e-4)
    expected = torch.cat(
        [anatomy.features(state, last - 1) for state in row_by_row(anatomy, inputs, last - 1)]
    )
    assert torch.allclose(before_head(anatomy, inputs)[SOME], expected, atol=1e-4)


def test_features_are_read_from_the_folder_the_next_time(name, anatomy, tmp_path):
    inputs = inputs_for(name)
    first = pooled_features(anatomy, inputs, tmp_path)
    stamps = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npy")}
    second = pooled_features(anatomy, Unreadable(inputs), tmp_path)
    assert list(second) == list(first)
    assert all(np.array_equal(first[group], second[group]) for group in first)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npy")} == stamps
    assert len(stamps) == len(first)


def test_a_kept_prefix_gives_the_logits_of_the_whole_model_from_every_group_on(name, anatomy, tmp_path):
    inputs = inputs_for(name)
    expected = logits_of(anatomy, inputs)
    for cut in range(1, len(anatomy.groups)):
        kept = keep_prefix(anatomy, inputs, cut, tmp_path, LIMIT)
        assert isinstance(kept, KeptInputs)
        assert np.array_equal(kept.lengths, inputs.lengths)
        torch.testing.assert_close(logits_of(anatomy, kept, cut), expected, atol=1e-5, rtol=0)
        again = keep_prefix(anatomy, Unreadable(inputs), cut, tmp_path, LIMIT)
        torch.testing.assert_close(logits_of(anatomy, again, cut), expected, atol=1e-5, rtol=0)


def test_vectors_as_wide_as_the_longest_text_is_long_are_not_taken_for_tokens(tmp_path):
    """The pooled features are 32 wide; so is the longest row."""
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert", longest=32)
    assert inputs.lengths.max() == 32
    expected = logits_of(anatomy, inputs)
    for cut in range(1, len(anatomy.groups)):
        kept = keep_prefix(anatomy, inputs, cut, tmp_path, LIMIT)
        torch.testing.assert_close(logits_of(anatomy, kept, cut), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", [1, 7, 32])
def test_texts_of_one_length_are_kept_as_well(tmp_path, length):
    anatomy = anatomy_of(tiny_models.make("bert"))
    rows = np.random.default_rng(0).integers(4, 60, (9, length)).tolist()
    inputs = TextInputs(Ragged.of(rows), 0)
    expected = logits_of(anatomy, inputs)
    for cut in range(1, len(anatomy.groups)):
        kept = keep_prefix(anatomy, inputs, cut, tmp_path, LIMIT)
        torch.testing.assert_close(logits_of(anatomy, kept, cut), expected, atol=1e-6, rtol=0)


def test_looking_leaves_every_layer_as_awake_as_it_was(name, anatomy, tmp_path):
    anatomy.set_learning(("top:1",), "frozen")
    awake = [m.training for m in anatomy.model.modules()]
    assert any(awake)
    inputs = inputs_for(name, rows=5)
    before = tiny_models.weights_of(anatomy.model)
    logits = logits_of(anatomy, inputs)
    assert torch.equal(logits, logits_of(anatomy, inputs))  # no dropout
    pooled_features(anatomy, inputs)
    keep_prefix(anatomy, inputs, 1, tmp_path, LIMIT)
    assert [m.training for m in anatomy.model.modules()] == awake
    after = anatomy.model.state_dict()
    assert all(torch.equal(after[n], t) for n, t in before.items())


def test_the_limit_counts_what_lies_on_disk(tmp_path):
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert")
    keep_prefix(anatomy, inputs, 2, tmp_path / "all", LIMIT)
    size = sum(np.load(p).nbytes for p in (tmp_path / "all").rglob("*.npy"))
    tokens = int(inputs.lengths.sum())
    assert size == tokens * 32 * 4  # hidden states
    assert keep_prefix(anatomy, inputs, 2, tmp_path / "some", size + SLACK - 1) is None
    assert list((tmp_path / "some").iterdir()) == []
    assert keep_prefix(anatomy, inputs, 2, tmp_path / "some", size + SLACK) is not None


class Unreadable(Inputs):
    """The same rows, which nobody may read."""

    def __init__(self, inputs):
        self.lengths, self.key = inputs.lengths, inputs.key

    def batch(self, numbers):
        raise AssertionError("these rows were to be read from the folder")


class Breaking(Inputs):
    """The same rows, of which only a few batches can be read."""

    def __init__(self, inputs, batches, error):
        self.inner, self.left, self.error = inputs, batches, error
        self.lengths, self.key = inputs.lengths, inputs.key

    def batch(self, numbers):
        self.left -= 1
        if self.left < 0:
            raise self.error
        return self.inner.batch(numbers)


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_what_breaks_while_it_is_kept_leaves_nothing_behind(tmp_path, batches):
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert")
    with pytest.raises(OSError, match="the disk was pulled out"):
        keep_prefix(
            anatomy, Breaking(inputs, batches, OSError(5, "the disk was pulled out")), 2, tmp_path, LIMIT
        )
    assert list(tmp_path.iterdir()) == []
    kept = keep_prefix(anatomy, inputs, 2, tmp_path, LIMIT)
    assert torch.equal(logits_of(anatomy, kept, 2), logits_of(anatomy, inputs))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_on_the_way_is_no_error(tmp_path, number):
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert")
    assert keep_prefix(anatomy, Breaking(inputs, 3, OSError(number, "full")), 2, tmp_path, LIMIT) is None
    assert list(tmp_path.iterdir()) == []


def test_more_than_is_free_is_not_kept(tmp_path):
    assert whole.has_room(tmp_path / "not" / "there", 10)
    assert not whole.has_room(tmp_path, 10**18)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a small file system to fill")
def test_a_promise_that_the_disk_cannot_hold_is_an_error_and_not_a_crash():
    """Writing to a mapped file on a full disk would kill the process."""
    place = os.statvfs("/dev/shm")
    size = place.f_blocks * place.f_frsize + 10**9
    path = Path(f"/dev/shm/warmstart-{os.getpid()}.npy")
    try:
        with pytest.raises(OSError) as caught:
            whole.room_for(path, np.uint8, (size,))
        assert caught.value.errno in whole.NO_ROOM
    finally:
        path.unlink(missing_ok=True)


def key_of(anatomy, inputs, stop=2, what="prefix"):
    return prefix_key(anatomy, stop, inputs, what)


@torch.no_grad()
def test_the_key_changes_with_every_weight_below_and_with_nothing_above(name, anatomy):
    inputs = inputs_for(name, rows=5)
    stop = len(anatomy.groups) // 2
    parts = [part for group in anatomy.groups[:stop] for part in group.modules]
    below = {tensor.data_ptr() for part in parts for tensor in part.state_dict().values()}
    key = key_of(anatomy, inputs, stop)
    assert key == key_of(anatomy_of(copy.deepcopy(anatomy.model)), inputs, stop)
    for path, tensor in anatomy.model.state_dict().items():
        before = tensor.clone()
        tensor.view(-1)[-1] += 1 if tensor.dtype == torch.int64 else 1e-6 + 1e-4 * tensor.abs().max()
        same = key_of(anatomy, inputs, stop) == key
        assert same is (tensor.data_ptr() not in below), path
        tensor.copy_(before)
    assert key == key_of(anatomy, inputs, stop)


def test_the_key_changes_with_inputs_group_and_purpose(anatomy, name):
    inputs = inputs_for(name, rows=5)
    keys = {
        key_of(anatomy, inputs, 1),
        key_of(anatomy, inputs_for(name, rows=5, seed=1), 1),
        key_of(anatomy, inputs, 1, "pooled"),
        *(key_of(anatomy, inputs, stop) for stop in range(2, len(anatomy.groups))),
    }
    assert len(keys) == 3 + len(anatomy.groups) - 2


def test_a_new_head_or_other_classes_do_not_change_the_key():
    inputs, anatomy = inputs_for("bert", rows=5), anatomy_of(tiny_models.make("bert"))
    key = key_of(anatomy, inputs)
    anatomy.model.classifier = torch.nn.Linear(32, 7)
    anatomy.model.config.id2label = {i: f"class {i}" for i in range(7)}
    assert key_of(anatomy_of(anatomy.model), inputs) == key


def test_no_two_models_share_a_key():
    inputs = inputs_for("bert", rows=5)
    keys = []
    for name in tiny_models.TEXT:
        for seed in (0, 1):
            anatomy = anatomy_of(tiny_models.make(name, seed))
            keys += [key_of(anatomy, inputs, stop) for stop in range(1, len(anatomy.groups))]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    "change", [{"hidden_act": "relu"}, {"layer_norm_eps": 0.1}, {"num_attention_heads": 2}]
)
def test_settings_without_a_weight_change_the_key(change):
    inputs = inputs_for("bert", rows=5)
    plain, other = (anatomy_of(tiny_models.make("bert", **c)) for c in ({}, change))
    assert all(
        torch.equal(a, b)
        for a, b in zip(*(x.model.state_dict().values() for x in (plain, other)), strict=True)
    )
    assert key_of(plain, inputs) != key_of(other, inputs)


def test_a_draft_of_a_process_that_is_gone_is_swept_up(tmp_path):
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    for owner in (child, os.getppid()):
        (tmp_path / f".key.{owner}.tmp").mkdir()
    with whole.whole_folder(tmp_path / "key") as draft:
        (draft / "a").write_text("b")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([f".key.{os.getppid()}.tmp", "key"])


def test_a_folder_that_another_process_made_first_stays(tmp_path):
    with whole.whole_folder(tmp_path / "key") as draft:
        (draft / "a").write_text("mine")
        (tmp_path / "key").mkdir()
        (tmp_path / "key" / "a").write_text("theirs")
    assert [(p.name, (p / "a").read_text()) for p in tmp_path.iterdir()] == [("key", "theirs")]


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("harm", [Path.unlink, cut_short])
@pytest.mark.parametrize("file", ["done.json", "hidden.npy"])
def test_what_somebody_took_from_is_made_again(tmp_path, file, harm):
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert")
    keep_prefix(anatomy, inputs, 2, tmp_path, LIMIT)
    (place,) = tmp_path.iterdir()
    harm(place / file)
    kept = keep_prefix(anatomy, inputs, 2, tmp_path, LIMIT)
    assert torch.equal(logits_of(anatomy, kept, 2), logits_of(anatomy, inputs))
    assert whole.sealed(place) == {"ragged": ["hidden"]}


def test_batches_are_of_a_size_that_the_key_knows(monkeypatch):
    anatomy, inputs = anatomy_of(tiny_models.make("bert")), inputs_for("bert", rows=5)
    key = key_of(anatomy, inputs)
    monkeypatch.setattr(features, "BATCH", 7)
    assert key_of(anatomy, inputs) != key
