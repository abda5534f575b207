"""One process in a run folder: the others are told who holds it, and a dead one bars nobody's way."""

import os
import re
import signal
import socket
import time

import pytest
from children import ended, fork

from warmstart.base.errors import WarmstartError
from warmstart.cli.main import main
from warmstart.street.lock import HOLDER, holding


def test_of_eight_one_works_and_seven_say_who(tmp_path):
    begin, refused = tmp_path / "begin", tmp_path / "refused"
    refused.mkdir()
    place = tmp_path / "run"
    place.mkdir()

    def work():
        while not begin.exists():
            time.sleep(0.001)
        try:
            with holding(place):
                (tmp_path / f"held-{os.getpid()}").touch()
                while len(list(refused.iterdir())) < 7:
                    time.sleep(0.01)
        except WarmstartError as error:
            draft = tmp_path / f"draft-{os.getpid()}"
            draft.write_text(f"{error.code} {error.exit_code} {error.wrong} {error.do}")
            draft.rename(refused / str(os.getpid()))
            os._exit(5)

    children = [fork(work) for _ in range(8)]
    begin.touch()
    assert sorted(map(ended, children)) == [0, 5, 5, 5, 5, 5, 5, 5]
    (held,) = tmp_path.glob("held-*")
    owner = held.name.removeprefix("held-")
    for path in refused.iterdir():
        said = path.read_text()
        assert said.startswith(f"locked 5 {place}: process {owner} on {socket.gethostname()}, since 2")
        assert f"stop it (kill {owner})" in said
    assert not (place / HOLDER).exists()


@pytest.fixture
def held(text_copy):
    """A child that holds the folder until it is killed."""

    def work():
        with holding(text_copy):
            time.sleep(100)

    child = fork(work)
    while not (text_copy / HOLDER).exists():
        time.sleep(0.01)
    yield child
    os.kill(child, signal.SIGKILL)
    ended(child)


def test_the_command_line_names_the_holder(text_copy, held, capsys):
    assert main(["run", str(text_copy)]) == 5
    said = " ".join(capsys.readouterr().err.split())
    assert re.search(
        rf"process {held} on \S+, since \d{{4}}-\d\d-\d\dT\S+, is working in this run folder", said
    )


def test_a_dead_holder_is_taken_over_from_and_named(tmp_path):
    def work():
        with holding(tmp_path):
            os.kill(os.getpid(), signal.SIGKILL)

    child, told = fork(work), []
    assert ended(child) == -signal.SIGKILL
    assert (tmp_path / HOLDER).exists()
    with holding(tmp_path, told.append):
        assert [event["event"] for event in told] == ["note"]
        assert told[0]["what"].startswith(
            f"taken over from process {child} on {socket.gethostname()}, since "
        )
        assert told[0]["what"].endswith(" which is gone")
    with holding(tmp_path, told.append):
        assert len(told) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b'{"process": 1}', b"\xff\xfe"])
def test_what_a_holder_wrote_may_be_damaged(tmp_path, damage):
    (tmp_path / HOLDER).write_bytes(damage)
    with holding(tmp_path):
        pass
    assert not (tmp_path / HOLDER).exists()


def test_a_folder_that_was_left_can_be_held_again(tmp_path):
    for _ in range(3):
        with holding(tmp_path):
            assert (tmp_path / HOLDER).exists()
        assert not (tmp_path / HOLDER).exists()
