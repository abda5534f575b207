"""The cache keeps to its limit: what was not used for longest goes, never what a living process uses."""

import gc
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.models import cache
from warmstart.models.whole import room_for, seal, sealed

sys.path.append(str(Path(__file__).parents[1] / "faults"))
from children import ended, fork  # noqa: E402

SIZE = 100_000
ROOM = SIZE + 2 * cache.SLACK


def name(number):
    return f"{number:024x}"


def write(folder, number, limit=None, size=SIZE):
    """An entry whose every byte is its number."""
    with cache.entry(folder / name(number), size, limit) as draft:
        array = room_for(draft / "a.npy", np.uint8, (size,))
        array[:] = number
        array.flush()
        seal(draft, {"number": number})


def read(folder, number):
    """Is the entry there? Then every byte of it must be its own, also after others made room."""
    used = cache.use(folder / name(number))
    if used is None:
        return False
    array = np.load(folder / name(number) / "a.npy", mmap_mode="r")
    assert used.facts == {"number": number}
    assert (array == number).all()
    return True


def there(folder):
    return sorted(int(p.name, 16) for p in cache.entries_of(folder))


def age(folder, *numbers):
    """Let the entries have been used long ago, in this order."""
    for place, number in enumerate(numbers):
        when = time.time() - 1000 + place
        os.utime(folder / name(number) / "done.json", (when, when))


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path, number)
    age(tmp_path, 1, 2, 3)
    assert read(tmp_path, 1)
    write(tmp_path, 4, limit=3 * ROOM)
    assert there(tmp_path) == [1, 3, 4]
    write(tmp_path, 5, limit=3 * ROOM)
    assert there(tmp_path) == [1, 4, 5]


def test_reading_a_file_without_using_its_entry_counts_as_nothing(tmp_path):
    """The time of access is not what decides: other programs read files too."""
    for number in (1, 2):
        write(tmp_path, number)
    age(tmp_path, 1, 2)
    (tmp_path / name(1) / "a.npy").read_bytes()
    write(tmp_path, 3, limit=2 * ROOM)
    assert there(tmp_path) == [2, 3]


def test_what_does_not_fit_is_not_begun_and_costs_nobody_his_place(tmp_path):
    write(tmp_path, 1)
    with pytest.raises(OSError, match="no room"):
        write(tmp_path, 2, limit=SIZE)
    assert there(tmp_path) == [1]
    assert [p.name for p in tmp_path.iterdir()] == [name(1)]


def test_what_this_process_holds_stays_until_it_lets_go(tmp_path):
    write(tmp_path, 1)
    used = cache.use(tmp_path / name(1))
    with pytest.raises(OSError, match="no room"):
        write(tmp_path, 2, limit=ROOM)
    assert there(tmp_path) == [1]
    del used
    gc.collect()
    write(tmp_path, 2, limit=ROOM)
    assert there(tmp_path) == [2]


def test_what_another_process_holds_stays_until_that_is_killed(tmp_path):
    write(tmp_path, 1)
    ready, told = os.pipe()

    def work():
        used = cache.use(tmp_path / name(1))
        os.write(told, b"1")
        time.sleep(60)
        del used

    child = fork(work)
    assert os.read(ready, 1) == b"1"
    age(tmp_path, 1)
    write(tmp_path, 2, limit=2 * ROOM)
    write(tmp_path, 3, limit=2 * ROOM)
    assert there(tmp_path) == [1, 3]
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    age(tmp_path, 1)
    write(tmp_path, 4, limit=2 * ROOM)
    assert there(tmp_path) == [3, 4]


def test_two_processes_that_want_the_same_entry_both_make_it_and_one_wins(tmp_path):
    gate, opened = os.pipe()

    def work():
        with cache.entry(tmp_path / name(7), SIZE) as draft:
            os.read(gate, 1)  # both are at work now
            room_for(draft / "a.npy", np.uint8, (SIZE,))[:] = 7
            seal(draft, {"number": 7})
        assert read(tmp_path, 7)

    children = [fork(work) for _ in range(2)]
    time.sleep(0.3)
    os.write(opened, b"11")
    assert [ended(child) for child in children] == [0, 0]
    assert [p.name for p in tmp_path.iterdir()] == [name(7)]
    assert read(tmp_path, 7)


def test_drafts_count_before_they_are_written_and_go_with_their_process(tmp_path):
    """Two processes must not both take the last room."""
    ready, told = os.pipe()

    def work():
        with cache.entry(tmp_path / name(1), SIZE, 2 * ROOM):
            os.write(told, b"1")
            time.sleep(60)

    child = fork(work)
    assert os.read(ready, 1) == b"1"
    write(tmp_path, 2, limit=2 * ROOM)
    with pytest.raises(OSError, match="no room"):
        write(tmp_path, 3, limit=2 * ROOM, size=SIZE + 5 * cache.SLACK)
    os.kill(child, signal.SIGKILL)
    ended(child)
    write(tmp_path, 3, limit=2 * ROOM)
    assert there(tmp_path) == [2, 3]
    assert len(list(tmp_path.iterdir())) == 2


