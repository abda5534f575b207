"""Readers: the values stay what the file holds, every row knows its line, one broken row costs one row."""

import csv
import io
import json
import os
import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from data_files import image_bytes, picture, reviews, write_pictures, write_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warmstart.base.errors import WarmstartError
from warmstart.data.readers import READERS
from warmstart.data.readers._table import findings_of
from warmstart.data.source import read


def cells(table: pa.Table, *names: str) -> list[tuple]:
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def write(path: Path, content: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


LITERAL = [
    "007",
    "1e3",
    "NA",
    "None",
    "null",
    "nan",
    "True",
    " cat ",
    "Cat",
    "1.0",
    "-0",
    "n/a",
    "",
    "\u00e9e\u0301",
]


def test_values_of_a_csv_stay_exactly_the_strings_of_the_file(tmp_path: Path):
    rows = [(f"text {i}", value) for i, value in enumerate(LITERAL)]
    table = read(str(write_table(tmp_path / "x.csv", rows)))
    assert table.column("label").to_pylist() == LITERAL


def test_places_are_the_lines_on_which_records_begin(tmp_path: Path):
    content = 'text,label\n"one\nand two",a\n\nplain,b\n"three\n\nlines",c\nlast,d'
    table = read(write(tmp_path / "x.csv", content))
    assert cells(table, "_where", "label") == [
        ("x.csv:2", "a"),
        ("x.csv:5", "b"),
        ("x.csv:6", "c"),
        ("x.csv:9", "d"),
    ]


# Any text that a file can hold: no NUL (a row with one is quarantined), no half of a surrogate pair.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8).filter(
        lambda rows: ("text", "label") not in rows
    ),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_what_the_csv_module_writes_is_read_back_with_the_right_lines(
    rows, delimiter, end, encoding, tmp_path
):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    lines = []
    for row in [("text", "label"), *rows]:
        lines.append(1 + len(re.findall("\r\n|\r|\n", out.getvalue())))
        writer.writerow(row)
    table = read(write(tmp_path / "x.csv", out.getvalue().encode(encoding)))
    assert cells(table, "text", "label") == rows
    assert table.column("_where").to_pylist() == [f"x.csv:{line}" for line in lines[1:]]
    assert findings_of(table) == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_among_texts_that_hold_the_others(delimiter, tmp_path: Path):
    others = [d for d in ",;|" if d != delimiter]
    rows = [f"so{others[0]} so{others[1]} {'and on' * (i % 3)}{delimiter}{'ab'[i % 2]}" for i in range(9)]
    table = read(write(tmp_path / "x.csv", "\n".join([f"text{delimiter}label", *rows])))
    assert table.column("label").to_pylist() == list("ababababa")


def test_quotes_of_a_tab_separated_file_may_be_literal(tmp_path: Path):
    rows = ['"He left"" early\ta', 'the 5" disk\tb', '"Never, she said\ta', "plain\tb"]
    table = read(write(tmp_path / "x.tsv", "\n".join(["text\tlabel", *rows])))
    assert table.column("text").to_pylist() == [row.split("\t")[0] for row in rows]
    assert findings_of(table) == ()


def test_quotes_escaped_with_a_backslash_are_read(tmp_path: Path):
    rows = ['"She said \\"no, never\\"",a', '"and \\"yes\\"",b', "plain,a"]
    table = read(write(tmp_path / "x.csv", "\n".join(["text,label", *rows])))
    assert table.column("text").to_pylist() == ['She said "no, never"', 'and "yes"', "plain"]


@pytest.mark.parametrize(
    ("row", "trouble"),
    [
        ("one,two,three", "3 fields where the header has 2"),
        ("alone", "1 field where the header has 2"),
        ("nul\0here,a", "it holds a NUL byte"),
        ('"never closed,a', "a quoted field does not end where it should"),
        ('"closed" too early,a', "a quoted field does not end where it should"),
        ("text,label", "it repeats the header"),
    ],
)
def test_one_bad_row_is_left_out_and_named(row, trouble, tmp_path: Path):
    lines = ["text,label", "good film,a", row, '"a film, good",b', "bad film,a", "another film,b"]
    table = read(write(tmp_path / "x.csv", "\n".join(lines) + "\n"))
    assert cells(table, "_where", "text") == [
        ("x.csv:2", "good film"),
        ("x.csv:4", "a film, good"),
        ("x.csv:5", "bad film"),
        ("x.csv:6", "another film"),
    ]
    (finding,) = findings_of(table)
    assert finding.count == 1 and finding.where == ("x.csv:3",) and finding.level == "warning"
    assert trouble in finding.what and "line 3" in finding.do


