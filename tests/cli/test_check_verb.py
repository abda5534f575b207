"""warmstart check: worst first, with places and remedies; a cleaned copy on request; strict where asked."""

import csv
import json

import pytest

import street_world
from warmstart.cli.main import main


@pytest.fixture
def troubled(tmp_path):
    """Reviews with a repeat, a row without a label and a stray blank."""
    rows = [*street_world.reviews(60), *street_world.reviews(2), ("ba ke li", ""), ("mo nu sa", "good ")]
    return street_world.write_csv(tmp_path / "reviews.csv", rows)


def told(words, capsys, code=0):
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_warnings_come_before_notes_and_are_counted(troubled, capsys):
    found = told(["check", str(troubled)], capsys)
    levels = [f["level"] for f in found["findings"]]
    assert levels == sorted(levels, reverse=True) and set(levels) == {"warning", "note"}
    assert found["numbers"] == {level: levels.count(level) for level in ("warning", "note")}
    assert all(f["do"] for f in found["findings"])
    repeats = next(f for f in found["findings"] if f["check"] == "duplicates")
    assert repeats["where"] == ["reviews.csv:62", "reviews.csv:63"]


def test_only_strict_makes_trouble_of_a_warning(troubled, world, capsys):
    assert main(["check", str(troubled)]) == 0
    shown = capsys.readouterr().out
    assert "3 warnings, " in shown and "reviews.csv:62, reviews.csv:63" in shown
    assert main(["check", str(troubled), "--strict"]) == 2
    assert capsys.readouterr().out == shown
    assert main(["check", str(world / "reviews.csv"), "--strict"]) == 0


def test_a_cleaned_copy_is_written_told_and_read_without_a_warning(troubled, tmp_path, capsys):
    out = tmp_path / "clean"
    found = told(["check", str(troubled), "--fix", str(out)], capsys)["cleaned"]
    assert found["files"] == [str(out / "reviews.csv")]
    whats = [(change["where"], change["what"], change["check"]) for change in found["changes"]]
    assert sorted(whats) == [
        ("reviews.csv:62", "dropped", "duplicates"),
        ("reviews.csv:63", "dropped", "duplicates"),
        ("reviews.csv:64", "dropped", "unlabelled"),
        ("reviews.csv:65", "relabelled", "label_spelling"),
    ]
    with (out / "changes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 4
    assert main(["check", found["files"][0], "--strict"]) == 0


def test_what_was_done_is_said_in_lines(troubled, tmp_path, capsys):
    assert main(["check", str(troubled), "--fix", str(tmp_path / "clean")]) == 0
    said = capsys.readouterr().out
    assert "2 dropped (duplicates)" in said and "1 relabelled (label_spelling)" in said
    assert f"{tmp_path / 'clean' / 'changes.csv'} names each of them" in said
    assert main(["check", str(tmp_path / "clean" / "reviews.csv"), "--fix", str(tmp_path / "again")]) == 0
    assert "nothing was changed" in capsys.readouterr().out


def test_a_place_that_is_taken_is_refused_and_left_alone(troubled, tmp_path, capsys):
    found = told(["check", str(troubled), "--fix", str(tmp_path)], capsys, code=2)
    assert found["error"]["code"] == "folder-taken" and troubled.is_file()


def mislabelled(tmp_path):
    other = {"good": "bad", "bad": "good"}
    rows = [
        (text, other[x] if i % 11 == 0 else x) for i, (text, x) in enumerate(street_world.clear_reviews(200))
    ]
    return street_world.write_csv(tmp_path / "reviews.csv", rows)


def test_with_a_model_labels_that_features_speak_against_are_told_and_kept(world, tmp_path, capsys):
    data, model = mislabelled(tmp_path), str(world / "text-model")
    found = told(["check", str(data), "--from", model], capsys)
    (noise,) = [f for f in found["findings"] if f["check"] == "label_noise"]
    assert "--fix" in noise["do"] and "rather" in noise["where"][0]
    found = told(["check", str(data), "--from", model, "--fix", str(tmp_path / "out")], capsys)
    (again,) = [f for f in found["findings"] if f["check"] == "label_noise"]
    assert again["where"] == noise["where"]
    with (tmp_path / "out" / "suspect_labels.csv").open() as file:
        assert len(list(csv.DictReader(file))) == noise["count"]
    assert found["cleaned"]["changes"] == [], "a label is never changed by itself"


def test_with_a_model_the_test_rows_are_compared_by_its_features(world, tmp_path, capsys):
    rows = street_world.reviews(150, seed=3)
    data = street_world.write_csv(tmp_path / "x.csv", rows)
    strange = [(" ".join(text.split()[:2] * 3), label) for text, label in street_world.reviews(60, seed=8)]
    test = street_world.write_csv(tmp_path / "unlike.csv", strange)
    found = told(["check", str(data), "--test", str(test), "--from", str(world / "text-model")], capsys)
    shifts = [f["what"] for f in found["findings"] if f["check"] == "shift"]
    assert any("the features of" in what for what in shifts) and any(
        "bag of words" in what for what in shifts
    )


def test_the_models_that_are_offered_can_be_meant_by_one_word(world, tmp_path, capsys, monkeypatch):
    from warmstart.street import opening

    monkeypatch.setitem(opening.DEFAULTS, "text", (str(world / "text-model"),))
    data = mislabelled(tmp_path)
    found = told(["check", str(data), "--from", "default"], capsys)
    assert [f for f in found["findings"] if f["check"] == "label_noise"]
