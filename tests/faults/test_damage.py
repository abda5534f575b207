"""A damaged checkpoint is never used: it is named, the one before it is, and the end is the same."""

import random
import shutil
from pathlib import Path

import pytest
from children import SOAK, answer_of
from trainings import check_same_end, end_of, train

from warmstart.tune import checkpoint
from warmstart.tune.identity import Identity

KIND = "texts, all layers, dropout"
FILES = (
    "weights.safetensors",
    "optimiser.safetensors",
    "guard.0.safetensors",
    "numbers.json",
    "manifest.json",
)
SOURCE = random.Random(0)


class PulledOut(Exception):
    """The plug."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """A training that was broken off in its second phase, and how it ends if it is not."""
    folder, other = tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("whole")

    def tell(event):
        if event["event"] == "look" and event["step"] == 6:
            raise PulledOut

    with pytest.raises(PulledOut):
        train(KIND, folder, 0.0, tell)
    return folder, answer_of(lambda: end_of(KIND, other, 1000.0))


@pytest.fixture
def folder(broken, tmp_path):
    return Path(shutil.copytree(broken[0], tmp_path / "run"))


def newest(folder):
    return checkpoint.found(folder / "checkpoints")[-1]


def identity(folder) -> Identity:
    return checkpoint.verified(checkpoint.found(folder / "checkpoints")[0])


def check_passed_over(broken, folder, file, change):
    """Change a file of the newest checkpoint: it is named and the one before it read. Then put it back."""
    path = newest(folder) / file
    before, mine = path.read_bytes(), identity(folder)
    kept = shutil.copytree(newest(folder), folder / "kept")
    change(path)
    looked = checkpoint.look(folder / "checkpoints", mine)
    assert looked.own is not None
    assert looked.own.name == checkpoint.found(broken[0] / "checkpoints")[0].name
    assert [line.split(":")[0].split(" ")[0] for line in looked.passed] == [path.parent.name]
    assert not path.parent.exists()
    kept.rename(path.parent)
    assert path.read_bytes() == before


def cut_to(size):
    return lambda path: path.write_bytes(path.read_bytes()[:size])


def flip(place):
    def change(path):
        data = bytearray(path.read_bytes())
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)

    return change


@pytest.mark.parametrize("file", FILES)
def test_cut_at_any_length(broken, folder, file):
    size = (newest(folder) / file).stat().st_size
    for _ in range(13 * SOAK):
        check_passed_over(broken, folder, file, cut_to(SOURCE.randrange(size)))
    check_passed_over(broken, folder, file, cut_to(0))
    check_passed_over(broken, folder, file, cut_to(size - 1))


@pytest.mark.parametrize("file", FILES)
def test_any_flipped_bit(broken, folder, file):
    size = 8 * (newest(folder) / file).stat().st_size
    for _ in range(52 * SOAK):
        check_passed_over(broken, folder, file, flip(SOURCE.randrange(size)))


@pytest.mark.parametrize("file", FILES)
def test_a_deleted_file_and_one_that_is_longer(broken, folder, file):
    check_passed_over(broken, folder, file, Path.unlink)
    check_passed_over(broken, folder, file, lambda path: path.write_bytes(path.read_bytes() + b"\0"))


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_checkpoint_before_it(broken, folder, file):
    other = checkpoint.found(folder / "checkpoints")[0] / file
    if other.read_bytes() == (newest(folder) / file).read_bytes():
        pytest.skip("the best weights are the same in both")
    check_passed_over(broken, folder, file, lambda path: shutil.copy(other, path))


@pytest.mark.parametrize(
    ("file", "change"), [(FILES[0], flip(4001)), (FILES[1], cut_to(100)), (FILES[4], flip(77))]
)
def test_the_training_says_so_and_ends_the_same(broken, folder, file, change):
    name = newest(folder).name
    change(newest(folder) / file)
    end = answer_of(lambda: end_of(KIND, folder, 1000.0))
    assert len(end["notes"]) == 1
    assert end["notes"][0].startswith(f"checkpoint not used: {name}")
    assert len(end["resumed"]) == 1
    check_same_end(broken[1], end)


def test_with_all_of_them_damaged_it_begins_anew_and_ends_the_same(broken, folder):
    for path in checkpoint.found(folder / "checkpoints"):
        flip(99)(path / "numbers.json")
    end = answer_of(lambda: end_of(KIND, folder, 1000.0))
    assert len(end["notes"]) == 2
    assert end["resumed"] == []
    check_same_end(broken[1], end)


@pytest.mark.parametrize("file", ["hidden.npy", "done.json"])
def test_a_flipped_bit_in_what_frozen_layers_gave_is_made_good(tmp_path, file):
    kind = "texts, gradual, behind a frozen prefix"
    whole = answer_of(lambda: end_of(kind, tmp_path, 1000.0))
    (tmp_path / "checkpoints").rename(tmp_path / "done")
    places = list((tmp_path / "cache").glob(f"*/{file}"))
    assert places
    for path in places:
        before = path.read_bytes()
        flip(8 * len(before) - 9)(path)
        check_same_end(whole, answer_of(lambda: end_of(kind, tmp_path, 1000.0)))
        assert path.read_bytes() == before
        shutil.rmtree(tmp_path / "checkpoints")


def test_the_best_weights_lie_in_each_of_the_two_that_are_kept(broken):
    for path in checkpoint.found(broken[0] / "checkpoints"):
        kept = checkpoint.read(path)
        best = min(look["validation_loss"] for look in kept.numbers["job"]["history"])
        assert kept.numbers["guards"][0]["best"] == best
        assert kept.tensors["guard.0"].keys() == kept.tensors["weights"].keys()


def test_two_folders_that_changed_names_are_both_intact(broken, folder):
    one, other = checkpoint.found(folder / "checkpoints")
    one.rename(folder / "for a moment")
    other.rename(one)
    (folder / "for a moment").rename(other)
    end = answer_of(lambda: end_of(KIND, folder, 1000.0))
    assert end["notes"] == []
    check_same_end(broken[1], end)