def test_many_stray_quotes_cost_no_quadratic_time(tmp_path: Path):
    """Every fifth row opens a quote that nothing closes; each costs its own row, and lines are read twice."""
    lines = [f'"stray {i},a' if i % 5 == 0 else f"plain {i},b" for i in range(20_000)]
    table = read(write(tmp_path / "x.csv", "\n".join(["text,label", *lines])))
    assert findings_of(table)[0].count == 4_000 and table.num_rows == 16_000
    assert table.column("_where")[-1].as_py() == "x.csv:20001"


def test_lines_that_a_stray_quote_takes_with_it_are_named(monkeypatch, tmp_path: Path):
    """Lines are read again only so often; where that is used up, what is lost is said."""
    monkeypatch.setattr("warmstart.data.readers._lines.PATIENCE", 2)
    lines = ["text,label", "one film,a", '"stray,a', "two films,b", "three films,a", 'more" so,b', "film,a"]
    table = read(write(tmp_path / "x.csv", "\n".join(lines)))
    assert "and takes the lines up to 6 with it" in findings_of(table)[0].what
    assert table.column("_where").to_pylist() == ["x.csv:2", "x.csv:7"]


def test_a_column_without_name_and_values_is_left_out(tmp_path: Path):
    table = read(write(tmp_path / "x.csv", "text,label,\ngood film,a,\nbad film,b,\n"))
    assert [name for name in table.column_names if not name.startswith("_")] == ["text", "label"]


def test_a_column_without_name_but_with_values_gets_one(tmp_path: Path):
    table = read(write(tmp_path / "x.csv", ",text,label\n0,good film,a\n1,bad film,b\n"))
    assert table.column("column_1").to_pylist() == ["0", "1"]


def test_a_field_of_several_megabytes_is_read(tmp_path: Path):
    table = read(str(write_table(tmp_path / "x.csv", [("long " * 600_000, "a"), ("short", "b")])))
    assert len(table.column("text")[0].as_py()) == 3_000_000


def test_blank_lines_before_the_header_do_not_shift_the_lines(tmp_path: Path):
    table = read(write(tmp_path / "x.csv", "\n" * 6000 + "text,label\n\ngood film,a\n"))
    assert table.column("_where").to_pylist() == ["x.csv:6003"]


# ---------------------------------------------------------------------------------------------------- JSON


ROWS = [{"text": "good film", "label": "a"}, {"text": "bad film", "label": "b"}]


@pytest.mark.parametrize(
    ("document", "places", "splits"),
    [
        (ROWS, ["x.json:1", "x.json:1"], [None, None]),
        ({"data": ROWS, "version": "2"}, ["x.json:data[0]", "x.json:data[1]"], [None, None]),
        ({"train": ROWS[:1], "test": ROWS[1:]}, ["x.json:train[0]", "x.json:test[0]"], ["train", "test"]),
        (
            {"text": ["good film", "bad film"], "label": ["a", "b"]},
            ["x.json:[0]", "x.json:[1]"],
            [None, None],
        ),
    ],
)
def test_json_documents_of_every_layout_are_read(document, places, splits, tmp_path: Path):
    table = read(write(tmp_path / "x.json", json.dumps(document)))
    assert cells(table, "text", "label") == [("good film", "a"), ("bad film", "b")]
    assert table.column("_where").to_pylist() == places
    assert table.column("_split").to_pylist() == splits


def test_elements_of_a_json_list_know_their_lines(tmp_path: Path):
    table = read(write(tmp_path / "x.json", json.dumps(ROWS, indent=2)))
    assert table.column("_where").to_pylist() == ["x.json:2", "x.json:6"]


def test_json_lines_may_be_called_json(tmp_path: Path):
    table = read(write(tmp_path / "x.json", "\n".join(map(json.dumps, ROWS))))
    assert table.column("_where").to_pylist() == ["x.json:1", "x.json:2"]


