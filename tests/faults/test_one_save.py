"""Killed at any moment of one save, a training finds the checkpoint before it or the new one: never none."""

import os
import resource
import shutil
import signal
from pathlib import Path

import pytest
import torch
from children import SOAK, ended, fork, on_audit

from warmstart.tune import checkpoint
from warmstart.tune.identity import Identity

MINE = Identity(
    {"format": 2, "plan": {"lr": 0.1}, "model": "m", "train": "t", "validation": "v"}, {"threads": 1}
)
FILES = 4  # weights, optimiser, numbers and manifest


def save(folder, number):
    """Checkpoint number so and so, of 20 kB."""
    tensors = {"weights": {"w": torch.full((1000,), float(number))}, "optimiser": {"m": torch.ones(4000)}}
    checkpoint.save(folder, MINE, {"job": {"steps": number}}, tensors)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "checkpoints"
    for number in (1, 2):
        save(folder, number)
    return folder


def found_after(folder: Path) -> int:
    """The number of the checkpoint that is taken up; what it holds must be of that number alone."""
    own = checkpoint.look(folder, MINE).own
    assert own is not None
    number = own.numbers["job"]["steps"]
    assert bool((own.tensors["weights"]["w"] == number).all())
    return number


def killed_saves(two, tmp_path, arm):
    """Kill saves at the 1st, 2nd, ... moment that `arm` knows, until one ends; what is found after each."""
    found = []
    while True:
        folder = shutil.copytree(two, tmp_path / "checkpoints")

        def work(folder=folder):
            arm(len(found) + 1, folder)
            save(folder, 3)

        code = ended(fork(work))
        found.append(found_after(folder))
        save(folder, 4)
        assert found_after(folder) == 4
        assert len(checkpoint.found(folder)) == 2
        assert not list(folder.glob(".*")), "a draft was left"
        shutil.rmtree(folder)
        if code == 0:
            return found
        assert code == -signal.SIGKILL


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_at_every_opening_renaming_and_removing_of_a_file(two, tmp_path):
    def arm(number, folder):
        on_audit(lambda e, args: any(str(folder) in str(a) for a in args), lambda n: n == number and die())

    found = killed_saves(two, tmp_path, arm)
    assert len(found) > 20
    assert found == sorted(found)  # from one moment on, the new one is there
    assert set(found) == {2, 3}


@pytest.mark.parametrize("after", [False, True])
def test_at_every_flush_to_the_disk(two, tmp_path, after):
    def arm(number, folder):
        real, seen = os.fsync, []

        def fsync(handle):
            seen.append(handle)
            if len(seen) == number and not after:
                die()
            real(handle)
            if len(seen) == number:
                die()

        os.fsync = fsync

    found = killed_saves(two, tmp_path, arm)
    assert (
        len(found) == FILES + 2 + 1
    )  # files, the draft, the folder in which it is renamed; and one that ended
    assert set(found) == {2, 3}


@pytest.mark.parametrize("source", ["rename", "replace"])
def test_before_and_after_every_rename(two, tmp_path, source):
    def arm(number, folder):
        real, seen = getattr(os, source), []

        def rename(*paths, **more):
            seen.append(paths)
            real(*paths, **more)
            if len(seen) == number:
                die()

        setattr(os, source, rename)

    found = killed_saves(two, tmp_path, arm)
    assert found[-1] == 3
    assert len(found) == (2 if source == "rename" else 1)


def test_in_the_middle_of_every_write(two, tmp_path):
    """The system kills a process that writes past a limit: at that very byte."""
    limits = [int(x) for x in torch.linspace(0, 17_000, 40 * SOAK)]
    codes = []
    for limit in limits:
        folder = shutil.copytree(two, tmp_path / "checkpoints")

        def work(folder=folder, limit=limit):
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            save(folder, 3)

        codes.append(ended(fork(work)))
        assert found_after(folder) == (3 if codes[-1] == 0 else 2)
        shutil.rmtree(folder)
    assert set(codes) == {0, -signal.SIGXFSZ}


def test_the_order_is_files_draft_name_folder(two, tmp_path, monkeypatch):
    """A power cut may take all that was not flushed: the name must come last, and be flushed itself."""
    folder, seen = Path(shutil.copytree(two, tmp_path / "checkpoints")), []
    fsync, rename = os.fsync, os.rename

    def note_fsync(handle):
        path = Path(f"/proc/self/fd/{handle}").readlink()
        seen.append(("fsync", "draft" if path.suffix == ".tmp" else path.name))
        fsync(handle)

    def note_rename(one, other, **more):
        seen.append(("rename", Path(other).name))
        rename(one, other, **more)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "rename", note_rename)
    save(folder, 3)
    files = {"weights.safetensors", "optimiser.safetensors", "numbers.json", "manifest.json"}
    assert {name for kind, name in seen[:FILES] if kind == "fsync"} == files
    assert seen[FILES:] == [
        ("fsync", "draft"),
        ("rename", "checkpoint-000003"),
        ("fsync", "checkpoints"),
    ]
    assert not (folder / "checkpoint-000001").exists()
