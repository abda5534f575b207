"""A word of `predict` means what a user expects, and what cannot be read costs its own line alone."""

import io
import json
import shutil

import pytest

import street_world
from warmstart.cli.main import main


@pytest.fixture
def asked(capsys, monkeypatch):
    """Carry out `predict`; returns what was printed."""

    def ask(run, *words, code=0, stdin=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        assert main(["predict", str(run.folder), *map(str, words)]) == code
        return capsys.readouterr()

    return ask


@pytest.mark.parametrize("made", ["folder", "empty file", "nothing"])
def test_a_word_is_a_text_whatever_lies_about_under_that_name(made, text_run, asked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if made == "folder":
        (tmp_path / "awful").mkdir()
    elif made == "empty file":
        (tmp_path / "awful").touch()
    said = json.loads(asked(text_run, "awful", "--json").out)
    assert [row["input"] for row in said] == ["awful"]
    assert said[0]["labels"]


@pytest.mark.parametrize("word", ["", "  "])
def test_the_empty_text_is_refused_plainly(word, text_run, asked):
    assert "the text is empty" in asked(text_run, word, code=2).err


def test_a_dash_reads_lines_from_standard_input(text_run, image_run, world, asked):
    said = json.loads(asked(text_run, "-", "--json", stdin="a lovely ba\n\nawful ke\n").out)
    assert [row["input"] for row in said] == ["a lovely ba", "awful ke"]
    picture = world / "shapes" / "red" / "0.png"
    assert len(json.loads(asked(image_run, "-", "--json", stdin=f"{picture}\n").out)) == 1
    assert "no lines" in asked(text_run, "-", code=2).err


def test_a_damaged_picture_costs_one_line(image_run, world, asked, tmp_path):
    good, bad = tmp_path / "a.png", tmp_path / "b.png"
    shutil.copy(world / "shapes" / "red" / "0.png", good)
    bad.write_bytes(b"no picture")
    lines = asked(image_run, tmp_path).out.splitlines()
    assert len(lines) == 2
    assert "error:" not in lines[0]
    assert "error:" in lines[1]
    said = json.loads(asked(image_run, good, bad, "--json").out)
    assert [bool(row["labels"]) for row in said] == [True, False]
    assert "b.png" in said[1]["error"]
    assert "error" not in said[0]
    assert asked(image_run, bad, code=2).err


def test_a_table_of_picture_paths_is_answered_row_by_row(image_run, world, asked, tmp_path):
    shutil.copytree(world / "shapes" / "red", tmp_path / "red")
    rows = [(f"red/{i}.png", "red") for i in range(3)]
    table = street_world.write_csv(tmp_path / "x.csv", rows, ("image", "label"))
    said = json.loads(asked(image_run, table, "--json").out)
    assert [row["input"] for row in said] == ["x.csv:2", "x.csv:3", "x.csv:4"]
    assert all(row["labels"] for row in said)


def test_labels_in_a_table_are_compared_with_the_answers(text_run, asked, tmp_path):
    rows = street_world.reviews(20, seed=5)
    table = street_world.write_csv(tmp_path / "more.csv", rows)
    lines = asked(text_run, table).out.splitlines()
    assert len(lines) == 21
    said = json.loads(asked(text_run, table, "--json").out)
    right = sum(row["labels"][0]["label"] == mood for row, (_, mood) in zip(said, rows, strict=True))
    assert lines[-1].startswith(f"accuracy {right / 20:.1%} (95 % interval ")
    assert lines[-1].endswith(" on 20 rows with a label")
    bare = street_world.write_csv(tmp_path / "bare.csv", [(text,) for text, _ in rows], ("review",))
    assert len(asked(text_run, bare).out.splitlines()) == 20


def test_a_demo_in_the_place_of_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 5
    assert "a file in the way" in capsys.readouterr().err
