"""Roles: found by name, then by values; every choice is explained and can be overridden."""

from pathlib import Path

import pyarrow as pa
import pytest
from data_files import ADJECTIVES, image_bytes, picture, sentence, write_table

from warmstart.base.errors import WarmstartError
from warmstart.data.labels import in_order
from warmstart.data.readers._table import finish
from warmstart.data.settle import settle
from warmstart.data.sniff import Asked, find_roles, split_column

ROWS = 60
TEXT = [sentence(i) for i in range(ROWS)]
CLASS = ["yes" if i % 2 else "no" for i in range(ROWS)]
MANY = [ADJECTIVES[i % 12] for i in range(ROWS)]
NUMBER = [str(i * 0.37) for i in range(ROWS)]
PERSON = [f"p{i % 15}" for i in range(ROWS)]
UNIQUE = [f"row {i}" for i in range(ROWS)]


def roles(columns: dict, base: Path = Path(), **asked: str) -> tuple[dict[str, str], list[str]]:
    table = finish(
        pa.table({k: _array(v) for k, v in columns.items()}),
        ["x"] * len(next(iter(columns.values()))),
        base,
        "x",
    )
    found, findings = find_roles(table, Asked(**asked), "x.csv")
    return found, [f"{f.what} -> {f.do}" for f in findings]


def _array(values: list) -> pa.Array:
    return pa.array(values, pa.large_string()) if isinstance(values[0], str) else pa.array(values)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"text": TEXT, "label": CLASS}, {"text": "text", "label": "label"}),
        ({"label": CLASS, "text": TEXT}, {"text": "text", "label": "label"}),
        ({"Review": TEXT, "Sentiment": CLASS}, {"text": "Review", "label": "Sentiment"}),
        ({"foo": TEXT, "bar": CLASS}, {"text": "foo", "label": "bar"}),
        ({"id": UNIQUE, "foo": TEXT, "bar": CLASS}, {"text": "foo", "label": "bar"}),
        ({"text": TEXT, "colour": MANY, "verified": CLASS}, {"text": "text", "label": "verified"}),
        ({"text": TEXT, "colour": MANY, "label": CLASS}, {"text": "text", "label": "label"}),
        ({"title": MANY, "body": TEXT, "category": CLASS}, {"text": "body", "label": "category"}),
        ({"text": TEXT, "price": NUMBER, "stars": CLASS}, {"text": "text", "label": "stars"}),
        ({"text": TEXT, "label": [i % 3 for i in range(ROWS)]}, {"text": "text", "label": "label"}),
        ({"text": TEXT, "label": [i % 2 == 0 for i in range(ROWS)]}, {"text": "text", "label": "label"}),
        ({"text": TEXT, "label": CLASS, "label_text": CLASS}, {"text": "text", "label": "label"}),
        ({"subject": TEXT, "label": CLASS}, {"text": "subject", "label": "label"}),
        ({"tags": ['["a"]'] * ROWS, "text": TEXT, "kind": CLASS}, {"text": "text", "label": "kind"}),
    ],
)
def test_the_roles_of_usual_tables_are_found(columns, expected):
    assert roles(columns)[0] == expected


def test_the_choice_is_explained_with_numbers_and_the_way_to_change_it():
    _, (said,) = roles({"review": TEXT, "sentiment": CLASS, "country": MANY})
    assert "label is 'sentiment' (2 values in 60 rows)" in said and "text is 'review'" in said
    assert "not used: 'country' (12 values)" in said and "--label" in said


def test_names_that_the_user_gives_win():
    found, _ = roles(
        {"text": TEXT, "summary": UNIQUE, "label": CLASS, "colour": MANY}, text="summary", label="colour"
    )
    assert found == {"text": "summary", "label": "colour"}


@pytest.mark.parametrize("name", ["user_id", "patient", "Speaker", "session_id", "videos"])
def test_a_column_of_repeated_ids_keeps_its_rows_together(name):
    found, said = roles({"text": TEXT, "label": CLASS, name: PERSON})
    assert found["group"] == name and "15 values" in said[1] and "--group none" in said[1]
    assert "group" not in roles({"text": TEXT, "label": CLASS, name: PERSON}, group="none")[0]


@pytest.mark.parametrize(
    "values",
    [UNIQUE, ["same"] * ROWS, ["amazon", "yelp"] * 30, [None] * ROWS],
    ids=["unique", "one", "two", "empty"],
)
def test_a_column_that_could_not_keep_rows_together_is_no_group(values):
    assert (
        "group" not in roles({"text": TEXT, "label": CLASS, "source": pa.array(values, pa.large_string())})[0]
    )


def test_a_group_of_few_values_is_used_if_asked_for():
    columns = {"text": TEXT, "label": CLASS, "source": ["amazon", "yelp"] * 30}
    assert "--group source" in roles(columns)[1][1]
    assert roles(columns, group="source")[0]["group"] == "source"


def test_images_are_found_as_cells_bytes_and_existing_paths(tmp_path: Path):
    png = image_bytes(picture(1))
    (tmp_path / "1.PNG").write_bytes(png)
    cells = [{"bytes": png, "path": None}] * ROWS
    for values in (cells, [png] * ROWS, ["1.PNG"] * ROWS):
        assert roles({"pic": values, "caption": TEXT, "label": CLASS}, tmp_path)[0] == {
            "image": "pic",
            "label": "label",
        }


