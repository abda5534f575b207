"""Checks of columns, scripts, pictures and class sizes: what is planted is told, what is usual is not."""

import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from data_files import image_bytes, picture, sentence
from drafts import draft_of
from PIL import Image

from warmstart.data.checks import CHECKS
from warmstart.data.checks.hidden_groups import _foretold
from warmstart.data.checks.mixed_scripts import script_of
from warmstart.data.draft import Draft, Found


def look(name: str, draft: Draft) -> list[Found]:
    return list(CHECKS.get(name)().look(draft))


def divided(columns: dict[str, list[str | None]], labels: list[str]) -> Draft:
    """Texts with these columns beside them; every third row proves."""
    rows = len(labels)
    draft = draft_of(
        [sentence(i) for i in range(rows)],
        labels,
        splits=["test" if i % 3 == 0 else "train" for i in range(rows)],
    )
    table = draft.table
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values, pa.large_string()))
    return Draft(draft.source, table, draft.roles, draft.brought)


# --------------------------------------------------------------------------------------------------- columns


def test_a_column_whose_values_tell_the_label_and_stand_on_both_sides_is_told():
    rng = np.random.default_rng(0)
    batch = [f"b{n}" for n in rng.integers(0, 20, 200)]
    labels = ["ab"[int(name[1:]) % 2] if rng.random() < 0.9 else "ab"[rng.integers(2)] for name in batch]
    (found,) = look("hidden_groups", divided({"batch": batch}, labels))
    assert not found.drop and "19 values on both sides" in found.finding.what
    assert found.finding.do.endswith("--group batch")


def test_what_the_other_rows_tell_is_counted_as_by_hand():
    rng = np.random.default_rng(1)
    values = [None if n == 0 else f"v{n}" for n in rng.integers(0, 12, 80)]
    labels = [str(c) for c in rng.choice(list("abc"), 80)]
    told, known, most = 0, [], 0.0
    for row, value in enumerate(values):
        others = Counter(labels[i] for i in range(80) if i != row and values[i] == value)
        if value is None or not others:
            continue
        known.append(labels[row])
        told += all(others[labels[row]] > n for other, n in others.items() if other != labels[row]) and (
            others[labels[row]] > 0
        )
    most = max(Counter(known).values()) / len(known)
    assert _foretold(values, labels) == (told, len(known), most)


@pytest.mark.parametrize("seed", range(30))
def test_a_column_that_has_nothing_to_do_with_the_label_is_not_told(seed):
    rng = np.random.default_rng(seed)
    columns = {f"c{k}": [f"v{n}" for n in rng.integers(0, k, 120)] for k in (5, 12, 40)}
    labels = [str(c) for c in rng.choice(list("abc"), 120, p=[0.6, 0.3, 0.1])]
    assert look("hidden_groups", divided(columns, labels)) == []


def test_the_label_under_another_name_is_no_group():
    labels = [str(i % 6) for i in range(120)]
    assert look("hidden_groups", divided({"label_id": [f"class {x}" for x in labels]}, labels)) == []


