"""A disk that is full, read-only or not ours is no end of a training: it is said, counted, and borne."""

import ctypes
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from children import SOAK, answer_of
from torch.optim.optimizer import register_optimizer_step_pre_hook
from trainings import end_of

from street_world import same_findings
from warmstart import process
from warmstart.cli.main import main
from warmstart.tune import checkpoint

KIND = "ragged texts in parts"
SAVES = 9 + 3 + 1  # after every step and every epoch, and at the end of the phase
NEW_USER, NEW_MOUNTS, READ_ONLY, REMOUNT = 0x10000000, 0x00020000, 1, 32
LIBC = ctypes.CDLL(None, use_errno=True)


def own_disk(place: Path, size: int) -> None:
    """Mount a disk of so many bytes that this process alone sees. OSError where the system forbids it."""
    for outcome in (
        LIBC.unshare(NEW_MOUNTS | (NEW_USER if os.geteuid() else 0)),
        LIBC.mount(None, b"/", None, 0x44000, None),  # what is mounted here is seen here alone
        LIBC.mount(b"tmpfs", bytes(place), b"tmpfs", 0, f"size={size}".encode()),
    ):
        if outcome:
            raise OSError(ctypes.get_errno(), "no disk of one's own")


def possible() -> bool:
    def work():
        try:
            own_disk(Path("/mnt"), 4096)
        except OSError:
            return False
        return True

    return answer_of(work)


@pytest.fixture(scope="module")
def disks():
    if not possible():
        pytest.skip("the system does not let us mount a disk of our own")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    end = answer_of(lambda: end_of(KIND, folder))
    assert end["failed"] == 0
    assert len(end["rates"]) == 9
    kept = checkpoint.found(folder / "checkpoints")
    end["bytes"] = max(sum(p.stat().st_size for p in path.iterdir()) for path in kept)
    return end


def check_borne(whole, end, written):
    """The same end; each save that failed was said once and counted."""
    for name in ("weights", "optimiser", "history", "rates", "steps"):
        assert end[name] == whole[name], name
    assert end["failed"] == SAVES - written
    assert len(end["notes"]) == end["failed"]
    for number, note in enumerate(end["notes"], 1):
        assert note.startswith("checkpoint not written: ")
        assert note.endswith(f" (warning {number})")


def test_a_disk_filled_to_any_level(disks, whole, tmp_path):
    """From no room at all to room for four: two that are kept, one more, and one that is being written."""
    written = []
    for level in range(40 * SOAK):
        room = int(4 * whole["bytes"] * level / (40 * SOAK - 1))
        place = tmp_path / str(level)
        place.mkdir()

        def work(place=place, room=room):
            own_disk(place, room + 65536)
            ballast = place / "ballast"
            ballast.write_bytes(b"\1" * max(0, shutil.disk_usage(place).free - room))
            end = end_of(KIND, place)
            kept = checkpoint.found(place / "checkpoints") if (place / "checkpoints").is_dir() else []
            for path in kept:
                checkpoint.verified(path)
            drafts = list(place.rglob("*.tmp"))
            return end, len(kept), checkpoint.order(kept[-1]) if kept else 0, len(drafts)

        end, kept, last, drafts = answer_of(work)
        check_borne(whole, end, last)
        assert drafts == 0
        assert kept == min(last, 2)
        written.append(last)
    assert {0, SAVES} < set(written)
    assert len(set(written)) >= 3


def test_a_disk_that_may_only_be_read(disks, whole, tmp_path):
    def work():
        own_disk(tmp_path, 10**7)
        assert LIBC.mount(b"tmpfs", bytes(tmp_path), b"tmpfs", READ_ONLY | REMOUNT, None) == 0
        return end_of(KIND, tmp_path)

    end = answer_of(work)
    check_borne(whole, end, 0)
    assert all("Read-only file system" in note for note in end["notes"])


def test_frozen_layers_that_cannot_be_kept_are_run_in_every_step(disks, tmp_path):
    other = "texts, gradual, behind a frozen prefix"
    kept = answer_of(lambda: end_of(other, tmp_path / "whole"))
    place = tmp_path / "place"
    place.mkdir()

    def work():
        own_disk(place, 10**7)
        assert LIBC.mount(b"tmpfs", bytes(place), b"tmpfs", READ_ONLY | REMOUNT, None) == 0
        return end_of(other, place)

    end = answer_of(work)
    assert any("run in every step" in note for note in end["notes"])
    assert end["rates"] == kept["rates"]
    for one, same in zip(end["history"], kept["history"], strict=True):
        assert dict(one)["validation_loss"] == pytest.approx(dict(same)["validation_loss"], abs=1e-4)


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_is_not_ours(whole, mode):
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(mode)

    def work():
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            return end_of(KIND, place)
        finally:
            if os.getuid() == 0:
                os.seteuid(0)

    end = answer_of(work)
    place.rmdir()
    if not mode:
        assert end["notes"].pop(0).endswith("cannot be looked into (Permission denied)")
    check_borne(whole, end, 0)
    assert all("Permission denied" in note for note in end["notes"])


def test_a_whole_run_ends_with_5_says_what_to_do_and_goes_on(disks, world, text_run, tmp_path):
    """The model itself cannot be saved where there is no room; all that was done by then is kept."""
    words = ["run", str(world / "reviews.csv"), "--from", str(world / "text-model"), "--out", str(tmp_path)]
    words += ["--strategy", "full"]

    def work():
        own_disk(tmp_path, 50_000_000)
        sys.stderr = io.StringIO()
        ballast = tmp_path / "ballast"
        fill_at(6, lambda: ballast.write_bytes(b"\1" * shutil.disk_usage(tmp_path).free))
        code = main(words)
        said = " ".join(sys.stderr.getvalue().split())
        ballast.unlink()
        result = process.run(tmp_path / "reviews-1")
        return code, said, same_findings(result, text_run.result)

    code, said, same = answer_of(work)
    assert code == 5
    assert "takes no more events (No space left on device); the work goes on" in said
    assert "do: free space or permit writing there, then go on with `warmstart run` on the run folder" in said
    assert same


def fill_at(number, fill):
    """Fill the disk while the optimiser takes its step of that number."""
    steps = iter(range(1, 10_000))

    def at_step(stepper, args, kwargs):
        if next(steps) == number:
            fill()

    register_optimizer_step_pre_hook(at_step)


def test_a_disk_that_fills_up_for_a_while(disks, whole, tmp_path):
    """What was saved before stays, and saving goes on once there is room."""

    def work():
        own_disk(tmp_path, 10 * whole["bytes"])
        ballast = tmp_path / "ballast"
        steps = iter(range(1, 100))

        def fill(stepper, args, kwargs):
            step = next(steps)
            if step == 4:
                ballast.write_bytes(b"\1" * shutil.disk_usage(tmp_path).free)
            if step == 7:
                assert [checkpoint.order(p) for p in checkpoint.found(tmp_path / "checkpoints")] == [3, 4]
                ballast.unlink()

        register_optimizer_step_pre_hook(fill)
        end = end_of(KIND, tmp_path)
        return end, checkpoint.order(checkpoint.found(tmp_path / "checkpoints")[-1])

    end, last = answer_of(work)
    check_borne(whole, end, last)
    assert 0 < end["failed"] < SAVES
