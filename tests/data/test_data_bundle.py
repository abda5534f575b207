"""From files to a Bundle and back: what is read, split, written, and found again."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from data_files import image_bytes, picture, reviews, sentence, write_pictures, write_table

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Bundle
from warmstart.data.bundle import load_bundle, open_bundle, short_name, summary
from warmstart.data.images import open_image


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_table(tmp_path / "reviews.csv", reviews(100))


def contents(bundle: Bundle, split: str) -> list[tuple]:
    rows = bundle.rows.take(bundle.split(split))
    return sorted(tuple(str(row[bundle.roles[role]]) for role in sorted(bundle.roles)) for row in rows)


def findings(bundle: Bundle, check: str) -> list:
    return [finding for finding in bundle.findings if finding.check == check]


def test_a_table_becomes_a_bundle_of_three_splits(table: Path, tmp_path: Path):
    bundle = open_bundle(str(table), tmp_path / "out")
    assert (len(bundle.train), len(bundle.validation), len(bundle.test)) == (64, 16, 20)
    assert sorted(bundle.train + bundle.validation + bundle.test) == list(range(100))
    assert bundle.name == "reviews" and bundle.source == str(table) and bundle.labels == ("bad", "good")
    assert bundle.roles == {"text": "text", "label": "label"} and bundle.task == "text_classification"
    assert bundle.rows.columns == ["text", "label", "_where", "_split"]
    assert bundle.rows.take([0]) == [
        {"text": sentence(0), "label": "good", "_where": "reviews.csv:2", "_split": "train"}
    ]


def test_a_bundle_is_loaded_identical(table: Path, tmp_path: Path):
    bundle = open_bundle(str(table), tmp_path / "out")
    loaded = load_bundle(tmp_path / "out")
    assert loaded == bundle and loaded.rows.table.equals(bundle.rows.table)
    assert json.loads((tmp_path / "out" / "data.json").read_text())["summary"]["train"] == 64


def test_the_same_data_give_the_same_fingerprint_wherever_they_lie(table: Path, tmp_path: Path):
    first = open_bundle(str(table), tmp_path / "out")
    moved = Path(shutil.copy(table, tmp_path / "moved.csv"))
    assert open_bundle(str(moved), tmp_path / "other").fingerprint == first.fingerprint
    assert len(first.fingerprint) == 64


@pytest.mark.parametrize("change", ["text", "label", "seed", "role", "row"])
def test_any_change_of_what_was_used_changes_the_fingerprint(change, table: Path, tmp_path: Path):
    first = open_bundle(str(table), tmp_path / "out").fingerprint
    rows, header, seed = reviews(100), ["text", "label"], 0
    if change == "text":
        rows[3] = (rows[3][0] + " ", rows[3][1])
    if change == "label":
        rows[3] = (rows[3][0], "good")
    if change == "row":
        rows = rows[:-1]
    if change == "role":
        header = ["sentence", "label"]
    if change == "seed":
        seed = 1
    write_table(table, rows, header)
    assert open_bundle(str(table), tmp_path / "out", seed=seed).fingerprint != first


def test_images_stay_where_they_lie_and_their_bytes_are_in_the_fingerprint(tmp_path: Path):
    photos = write_pictures(tmp_path / "photos", ("cat", "dog"), 12)
    bundle = open_bundle(str(photos), tmp_path / "out")
    paths = bundle.rows.column(bundle.roles["image"])
    assert set(paths) == {str(p) for p in photos.rglob("*.png")} and bundle.task == "image_classification"
    assert open_image(paths[0]).size == (48, 48)
    moved = tmp_path / "elsewhere" / "photos"
    shutil.copytree(photos, moved)
    assert open_bundle(str(moved), tmp_path / "out").fingerprint == bundle.fingerprint
    picture(99).save(moved / "cat" / "0.png")
    assert open_bundle(str(moved), tmp_path / "out").fingerprint != bundle.fingerprint


def test_images_in_a_table_stay_bytes(tmp_path: Path):
    cells = [{"bytes": image_bytes(picture(i)), "path": f"{i}.png"} for i in range(24)]
    data = pa.table({"image": cells, "label": ["ab"[i % 2] for i in range(24)]})
    pyarrow.parquet.write_table(data, tmp_path / "photos.parquet")
    bundle = open_bundle(str(tmp_path / "photos.parquet"), tmp_path / "out")
    assert set(bundle.rows.column("image")) == {cell["bytes"] for cell in cells}
    assert load_bundle(tmp_path / "out") == bundle


def test_a_table_of_image_paths_is_read_from_its_folder(tmp_path: Path):
    for i in range(24):
        (tmp_path / "pics").mkdir(exist_ok=True)
        picture(i).save(tmp_path / "pics" / f"{i}.png")
    rows = [(f"pics/{i}.png", "ab"[i % 2]) for i in range(24)]
    bundle = open_bundle(str(write_table(tmp_path / "x.csv", rows, ("path", "label"))), tmp_path / "out")
    assert bundle.roles == {"image": "path", "label": "label"}
    assert bundle.rows.column("path")[0] == str(tmp_path / "pics" / "0.png")


def test_files_named_for_splits_are_used_as_such(table: Path, tmp_path: Path):
    test = write_table(tmp_path / "more" / "reviews.csv", reviews(20, start=500))
    validation = write_table(tmp_path / "val.csv", reviews(10, start=700))
    bundle = open_bundle(str(table), tmp_path / "out", test=str(test), validation=str(validation))
    assert (len(bundle.train), len(bundle.validation), len(bundle.test)) == (100, 10, 20)
    assert {row["_where"] for row in bundle.rows.take(bundle.test[:1])} == {"more/reviews.csv:2"}
    assert "your splits are kept" in findings(bundle, "splits")[0].do


def test_a_folder_of_images_can_be_the_test(tmp_path: Path):
    photos = write_pictures(tmp_path / "photos", ("cat", "dog"), 12)
    test = write_pictures(tmp_path / "new", ("cat", "dog"), 3, start=300)
    bundle = open_bundle(str(photos), tmp_path / "out", test=str(test))
    assert len(bundle.test) == 6 and len(bundle.train) + len(bundle.validation) == 24
    assert bundle.rows.take(bundle.test[:1])[0]["_where"] == "new/cat/0.png"


@pytest.mark.parametrize("case", ["own test", "itself", "other columns"])
def test_a_test_that_cannot_be_is_refused(case, table: Path, tmp_path: Path):
    source, test = str(table), str(table)
    if case == "own test":
        source = str(table.parent / "set")
        for split in ("train", "test"):
            write_table(tmp_path / "set" / f"{split}.csv", reviews(40, start=100 * len(split)))
    if case == "other columns":
        test = str(write_table(tmp_path / "t.csv", reviews(20, start=300), ("a", "b")))
    with pytest.raises(WarmstartError, match="--test|has columns a, b") as refused:
        open_bundle(source, tmp_path / "out", test=test)
    assert refused.value.code == ("missing-column" if case == "other columns" else "two-tests")


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("labels", ["empty", "no column"])
def test_a_split_that_was_asked_for_and_has_no_labels_is_no_reason_to_take_rows_by_chance(
    split, labels, table: Path, tmp_path: Path
):
    rows = reviews(20, start=500)
    if labels == "empty":
        other = write_table(tmp_path / "new.csv", [(text, "") for text, _ in rows])
    else:
        other = write_table(tmp_path / "new.csv", [(text,) for text, _ in rows], ("text",))
    with pytest.raises(WarmstartError, match="new.csv") as refused:
        open_bundle(str(table), tmp_path / "out", **{split: str(other)})
    assert refused.value.code == f"no-{split}-rows"


FOREIGN = {
    "other classes": (("a", "b"), ("c", "d"), "--label"),
    "case": (("spam", "ham"), ("Spam", "Ham"), "by case: spell 'Ham' and 'ham' alike"),
    "numbers": (("1", "0"), ("1.0", "0.0"), "number is written: spell '0.0' and '0' alike"),
    "too few": (("a", "b"), ("b", "c", "d"), "--label"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_test_rows_with_other_labels_than_the_training_rows_are_refused(case, tmp_path: Path):
    ours, theirs, advice = FOREIGN[case]
    named = [(text, ours[i % len(ours)]) for i, (text, _) in enumerate(reviews(40))]
    other = [(text, theirs[i % len(theirs)]) for i, (text, _) in enumerate(reviews(20, start=300))]
    source, test = write_table(tmp_path / "x.csv", named), write_table(tmp_path / "new.csv", other)
    with pytest.raises(WarmstartError) as refused:
        open_bundle(str(source), tmp_path / "out", test=str(test))
    assert refused.value.code == "foreign-labels"
    assert all(repr(label) in refused.value.wrong for label in (*ours, *theirs))
    assert advice in refused.value.do


def test_test_rows_of_which_half_have_known_labels_are_taken(tmp_path: Path):
    named = [(text, "ab"[i % 2]) for i, (text, _) in enumerate(reviews(40))]
    other = [(text, "acbd"[i % 4]) for i, (text, _) in enumerate(reviews(20, start=300))]
    source, test = write_table(tmp_path / "x.csv", named), write_table(tmp_path / "new.csv", other)
    assert len(open_bundle(str(source), tmp_path / "out", test=str(test)).test) == 20


def test_a_test_without_labels_is_set_aside_and_another_is_made(table: Path, tmp_path: Path):
    write_table(tmp_path / "set" / "train.csv", reviews(100))
    write_table(tmp_path / "set" / "test.csv", [(text,) for text, _ in reviews(20, start=300)], ("text",))
    bundle = open_bundle(str(tmp_path / "set"), tmp_path / "out")
    assert len(bundle.test) == 20 and {r["_where"].split(":")[0] for r in bundle.rows.take(bundle.test)} == {
        "train.csv"
    }
    assert "the test rows have none at all" in findings(bundle, "unlabelled")[0].what


def test_a_column_of_splits_is_honoured(tmp_path: Path):
    rows = [
        (text, label, ("train", "dev", "test")[i % 5 % 3]) for i, (text, label) in enumerate(reviews(100))
    ]
    bundle = open_bundle(
        str(write_table(tmp_path / "x.csv", rows, ("text", "label", "split"))), tmp_path / "out"
    )
    assert Counter(bundle.rows.column("split")) == {"train": 40, "dev": 40, "test": 20}
    assert {row["split"] for row in bundle.rows.take(bundle.validation)} == {"dev"}
    assert "column 'split'" in findings(bundle, "roles")[0].what


def test_the_limit_bounds_train_and_validation_and_leaves_the_test_whole(table: Path, tmp_path: Path):
    whole = open_bundle(str(table), tmp_path / "out")
    less = open_bundle(str(table), tmp_path / "less", limit=30)
    assert len(less.train) + len(less.validation) == 30 and len(less.rows) == 50
    assert contents(less, "test") == contents(whole, "test")
    assert set(contents(less, "train")) <= set(contents(whole, "train")) | set(contents(whole, "validation"))
    assert "50 rows beyond the limit" in findings(less, "splits")[0].what


def test_planted_leaks_are_taken_out_of_train(tmp_path: Path):
    train, test = reviews(200), reviews(50, start=1000)
    train[10] = test[3]
    train[20] = (test[4][0].upper() + "!", test[4][1])
    train[30] = (test[5][0] + "s", test[5][1])
    source, proof = write_table(tmp_path / "train.csv", train), write_table(tmp_path / "test.csv", test)
    bundle = open_bundle(str(source), tmp_path / "out", test=str(proof))
    (leak,) = findings(bundle, "leaks")
    assert leak.count == 3 and "1 exactly, 2 nearly the same" in leak.what
    assert len(bundle.test) == 50 and len(bundle.train) + len(bundle.validation) == 197
    assert not {"train.csv:12", "train.csv:22", "train.csv:32"} & set(bundle.rows.column("_where"))


def test_near_duplicates_are_never_on_two_sides(tmp_path: Path):
    rows = [(text + end, label) for text, label in reviews(100) for end in ("", "!", " s")]
    bundle = open_bundle(str(write_table(tmp_path / "x.csv", rows)), tmp_path / "out")
    side = {}
    for split in ("train", "validation", "test"):
        for row in bundle.rows.take(bundle.split(split)):
            stem = row["text"].removesuffix("!").removesuffix(" s")
            assert side.setdefault(stem, split) == split
    assert findings(bundle, "near_duplicates")[0].count == 300
    assert 50 <= len(bundle.test) <= 70


def test_groups_are_never_on_two_sides(tmp_path: Path):
    rows = [(text, label, f"p{i // 7}") for i, (text, label) in enumerate(reviews(140))]
    source = write_table(tmp_path / "x.csv", rows, ("text", "label", "patient"))
    bundle = open_bundle(str(source), tmp_path / "out")
    sides = [
        {row["patient"] for row in bundle.rows.take(bundle.split(s))} for s in ("train", "validation", "test")
    ]
    assert bundle.roles["group"] == "patient" and sum(map(len, sides)) == len(set.union(*sides)) == 20
    free = open_bundle(str(source), tmp_path / "free", group="none")
    assert "group" not in free.roles and free.fingerprint != bundle.fingerprint


def test_labels_that_differ_by_blanks_are_one_class(tmp_path: Path):
    rows = [(text, " good" if i == 4 else label) for i, (text, label) in enumerate(reviews(60))]
    bundle = open_bundle(str(write_table(tmp_path / "x.csv", rows)), tmp_path / "out")
    assert bundle.labels == ("bad", "good") and bundle.rows.column("label")[4] == "good"


def test_labels_stay_strings_in_the_order_of_counting(tmp_path: Path):
    names = ("10", "007", "1e3", "2", "NA", "None")
    bundle = open_bundle(str(write_table(tmp_path / "x.csv", reviews(90, names))), tmp_path / "out")
    assert bundle.labels == ("1e3", "2", "007", "10", "NA", "None")


def test_everything_that_was_planted_is_found_in_one_go(tmp_path: Path):
    rows = reviews(100)
    rows += [
        rows[0],
        rows[1],
        ("", "good"),
        ("no label", ""),
        (rows[2][0], "bad" if rows[2][1] == "good" else "good"),
    ]
    rows += [("rare one", "rare"), ("bell \x07 rings somewhere else", "good")]
    path = write_table(tmp_path / "x.csv", rows)
    path.write_text(path.read_text() + "ragged row\n")
    bundle = open_bundle(str(path), tmp_path / "out")
    count = {f.check: f.count for f in bundle.findings if f.level == "warning"}
    assert count == {
        "readable": 1,
        "unlabelled": 1,
        "empty_inputs": 1,
        "control_characters": 1,
        "duplicates": 2,
        "conflicts": 2,
        "small_classes": 1,
    }
    assert len(bundle.rows) == 100 and bundle.labels == ("bad", "good")


def test_the_summary_counts_classes_and_shows_three_rows(table: Path, tmp_path: Path):
    rows = [(text * 5, label) for text, label in reviews(60, ("a", "b"))]
    bundle = open_bundle(str(write_table(table, rows)), tmp_path / "out")
    said = summary(bundle)
    assert said.rows == 60 and said.train + said.validation + said.test == 60
    assert [(c.label, c.train + c.validation + c.test) for c in said.classes] == [("a", 30), ("b", 30)]
    assert len(said.sample) == 3 and {row["label"] for row in said.sample[:2]} == {"a", "b"}
    assert all(len(row["text"]) <= 80 for row in said.sample) and said.sample[0]["text"].endswith("...")


@pytest.mark.parametrize(
    "damage", ["no data", "no rows", "cut rows", "other rows", "broken json", "empty json"]
)
def test_a_damaged_bundle_is_refused(damage, table: Path, tmp_path: Path):
    out = tmp_path / "out"
    open_bundle(str(table), out)
    if damage == "no data":
        (out / "data.json").unlink()
    if damage == "no rows":
        (out / "rows.arrow").unlink()
    if damage == "cut rows":
        (out / "rows.arrow").write_bytes((out / "rows.arrow").read_bytes()[:-100])
    if damage == "other rows":
        open_bundle(str(write_table(table, reviews(50))), tmp_path / "other")
        shutil.copy(tmp_path / "other" / "rows.arrow", out / "rows.arrow")
    if damage == "broken json":
        (out / "data.json").write_text('{"name": ')
    if damage == "empty json":
        (out / "data.json").write_text("{}")
    with pytest.raises(WarmstartError) as refused:
        load_bundle(out)
    assert refused.value.code == ("no-bundle" if damage.startswith("no ") else "broken-bundle")


def test_a_folder_that_cannot_be_written_is_an_error_of_resources(table: Path, tmp_path: Path):
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(WarmstartError) as refused:
        open_bundle(str(table), tmp_path / "out")
    assert refused.value.code == "disk" and refused.value.exit_code == 5


@pytest.mark.parametrize(
    ("source", "name"),
    [("a/reviews.csv", "reviews"), ("a/set/train.csv", "set"), ("me/some set", "some-set"), ("imdb", "imdb")],
)
def test_runs_are_named_after_their_data(source, name, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if source.endswith("csv"):
        write_table(Path(source), reviews(4))
    assert short_name(source) == name


def test_the_working_folder_can_be_the_source(table: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "only").mkdir()
    shutil.move(table, tmp_path / "only")
    monkeypatch.chdir(tmp_path / "only")
    bundle = open_bundle(".", tmp_path / "out")
    assert bundle.name == "only" and len(bundle.rows) == 100
