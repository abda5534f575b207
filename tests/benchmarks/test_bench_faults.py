"""The study of planted faults: what is planted is what it says, it goes on where it was, it counts right."""

import io
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from benchmarks import faulted, faults, planted
from benchmarks.planted import Pool, changed_words, copies, mislabelled, shifted
from warmstart.base.events import read_events
from warmstart.data.near_edits import edits
from warmstart.data.near_texts import normalise
from warmstart.evaluate.intervals import wilson

WORDS = [f"word{i}" for i in range(60)]
LONG = Pool("sms_spam", tuple(" ".join(WORDS[i : i + 5 + i % 14]) for i in range(40)), ("a", "b") * 20)


# planting


def test_as_many_labels_are_wrong_as_were_planted_and_no_other():
    labels_N = np.arange(200) % 5
    again_N, wrong = mislabelled(labels_N, 17, 3)
    assert sorted(wrong) == np.flatnonzero(again_N != labels_N).tolist() and len(wrong) == 17
    assert set(again_N) <= set(range(5))


def test_a_copy_of_a_text_has_as_many_other_words_as_is_said():
    for number, (copy, how) in enumerate(copies(LONG, range(40), 0)):
        text = LONG.values[number]
        one, other = normalise(text).split(), normalise(copy).split()
        words = changed_words(text, short=False)
        assert words == (2 if len(one) >= 12 else 1 if len(one) >= 8 else 0)
        assert how == ("case, punctuation", "one word", "two words")[words]
        assert edits(one, other) <= words and copy != text


def test_a_copy_of_a_picture_is_another_file_of_the_same_picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((60, 40), Image.Resampling.BICUBIC).save(tmp_path / "x.png")
    rows = Pool("trashnet", (str(tmp_path / "x.png"),) * 30, ("a",) * 30)
    made = copies(rows, range(30), 0)
    assert {how for _, how in made} == {"JPEG", "5 % smaller", "3 % brighter"}
    for copy, how in made:
        assert Image.open(io.BytesIO(copy)).size == ((57, 38) if how == "5 % smaller" else (60, 40))


def test_every_second_text_comes_with_a_greeting():
    strange = shifted(LONG, range(40), 1)
    assert 10 <= sum(text.startswith("hello there, ") for text in strange) <= 30
    assert all(text.endswith(LONG.values[i]) for i, text in enumerate(strange))


# the study


def test_a_study_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(faults, "pool", lambda name: LONG)
    made = []

    def fault(rows, seed, out):
        made.append(seed)
        return {"told": seed > 0, "warning": False}

    monkeypatch.setitem(faults.FAULTS, "shift", fault)
    faults.study([("shift", "sms_spam", 0), ("shift", "sms_spam", 1)], tmp_path)
    faults.study([("shift", "sms_spam", n) for n in range(3)], tmp_path)
    assert made == [0, 1, 2]
    lines = read_events(tmp_path / "faults.jsonl")
    assert [(line["fault"], line["set"], line["seed"]) for line in lines] == [
        ("shift", "sms_spam", n) for n in range(3)
    ]


def test_clean_draws_go_round_the_sets():
    cells = [cell for cell in faults.cells(2, 7, ("sms_spam", "trashnet")) if cell[0] == "clean"]
    assert len(set(cells)) == 7 and sum(name == "sms_spam" for _, name, _ in cells) == 4


def test_copies_among_test_rows_are_counted_by_the_leaks_that_warmstart_drops(tmp_path):
    """Three of the five copies are the same texts, two are others altogether."""
    rows = Pool(
        "sms_spam", tuple(f"{' '.join(WORDS[i : i + 9])} {i * 77}" for i in range(50)), ("a", "b") * 25
    )
    made = [(rows.values[i].upper(), "case") for i in range(3)] + [("quite another text", "none")] * 2
    dropped, strangers = faults.dropped_by(rows, np.arange(40), np.arange(45, 50), range(5), made, tmp_path)
    assert dropped == {0, 1, 2} and strangers == 0


# figures


def near_line(recall, **more):
    found = round(25 * recall)
    line = {"fault": "near", "set": "s", "ways": {"one word": [found, 25]}, "short": [1, 10], "others": 0.02}
    return {**line, "recall": recall, "others_of_another_class": 0.0, **more}


def label_line(**more):
    named = dict.fromkeys(faulted.LABELS, 0.8) | {"chance": 0.04, "listed": 50, "right": 0.9, "planted": 40}
    return {"fault": "labels", "set": "s", "warning": True, **named, **more}


LINES = [
    near_line(1.0),
    near_line(0.8),
    label_line(first=0.9),
    label_line(first=0.7),
    {"fault": "group", "set": "s", "told": True, "false": False, "named": True},
    {"fault": "group", "set": "t", "refused": True},
    {"fault": "shift", "set": "s", "told": False, "warning": False},
    *({"fault": "clean", "set": "s", "speaking": ["shift: warning"] if i == 0 else []} for i in range(10)),
]


def test_shares_and_means_are_counted_from_the_lines():
    found = faulted.figures(LINES)
    assert found["near"]["s"]["recall"]["share"] == pytest.approx(0.9)
    low, high = wilson(45, 50)
    assert (found["near"]["s"]["recall"]["low"], found["near"]["s"]["recall"]["high"]) == (low, high)
    assert found["near"]["s"]["ways"]["short"]["share"] == pytest.approx(0.1)
    assert found["labels"]["s"]["first"] == pytest.approx(0.8)
    assert "t" not in found["group"] and found["shift"]["s"]["told"]["share"] == 0
    assert found["clean"]["shift"]["warning"]["share"] == pytest.approx(0.1)
    assert found["clean"]["label_noise"]["warning"]["share"] == 0


def test_a_bar_that_is_missed_is_said_and_none_is_made_up():
    said = list(faulted.misses(faulted.figures(LINES)))
    assert said[0] == "near, s: 90.0 % of the copies are found"
    assert any(sentence.startswith("shift, s: told in 0 %") for sentence in said)
    assert any("shift warns in 10 %" in sentence for sentence in said)
    good = [near_line(1.0), label_line(), {"fault": "shift", "set": "s", "told": True, "warning": True}]
    assert list(faulted.misses(faulted.figures(good))) == []
    worse = [near_line(1.0, others_of_another_class=0.02), label_line(first=0.1)]
    assert len(list(faulted.misses(faulted.figures(worse)))) == 2


def test_the_tables_name_every_set_and_the_plot_is_a_picture():
    found = faulted.figures(LINES)
    told = faulted.tables(found)
    assert "| s | 90 | 50 |" in told and "### Clean draws, 10" in told
    assert ElementTree.fromstring(faulted.plot(found)).tag.endswith("svg")


@pytest.mark.models
def test_the_command_prints_json_and_draws(assets, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(planted, "ASSETS", assets)
    faults.main(
        ["--quick", "--sets", "snips_intents", "--faults", "group", "near", "--out", str(tmp_path), "--json"]
    )
    found = json.loads(capsys.readouterr().out)["figures"]
    assert found["group"]["snips_intents"]["told"]["share"] == 1
    assert found["near"]["snips_intents"]["recall"]["share"] >= 0.9
    assert (tmp_path / "faults.svg").read_text().startswith("<svg")