def test_numbers_of_json_keep_their_digits(tmp_path: Path):
    lines = [
        '{"text": "a", "label": 1e3}',
        '{"text": "b", "label": 1.50}',
        '{"text": "c", "label": true}',
        '{"text": "d"}',
    ]
    table = read(write(tmp_path / "x.jsonl", "\n".join(lines)))
    assert table.column("label").to_pylist() == ["1e3", "1.50", "true", None]


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ('{"text": "cut', "unterminated string"),
        ('["a", "b"]', "it is not an object"),
        ('{"text": "half a pair \\ud800", "label": "a"}', "surrogate"),
        ('{"text": "a", "text": "b", "label": "a"}', "key 'text' appears twice"),
        ('{"text": ' + "[" * 50_000, "nested too deeply"),
    ],
)
def test_one_bad_line_of_json_is_left_out_and_named(line, trouble, tmp_path: Path):
    table = read(write(tmp_path / "x.jsonl", "\n".join([json.dumps(ROWS[0]), "", line, json.dumps(ROWS[1])])))
    assert cells(table, "_where", "label") == [("x.jsonl:1", "a"), ("x.jsonl:4", "b")]
    (finding,) = findings_of(table)
    assert trouble in finding.what and finding.where == ("x.jsonl:3",)


# ------------------------------------------------------------------------------------- parquet and arrow


def columnar(folder: Path, table: pa.Table) -> list[str]:
    pyarrow.parquet.write_table(table, folder / "x.parquet")
    pyarrow.feather.write_feather(table, folder / "x.feather")
    with pa.OSFile(str(folder / "x.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return [str(folder / f"x.{kind}") for kind in ("parquet", "feather", "arrow")]


def test_parquet_feather_and_arrow_streams_give_the_same_rows(tmp_path: Path):
    labels = pa.array(["a", "b", None]).dictionary_encode()
    table = pa.table({"text": ["one", "two", "three"], "label": labels, "stars": [5, 1, 3]})
    for source in columnar(tmp_path, table):
        found = read(source)
        assert cells(found, "text", "label", "stars") == [
            ("one", "a", 5),
            ("two", "b", 1),
            ("three", None, 3),
        ]
        assert found.column("_where").to_pylist() == [f"{Path(source).name}:{i}" for i in (1, 2, 3)]


def test_class_numbers_that_the_datasets_library_stored_become_names(tmp_path: Path):
    features = {
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.table({"text": ["one", "two", "three"], "label": [1, 0, -1]}).replace_schema_metadata(metadata)
    for source in columnar(tmp_path, table):
        assert read(source).column("label").to_pylist() == ["pos", "neg", None]


def test_dates_and_decimals_become_text_that_any_reader_understands(tmp_path: Path):
    table = pa.table(
        {
            "when": pa.array([1, 2_000_000_001], pa.timestamp("ns", tz="Europe/Paris")),
            "took": pa.array([1, 2], pa.duration("ns")),
            "price": pa.array(["1.50", "2.25"]).cast(pa.decimal128(5, 2)),
        }
    )
    found = read(columnar(tmp_path, table)[0])
    assert cells(found, "when", "took", "price") == [
        ("1970-01-01 00:00:00.000000001", "1", "1.50"),
        ("1970-01-01 00:00:02.000000001", "2", "2.25"),
    ]


@pytest.mark.parametrize("cut", [4, 12, 40, 200])
def test_a_cut_columnar_file_is_refused(cut, tmp_path: Path):
    texts, labels = zip(*reviews(50), strict=True)
    for source in columnar(tmp_path, pa.table({"text": texts, "label": labels})):
        path = Path(source)
        path.write_bytes(path.read_bytes()[:-cut])
        if path.suffix == ".arrow" and cut <= 12:
            continue  # a stream may end without its end mark
        with pytest.raises(WarmstartError, match=path.name):
            read(source)


# ------------------------------------------------------------------------------------------------ folders


def test_a_class_folder_gives_paths_classes_and_places(tmp_path: Path):
    write_pictures(tmp_path / "photos", ("cat", "dog 2"), 2)
    (tmp_path / "photos" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "photos" / "cat" / "notes.pdf").write_bytes(b"x")
    table = read(str(tmp_path / "photos"))
    assert cells(table, "_where", "label", "_split")[::2] == [
        ("cat/0.png", "cat", None),
        ("dog 2/0.png", "dog 2", None),
    ]
    assert table.column("image")[0].as_py() == str(tmp_path / "photos" / "cat" / "0.png")
    (finding,) = findings_of(table)
    assert finding.level == "note" and ".pdf" in finding.what and finding.where == ("cat/notes.pdf",)


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "test"), {"train", "test"}),
        (("training", "val", "testing"), {"train", "validation", "test"}),
        (("Train", "Dev"), {"train", "validation"}),
    ],
)
def test_class_folders_below_split_folders_are_splits(names, splits, tmp_path: Path):
    for number, name in enumerate(names):
        write_pictures(tmp_path / "photos" / name, ("cat", "dog"), 2, start=10 * number)
    table = read(str(tmp_path / "photos"))
    assert set(table.column("_split").to_pylist()) == splits
    assert f"{names[0]}/cat/0.png" in table.column("_where").to_pylist()
    assert set(table.column("label").to_pylist()) == {"cat", "dog"}


