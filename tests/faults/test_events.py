"""What happened stays readable: each line shows its damage, and no torn line takes the next one with it."""

import json
import random
from pathlib import Path

import pytest
from children import SOAK, answer_of

from warmstart.base.events import EventLog, read_events
from warmstart.base.lines import from_line, to_line

EVENTS = [{"event": "look", "loss": 0.25 + i, "what": "caf\udce9 \u2028 \x00"} for i in range(6)]
SOURCE = random.Random(0)


@pytest.fixture
def log(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    for event in EVENTS:
        log(event)
    return log


def test_a_line_is_json_with_a_checksum(log):
    lines = log.path.read_text(encoding="ascii").splitlines()
    assert len(lines) == len(EVENTS)
    for line, event in zip(lines, EVENTS, strict=True):
        table = json.loads(line)
        assert len(table.pop("check")) == 8
        assert table.pop("time") > 0
        assert table == event


def test_events_are_only_ever_added(log):
    before = log.path.read_bytes()
    log({"event": "more"})
    assert log.path.read_bytes().startswith(before)


def test_a_tail_torn_anywhere_is_dropped_and_the_next_event_stands_on_its_own_line(log):
    whole = log.path.read_bytes()
    for _ in range(40 * SOAK):
        size = SOURCE.randrange(len(whole))
        log.path.write_bytes(whole[:size])
        complete = read_events(log.path)
        ends = [i for i in range(len(whole)) if whole[i : i + 1] == b"\n"]
        assert len(complete) == sum(end <= size for end in ends)
        log({"event": "next"})
        assert read_events(log.path)[:-1] == complete
        assert read_events(log.path)[-1]["event"] == "next"


def test_any_flipped_bit_costs_one_event_and_no_other(log):
    whole, events = log.path.read_bytes(), read_events(log.path)
    for _ in range(256 * SOAK):
        place = SOURCE.randrange(8 * len(whole))
        data = bytearray(whole)
        data[place // 8] ^= 1 << place % 8
        log.path.write_bytes(bytes(data))
        left = read_events(log.path)
        assert len(left) >= len(events) - 2  # a line's end that was flipped makes one of two
        assert all(event in events for event in left)
        assert left != events


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"3", b'{"event": "old"}', b'{"event": 1, "check": "00000000"}']
)
def test_a_line_without_its_checksum_is_none(line):
    assert from_line(line) is None


def test_a_line_comes_back_as_it_was():
    table = {"a": [1, 2.5, None, True], "check": "12345678", "b": {"c": 'x", "check": "'}}
    assert from_line(to_line(table)) == table


def test_a_disk_that_takes_no_event_is_said_once_and_the_work_goes_on():
    def work():
        told = []
        log = EventLog(Path("/dev/full"), told.append)
        for event in EVENTS:
            log(event)
        return [event["event"] for event in told], told[0]["what"], log.missed

    kinds, said, missed = answer_of(work)
    assert kinds == ["note"] + ["look"] * len(EVENTS)
    assert "takes no more events (No space left on device); the work goes on" in said
    assert missed == len(EVENTS)