def test_names_of_images_that_are_elsewhere_leave_the_text_as_input(tmp_path: Path):
    columns = {"photo": [f"{i}.jpg" for i in range(ROWS)], "text": TEXT, "label": CLASS}
    assert roles(columns, tmp_path)[0] == {"text": "text", "label": "label"}
    assert roles(columns, tmp_path, image="photo")[0] == {"image": "photo", "label": "label"}


def test_names_that_no_file_can_have_are_no_images(tmp_path: Path):
    columns = {"photo": ["x" * 5000 + ".jpg", "nul\0.jpg"] * 30, "text": TEXT, "label": CLASS}
    assert roles(columns, tmp_path)[0] == {"text": "text", "label": "label"}


def test_a_table_with_a_caption_can_be_learned_from_either(tmp_path: Path):
    columns = {"image": [image_bytes(picture(1))] * ROWS, "caption": TEXT, "label": CLASS}
    assert roles(columns)[0] == {"image": "image", "label": "label"}
    assert roles(columns, text="caption")[0] == {"text": "caption", "label": "label"}


@pytest.mark.parametrize(
    ("columns", "asked", "seen", "advice"),
    [
        (
            {"text": TEXT, "label": NUMBER, "colour": MANY},
            {},
            "60 different values in 60 rows: continuous",
            "--label colour",
        ),
        ({"text": TEXT, "note": UNIQUE}, {}, "every one is different", "classes that repeat"),
        (
            {"text": TEXT, "label": CLASS},
            {"label": "text"},
            "'text' has 60 different values",
            "--label label",
        ),
        (
            {"text": TEXT, "label": TEXT[:40] + TEXT[:20]},
            {},
            "40 different values in 60 rows: free text",
            "repeat",
        ),
        ({"text": TEXT, "label": [["a", "b"]] * ROWS}, {}, "holds lists", "repeat"),
    ],
)
def test_a_label_that_cannot_be_is_refused_with_what_was_seen(columns, asked, seen, advice):
    with pytest.raises(WarmstartError) as refused:
        roles(columns, **asked)
    assert seen in refused.value.wrong and advice in refused.value.do


def test_a_target_that_is_continuous_is_not_replaced_by_another_column():
    """Learning the colour because the target cannot be a class would answer a question that nobody asked."""
    with pytest.raises(WarmstartError, match="'target'"):
        roles({"text": TEXT, "target": NUMBER, "colour": MANY})


def test_a_column_that_names_splits_is_found():
    def table(values: list) -> pa.Table:
        return finish(pa.table({"text": _array(TEXT), "split": _array(values)}), ["x"] * ROWS, Path(), "x")

    assert split_column(table(["train", "Test", "val"] * 20)) == "split"
    assert split_column(table(["train", "holdout", "val"] * 20)) is None
    assert split_column(table(["train"] * ROWS)) is None


def test_class_names_stand_in_the_order_in_which_people_count():
    names = ["10", "2", "1", "digit_10", "digit_9", "b", "a", "007", "7", "9" * 5000]
    assert in_order([*names, "2"]) == (
        "1",
        "2",
        "007",
        "7",
        "10",
        "9" * 5000,
        "a",
        "b",
        "digit_9",
        "digit_10",
    )


def test_relative_paths_start_from_the_folder_of_their_table(tmp_path: Path):
    columns = {
        "file_name": ["a/1.png", "/abs/2.png", "https://x.org/3.png", " "],
        "label": ["a", "b", "a", "b"],
    }
    table = finish(pa.table({k: _array(v) for k, v in columns.items()}), ["x"] * 4, tmp_path, "x")
    settled = settle(table, {"image": "file_name", "label": "label"}, None)
    assert settled.column("file_name").to_pylist() == [
        str(tmp_path / "a" / "1.png"),
        "/abs/2.png",
        "https://x.org/3.png",
        None,
    ]


def test_a_column_of_numbers_asked_for_as_images_becomes_names():
    table = finish(pa.table({"n": [1.5, 2.5], "label": _array(["a", "b"])}), ["x"] * 2, Path("/photos"), "x")
    settled = settle(table, {"image": "n", "label": "label"}, None)
    assert settled.column("n").to_pylist() == ["/photos/1.5", "/photos/2.5"]


def test_cells_with_and_without_bytes_become_bytes(tmp_path: Path):
    (tmp_path / "2.png").write_bytes(b"two")
    cells = [
        {"bytes": b"one", "path": "1.png"},
        {"bytes": None, "path": "2.png"},
        {"bytes": None, "path": "3.png"},
        None,
    ]
    table = finish(pa.table({"image": pa.array(cells), "label": _array(["a"] * 4)}), ["x"] * 4, tmp_path, "x")
    settled = settle(table, {"image": "image", "label": "label"}, None)
    assert settled.column("image").to_pylist() == [b"one", b"two", None, None]


def test_a_written_table_reads_the_same_roles(tmp_path: Path):
    from warmstart.data.source import read

    source = write_table(
        tmp_path / "x.csv", zip(TEXT, CLASS, strict=True), ("what they said", "how they felt")
    )
    found, _ = find_roles(read(str(source)), Asked(), "x.csv")
    assert found == {"text": "what they said", "label": "how they felt"}
