"""Which rows to label next: uncertain, unlike each other, in a file that can be filled in and learned from"""

import csv
import json

import numpy as np
import pytest

from street_world import reviews, write_csv
from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.cli.main import main
from warmstart.serve.wanted import AMONG, spread


@pytest.fixture
def pool(tmp_path):
    """60 reviews of two classes, and of a third that the model never met; without labels."""
    rows = [(text,) for text, _ in reviews(60, seed=5, classes=("bad", "good", "mixed"))]
    return write_csv(tmp_path / "pool.csv", rows, header=("review",))


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_chosen_are_among_the_least_certain_and_come_least_certain_first(text_copy, pool):
    rows, path = process.label(text_copy, str(pool), count=4)
    said = {s.name: s.answer for s in process.ask(text_copy, [str(pool)])}
    margins = {name: answer[0][1] - answer[1][1] for name, answer in said.items()}
    least = sorted(margins.values())[: AMONG * 4]
    assert path == text_copy / "label_next.csv"
    assert [row.margin for row in rows] == sorted(row.margin for row in rows)
    for row in rows:
        assert row.margin == pytest.approx(margins[row.name], abs=1e-6)
        assert row.margin <= least[-1] + 1e-6
        assert (row.predicted, row.probability) == (said[row.name][0][0], pytest.approx(said[row.name][0][1]))
    assert len({row.cluster for row in rows}) == len(rows) == 4
    assert sum(row.alike for row in rows) == min(60, AMONG * 4)


def test_of_alike_rows_one_is_taken_however_uncertain_they_are():
    """Three far clouds: the least certain rows all lie in the first."""
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(at, 0.1, (size, 5)) for at, size in ((0, 20), (5, 6), (-5, 4))])
    weights = np.linspace(1, 0.5, 30)
    clusters, chosen = spread(features, weights, 3, 0)
    assert [sum(place >= edge for edge in (20, 26)) for place in chosen] == [0, 1, 2]
    for place in chosen:
        mine = np.flatnonzero(clusters == clusters[place])
        centre = np.average(features[mine], axis=0, weights=weights[mine])
        apart = np.linalg.norm(features[mine] - centre, axis=1)
        assert mine[apart.argmin()] == place


def test_the_same_text_is_not_asked_for_twice(text_copy, tmp_path):
    text = reviews(1)[0][0]
    pool = write_csv(tmp_path / "same.csv", [(text,)] * 8 + [("poor weak sad",)], header=("review",))
    rows, _ = process.label(text_copy, str(pool), count=5)
    assert sorted(row.value for row in rows) == sorted([text, "poor weak sad"])
    assert {row.alike for row in rows} == {8, 1}


def test_the_file_can_be_filled_in_and_learned_from(text_copy, pool):
    _, path = process.label(text_copy, str(pool), count=40)
    table = read(path)
    assert list(table[0]) == [
        "where", "review", "mood", "predicted", "probability", "margin", "cluster", "alike",
    ]  # fmt: skip
    assert {row["mood"] for row in table} == {""}
    assert {row["where"] for row in table} <= {f"pool.csv:{line}" for line in range(2, 62)}
    filled = [{**row, "mood": row["predicted"]} for row in table]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(filled)
    bundle = process.check(path, text="review", label="mood")
    assert bundle.roles == {"text": "review", "label": "mood"}


def test_rows_that_have_a_label_are_passed_over(text_copy, tmp_path):
    rows = [(text, label if number % 2 else "") for number, (text, label) in enumerate(reviews(20, seed=3))]
    some = write_csv(tmp_path / "some.csv", rows)
    found, _ = process.label(text_copy, str(some), count=20)
    assert {row.name for row in found} <= {f"some.csv:{2 + number}" for number in range(0, 20, 2)}
    every = write_csv(tmp_path / "every.csv", reviews(5))
    with pytest.raises(WarmstartError, match="label already"):
        process.label(text_copy, str(every))


def test_pictures_of_a_folder_are_chosen_and_a_broken_one_is_passed_over(image_copy, world, tmp_path):
    for number, picture in enumerate(sorted((world / "shapes").rglob("*.png"))[::5]):
        (tmp_path / f"{number}.png").write_bytes(picture.read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no picture")
    rows, path = process.label(image_copy, str(tmp_path), count=3)
    assert len(rows) == 3
    assert all((tmp_path / row.value).is_file() and "broken" not in row.value for row in rows)
    assert read(path)[0]["image"] == rows[0].value


def test_the_same_pool_gives_the_same_file(text_copy, pool):
    first = process.label(text_copy, str(pool), count=7)[1].read_bytes()
    assert process.label(text_copy, str(pool), count=7)[1].read_bytes() == first


def test_on_the_command_line(text_copy, pool, capsys):
    assert main(["label", str(text_copy), str(pool), "--count", "12"]) == 0
    told = capsys.readouterr().out
    assert "and 2 more" in told
    assert "label_next.csv" in told
    assert main(["label", str(text_copy), str(pool), "--count", "3", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert len(table["rows"]) == 3
    assert set(table["rows"][0]) == {"name", "predicted", "probability", "margin", "cluster", "alike"}


@pytest.mark.parametrize("word", ["nowhere.csv", "what a film", ""])
def test_a_text_on_the_command_line_is_no_pool_of_rows(text_copy, word, capsys):
    assert main(["label", str(text_copy), word, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-input"