def test_a_class_called_train_is_a_class_where_its_neighbours_are_no_splits(tmp_path: Path):
    write_pictures(tmp_path / "vehicles", ("train", "car"), 2)
    table = read(str(tmp_path / "vehicles"))
    assert set(table.column("label").to_pylist()) == {"train", "car"}
    assert set(table.column("_split").to_pylist()) == {None}


def test_a_folder_of_text_files_by_class_is_read(tmp_path: Path):
    write(tmp_path / "mail" / "spam" / "1.txt", "buy\nnow ")
    write(tmp_path / "mail" / "ham" / "deep" / "2.txt", "see you \u00e9")
    write(tmp_path / "mail" / "ham" / "3.txt", "")
    write(tmp_path / "mail" / "ham" / "4.txt", "caf\u00e9".encode("latin-1"))
    table = read(str(tmp_path / "mail"))
    assert cells(table, "_where", "text", "label") == [
        ("ham/3.txt", "", "ham"),
        ("ham/deep/2.txt", "see you \u00e9", "ham"),
        ("spam/1.txt", "buy\nnow ", "spam"),
    ]
    assert findings_of(table)[0].where == ("ham/4.txt",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no file names of any bytes")
def test_a_file_name_that_is_not_text_is_refused(tmp_path: Path):
    folder = write_pictures(tmp_path / "photos", ("cat", "dog"), 2)
    (folder / "cat" / "0.png").rename(folder / "cat" / os.fsdecode(b"caf\xe9.png"))
    with pytest.raises(WarmstartError, match="not UTF-8") as refused:
        read(str(folder))
    assert refused.value.code == "file-name"


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_an_imagefolder_takes_columns_from_its_metadata(name, tmp_path: Path):
    folder = tmp_path / "photos"
    for split in ("train", "test"):
        rows = [{"file_name": f"deep/{i}.png", "label": "ab"[i % 2]} for i in range(3)]
        for row in rows:
            write(folder / split / row["file_name"], image_bytes(picture(1)))
        if name.endswith("csv"):
            write_table(folder / split / name, [tuple(row.values()) for row in rows], ("file_name", "label"))
        else:
            write(folder / split / name, "\n".join(map(json.dumps, rows)))
    table = read(str(folder))
    first = 2 if name.endswith("csv") else 1
    assert cells(table, "_where", "file_name", "_split")[0] == (
        f"train/{name}:{first}",
        "deep/0.png",
        "train",
    )
    assert table.column("_ws_base")[0].as_py() == str(folder / "train")
    assert table.num_rows == 6


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        (("train.csv", "test.csv"), {"train": 2, "test": 2}),
        (("train.csv", "dev.csv", "test.csv"), {"train": 2, "validation": 2, "test": 2}),
        (("amazon_train.csv", "amazon_test.csv"), {"train": 2, "test": 2}),
        (("amazon-train.csv", "amazon-valid.csv"), {"train": 2, "validation": 2}),
        (("train/part.csv", "test/part.csv"), {"train": 2, "test": 2}),
        (("train-00000-of-00002.csv", "train-00001-of-00002.csv"), {"train": 4}),
        (("reviews.csv",), {None: 2}),
    ],
)
def test_a_folder_of_tables_names_its_splits(files, splits, tmp_path: Path):
    for number, name in enumerate(files):
        write_table(tmp_path / "set" / name, reviews(2, start=10 * number))
    write(tmp_path / "set" / "README.md", "about")
    table = read(str(tmp_path / "set"))
    found = table.column("_split").to_pylist()
    assert {split: found.count(split) for split in set(found)} == splits
    assert table.column("_where")[0].as_py() == f"{files[0]}:2"