def test_processes_that_read_write_and_are_killed_leave_whole_entries_within_the_limit(tmp_path):
    limit, until = 4 * ROOM, time.monotonic() + 3

    def work(seed):
        random.seed(seed)
        while time.monotonic() < until:
            number = random.randrange(9)
            used = cache.use(tmp_path / name(number))
            if used is None:
                try:
                    write(tmp_path, number, limit)
                except OSError as error:
                    assert "no room" in str(error)
                continue
            array = np.load(tmp_path / name(number) / "a.npy", mmap_mode="r")
            time.sleep(random.random() / 500)
            assert (array == number).all()

    children = {fork(lambda seed=seed: work(seed)): seed for seed in range(4)}
    worst, seeds = 0, 4
    while time.monotonic() < until:
        with cache.locked(tmp_path):  # nothing comes or goes meanwhile
            worst = max(worst, sum(map(cache.size_of, cache.entries_of(tmp_path))))
        time.sleep(0.05)
        if seeds < 30:  # one goes, another comes
            child = next(iter(children))
            children.pop(child)
            os.kill(child, signal.SIGKILL)
            assert ended(child) in (-signal.SIGKILL, 0)  # or it was done just before
            children[fork(lambda seed=seeds: work(seed))] = seeds
            seeds += 1
    assert [ended(child) for child in children] == [0] * 4
    assert 0 < worst <= limit
    cache.sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == len(there(tmp_path))
    assert all(read(tmp_path, number) for number in there(tmp_path))


def test_what_is_mapped_is_read_on_though_its_files_are_gone(tmp_path):
    """Where a system knows no locks."""
    write(tmp_path, 5)
    array = np.load(tmp_path / name(5) / "a.npy", mmap_mode="r")
    shutil.rmtree(tmp_path / name(5))
    assert (array == 5).all()


def test_an_entry_that_went_while_it_was_looked_at_is_none(tmp_path, monkeypatch):
    write(tmp_path, 1)
    before = cache.lock

    def late(handle, alone, wait):
        monkeypatch.setattr(cache, "lock", before)
        assert cache.let_go(tmp_path / name(1))
        write(tmp_path, 1)  # another one under the same name
        return before(handle, alone, wait)

    monkeypatch.setattr(cache, "lock", late)
    assert cache.use(tmp_path / name(1)) is None
    assert read(tmp_path, 1)


def test_nothing_that_somebody_else_put_there_is_touched(tmp_path):
    foreign = [tmp_path / "pip", tmp_path / name(9), tmp_path / ".hidden.1.2.tmp", tmp_path / "file"]
    for path in foreign[:-1]:
        path.mkdir()
        (path / "a.npy").write_bytes(b"x" * SIZE)
    foreign[-1].write_bytes(b"x" * SIZE)
    write(tmp_path, 1)
    write(tmp_path, 2, limit=ROOM)
    assert there(tmp_path) == [2]
    assert all(path.exists() for path in foreign)


def test_the_limit_that_was_asked_for_holds_for_all_who_come_after(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path, number)
    age(tmp_path, 2, 1, 3)
    cache.set_limit(tmp_path, f"{2.5 * ROOM / 1000:.3f} kB")
    assert there(tmp_path) == [1, 3]
    child = fork(lambda: write(tmp_path, 4))
    assert ended(child) == 0
    assert there(tmp_path) == [3, 4]
    cache.set_limit(tmp_path, "1GB")
    write(tmp_path, 5)
    assert there(tmp_path) == [3, 4, 5]


def test_without_a_limit_the_folder_takes_no_more_than_half_of_what_is_free(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    assert cache.limit_of(tmp_path, 0) <= cache.MOST
    assert cache.limit_of(tmp_path, 0) <= free // 2 + 10**9


@pytest.mark.parametrize(
    ("said", "size"), [("20GB", 20 * 10**9), ("500 mb", 5 * 10**8), ("1.5k", 1500), ("12", 12), ("0", 0)]
)
def test_sizes_as_people_write_them(said, size):
    assert cache.bytes_in(said) == size


@pytest.mark.parametrize("said", ["much", "20 GiBs", "-1GB", "GB", "1e9"])
def test_what_is_no_size_is_refused(said, tmp_path):
    with pytest.raises(WarmstartError, match="no size"):
        cache.set_limit(tmp_path, said)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_entry_is_made_again_and_replaces_the_old_one(tmp_path):
    write(tmp_path, 1)
    (tmp_path / name(1) / "a.npy").write_bytes(b"short")
    assert cache.use(tmp_path / name(1)) is None
    write(tmp_path, 1)
    assert sealed(tmp_path / name(1)) == {"number": 1}
    assert read(tmp_path, 1)