def test_a_column_that_keeps_rows_together_already_is_no_hidden_group():
    labels = ["ab"[i // 10 % 2] for i in range(120)]
    draft = divided({"batch": [f"b{i // 10}" for i in range(120)]}, labels)
    assert len(look("hidden_groups", draft)) == 1
    grouped = Draft(draft.source, draft.table, {**draft.roles, "group": "batch"}, draft.brought)
    assert look("hidden_groups", grouped) == []


def test_columns_of_one_value_and_of_ids_are_told_once_each():
    rows = 40
    columns = {
        "lang": ["en"] * rows,
        "nothing": [None] * rows,
        "id": [str(i) for i in range(rows)],
        "shop": [f"s{i % 7}" for i in range(rows)],
        "sometimes": ["x"] * 5 + [None] * (rows - 5),
    }
    same, ids = look("idle_columns", divided(columns, ["a", "b"] * 20))
    assert "'lang', 'nothing' are the same in every row" in same.finding.what
    assert "column 'id' is different in every row" in ids.finding.what
    assert not same.drop and not ids.drop


def test_a_group_of_single_rows_keeps_nothing_together_and_is_told():
    draft = draft_of([sentence(i) for i in range(30)], ["a", "b"] * 15, groups=[str(i) for i in range(30)])
    (found,) = look("idle_columns", draft)
    assert "as a group 'group' keeps no rows together" in found.finding.what


# --------------------------------------------------------------------------------------------------- scripts


@pytest.mark.parametrize(
    ("letter", "script"),
    [
        ("a", "Latin"), ("\u00df", "Latin"), ("\uff21", "Latin"), ("\u0436", "Cyrillic"), ("\u03bb", "Greek"),
        ("\u4e2d", "Han and kana"), ("\u3042", "Han and kana"), ("\uff71", "Han and kana"),
        ("\uc548", "Hangul"),
        ("\u0639", "Arabic"), ("\u05d0", "Hebrew"), ("\u0e01", "Thai"), ("\u0915", "Devanagari"),
        ("1", ""), ("!", ""), ("\u00b5", ""), ("\U0001d400", ""), ("\U0001f600", ""),
    ],
)  # fmt: skip
def test_the_script_of_a_letter_is_known(letter, script):
    assert script_of(letter) == script, unicodedata.name(letter)


def test_stray_texts_of_another_script_are_counted_and_placed():
    texts = [sentence(i) for i in range(40)] + [
        "\u043f\u0440\u0438\u0432\u0435\u0442",
        "\u4f60\u597d\u4e16\u754c",
    ]
    (found,) = look("mixed_scripts", draft_of(texts, ["a", "b"] * 21))
    assert not found.drop and found.finding.count == 2
    assert found.finding.what == "2 texts of 42 in another script than Latin: Cyrillic 1, Han and kana 1"
    assert found.finding.where == ("x.csv:42", "x.csv:43")


def test_texts_half_in_one_script_and_half_in_another_are_how_the_data_are():
    texts = [sentence(i) if i % 2 else "\u0434\u043e\u0431\u0440\u044b\u0439 " * (i + 2) for i in range(20)]
    (found,) = look("mixed_scripts", draft_of(texts, ["a", "b"] * 10))
    assert "Cyrillic 50 %" in found.finding.what and "Latin 50 %" in found.finding.what


def test_words_that_mix_letters_which_look_alike_are_told():
    texts = [sentence(i) for i in range(20)] + [
        "log in to p\u0430ypal now",
        "\u03b1-helix and 5 \u00b5m of na\u00efve c\u0444",
    ]
    (found,) = look("mixed_scripts", draft_of(texts, ["a", "b"] * 11))
    assert found.finding.level == "warning" and found.finding.count == 2
    assert "p\\u0430ypal" in found.finding.what


def test_accents_emoji_numbers_and_loan_words_are_no_other_script():
    texts = [
        "na\u00efve caf\u00e9 \U0001f600",
        "12345",
        "ok",
        "\u00fcber stra\u00dfe",
        "5 \u00b5g, 3 \u03a9",
    ] * 4
    assert look("mixed_scripts", draft_of(texts, ["a", "b"] * 10)) == []


# -------------------------------------------------------------------------------------------------- pictures


def test_pictures_of_one_colour_tiny_ones_and_strips_are_told():
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (480, 480, 3), dtype=np.uint8))  # grey from afar
    images = [picture(i) for i in range(20)] + [noise]
    images += [Image.new("RGB", (40, 40), c) for c in ("black", "white", "#345")]
    images += [picture(50).resize((7, 30)), picture(51).resize((200, 30))]
    draft = draft_of([image_bytes(i, "JPEG") for i in images], ["a", "b"] * 13, kind="image")
    plain, small, strips = look("plain_images", draft)
    assert plain.finding.where == ("x.csv:23", "x.csv:24", "x.csv:25") and plain.finding.count == 3
    assert small.finding.where == ("x.csv:26",) and strips.finding.where == ("x.csv:27",)
    assert not (plain.drop or small.drop or strips.drop)


def test_what_most_pictures_are_is_no_trouble():
    images = [image_bytes(picture(i, 8).resize((6, 6))) for i in range(20)]
    assert look("plain_images", draft_of(images, ["a", "b"] * 10, kind="image")) == []


def test_a_large_jpeg_is_measured_in_its_own_pixels_though_it_is_decoded_at_a_fraction():
    images = [image_bytes(picture(i).resize((1200, 230)), "JPEG") for i in range(3)]
    images += [image_bytes(picture(i + 9)) for i in range(7)]
    (found,) = look("plain_images", draft_of(images, ["a", "b"] * 5, kind="image"))
    assert found.finding.count == 3 and "5 times as long" in found.finding.what


# --------------------------------------------------------------------------------------------------- classes


def sized(numbers: dict[str, int]) -> Draft:
    labels = [name for name, number in numbers.items() for _ in range(number)]
    return draft_of([f"row {i}" for i in range(len(labels))], labels, splits=["train"] * len(labels))


def test_a_class_of_ten_times_the_rows_of_another_is_told():
    (found,) = look("imbalance", sized({"a": 60, "b": 50, "c": 6, "d": 5}))
    assert found.finding.what == "'a' has 12 times the training rows of 'd' (60 and 5)"
    assert found.finding.count == 2
    assert look("imbalance", sized({"a": 59, "b": 50, "c": 6})) == []


def test_one_class_of_nearly_all_rows_is_said_once():
    assert (
        look("imbalance", sized({"a": 95, "b": 5})) == []
        and len(look("lopsided", sized({"a": 95, "b": 5}))) == 1
    )