def test_tables_beside_the_splits_are_named(tmp_path: Path):
    for name in ("train.csv", "test.csv", "extra.csv"):
        write_table(tmp_path / "set" / name, reviews(2, start=len(name)))
    (finding,) = findings_of(read(str(tmp_path / "set")))
    assert finding.where == ("extra.csv",) and finding.do == "not read"


def test_tables_of_different_kinds_are_joined_as_text(tmp_path: Path):
    write_table(tmp_path / "set" / "train.csv", [("one", "1"), ("two", "0")])
    pyarrow.parquet.write_table(
        pa.table({"text": ["three"], "label": [1], "id": [7]}), tmp_path / "set" / "test.parquet"
    )
    table = read(str(tmp_path / "set"))
    assert sorted(cells(table, "text", "label", "id")) == [
        ("one", "1", None),
        ("three", "1", 7),
        ("two", "0", None),
    ]


# ---------------------------------------------------------------------------------------------------- hub


@pytest.mark.parametrize(
    ("source", "reader"),
    [
        ("x.csv", "csv"),
        ("x.TSV", "csv"),
        ("x.json", "json"),
        ("x.jsonl", "jsonl"),
        ("x.parquet", "parquet"),
        ("x.feather", "arrow"),
        ("tables", "table_folder"),
        ("classes", "class_folder"),
        ("meta", "image_folder"),
        ("someone/something", "hub"),
    ],
)
def test_exactly_one_reader_fits_a_source(source, reader, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "x.csv",
        "x.TSV",
        "x.json",
        "x.jsonl",
        "x.parquet",
        "x.feather",
        "tables/train.csv",
        "classes/a/1.png",
    ):
        write(Path(name), b"x")
    write(Path("meta/metadata.csv"), b"x")
    write(Path("meta/a/1.png"), b"x")
    assert [name for name in READERS.names() if READERS.get(name)().fits(Path(source))] == [reader]


@pytest.mark.parametrize("name", READERS.names())
def test_a_reader_keeps_the_contract_of_its_family(name, tmp_path: Path):
    reader = READERS.get(name)()
    assert READERS.first_line(name) and READERS.get(name).__doc__
    for odd in ("", ".", "nul\0", str(tmp_path), "/dev/null", "absent.csv"):
        assert reader.fits(Path(odd)) in (True, False)
    with pytest.raises(AttributeError):  # frozen
        reader.suffixes = ()


def test_a_hub_data_set_gives_rows_with_class_names_and_image_bytes():
    datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")
    from warmstart.data.readers.hub import rows_of

    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "text": datasets.Value("string"),
        }
    )
    png = image_bytes(picture(1))
    rows = {"image": [{"bytes": png, "path": None}] * 2, "label": [1, -1], "text": ["one", None]}
    splits = {
        name: datasets.Dataset.from_dict(rows, features=features)
        for name in ("train", "test", "unsupervised")
    }
    table = rows_of(datasets.DatasetDict(splits), "me/photos")
    assert cells(table, "_where", "_split", "label", "text")[:2] == [
        ("me/photos:train[0]", "train", "dog", "one"),
        ("me/photos:train[1]", "train", None, None),
    ]
    assert table.num_rows == 4 and table.column("image")[0].as_py()["bytes"] == png
    assert "unsupervised" in findings_of(table)[0].what


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        ("imdb", True),
        ("stanfordnlp/imdb", True),
        ("reviews.csv", False),
        ("tests/absent", False),
        ("/absent", False),
        ("../absent", False),
        ("a/b/c", False),
        ("a b", False),
    ],
)
def test_only_names_that_are_no_paths_are_asked_of_the_hub(name, is_id, monkeypatch):
    from warmstart.data.readers.hub import HubReader

    monkeypatch.chdir(Path(__file__).parents[2])
    assert HubReader().fits(Path(name)) is is_id


def test_a_hub_id_without_a_network_ends_in_one_clear_error(monkeypatch):
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    import datasets.config
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(WarmstartError, match="no file or folder here") as refused:
        read("nobody/has-this-data-set")
    assert refused.value.code == "missing-file"
