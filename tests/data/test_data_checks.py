"""Checks: planted trouble is found, counted, named by place and dropped or kept as promised."""

from collections.abc import Sequence

import numpy as np
import pytest
from data_files import image_bytes, picture, sentence
from drafts import draft_of

from warmstart.base.errors import WarmstartError
from warmstart.data.checks import CHECKS, checks_at
from warmstart.data.draft import Draft, Found


def look(name: str, draft: Draft) -> list[Found]:
    return list(CHECKS.get(name)().look(draft))


def texts(number: int) -> list[str]:
    return [sentence(i) for i in range(number)]


def labels(number: int, names: Sequence[str] = ("a", "b")) -> list[str]:
    return [names[i % len(names)] for i in range(number)]


CLEAN = draft_of(texts(40), labels(40))
CLEAN_IMAGES = draft_of([image_bytes(picture(i)) for i in range(40)], labels(40), kind="image")
CLEAN_SPLITS = draft_of(texts(40), labels(40), splits=["train"] * 20 + ["validation"] * 10 + ["test"] * 10)


CASES = {"text": CLEAN, "image": CLEAN_IMAGES, "splits": CLEAN_SPLITS}
DIVIDED = {name for name, _ in checks_at("splits")}  # look at rows that are divided


@pytest.mark.parametrize(
    ("name", "case"), [(n, c) for n in CHECKS.names() for c in CASES if n not in DIVIDED or c == "splits"]
)
def test_a_check_finds_nothing_in_clean_data(name, case):
    assert look(name, CASES[case]) == []


@pytest.mark.parametrize("name", CHECKS.names())
def test_a_check_keeps_the_contract_of_its_family(name):
    check = CHECKS.get(name)()
    assert check.moment in ("rows", "near", "splits") and check.order > 0
    assert name in [n for n, _ in checks_at(check.moment)]
    with pytest.raises(AttributeError):  # frozen
        check.order = 3
    assert CHECKS.first_line(name) and CHECKS.get(name).__doc__


def test_checks_of_a_moment_have_different_orders():
    for moment in ("rows", "near", "splits"):
        orders = [check.order for _, check in checks_at(moment)]
        assert orders == sorted(set(orders))


# ------------------------------------------------------------------------------------------- one by one


def test_rows_without_a_label_are_dropped():
    draft = draft_of(texts(6), ["a", "", None, " \t", "b", "None"])
    (found,) = look("unlabelled", draft)
    assert found.drop == (1, 2, 3) and found.finding.count == 3
    assert found.finding.where == ("x.csv:3", "x.csv:4", "x.csv:5")


def test_a_test_file_without_labels_is_named():
    draft = draft_of(texts(6), ["a", "b", "a", "b", None, None], splits=["train"] * 4 + ["test"] * 2)
    (found,) = look("unlabelled", draft)
    assert "the test rows have none at all" in found.finding.what


def test_labels_that_differ_by_blanks_are_merged_into_the_plain_one():
    draft = draft_of(
        texts(7), ["pos", "pos ", "\u00a0pos", "very  good", "very good", "caf\u00e9", "cafe\u0301"]
    )
    (found,) = look("label_spelling", draft)
    assert found.rename == {
        "pos ": "pos",
        "\u00a0pos": "pos",
        "very  good": "very good",
        "cafe\u0301": "caf\u00e9",
    }
    assert found.drop == () and found.finding.count == 4


def test_a_label_with_blanks_and_no_twin_stays_as_it_is():
    assert look("label_spelling", draft_of(texts(4), [" cat ", "dog", " cat ", "dog"])) == []


def test_labels_that_differ_by_case_are_reported_and_kept_apart():
    draft = draft_of(texts(6), ["Pos", "pos", "pos", "neg", "neg", "POS"])
    (found,) = look("label_spelling", draft)
    assert found.rename == {} and found.drop == ()
    assert "'Pos' (1 row)" in found.finding.what and "rename" in found.finding.do


def test_broken_images_are_dropped_with_their_reasons():
    good = image_bytes(picture(1), "JPEG")
    draft = draft_of([good, b"", good[:300], b"words", None], labels(5), kind="image")
    (found,) = look("unreadable_images", draft)
    assert found.drop == (1, 2, 3, 4)
    assert "zero bytes (1)" in found.finding.what and "4 images of 5" in found.finding.what


def test_empty_texts_are_dropped():
    (found,) = look("empty_inputs", draft_of(["a", "", " \n", None, "NA"], labels(5)))
    assert found.drop == (1, 2, 3)


def test_texts_over_a_megabyte_are_dropped_and_measured_in_bytes():
    long = "\u00e9" * 500_001  # 1,000,002 bytes
    (found,) = look("long_texts", draft_of([long[:-1], long, "short"], labels(3)))
    assert found.drop == (1,) and "1 text over 1 MB (the largest 1.0 MB)" in found.finding.what


def test_nul_is_dropped_and_other_control_characters_are_kept_and_named():
    draft = draft_of(["a\0b", "a\tb\r\nc\u0085", "bell\x07", "quote\u0092s", "lost \ufffd"], labels(5))
    nul, odd = look("control_characters", draft)
    assert nul.drop == (0,) and odd.drop == () and odd.finding.count == 3
    assert all(name in odd.finding.what for name in ("U+0007", "U+0092", "U+FFFD"))


def test_planted_duplicates_are_all_found_and_the_first_is_kept():
    rng = np.random.default_rng(0)
    rows = [(sentence(i), "ab"[i % 2]) for i in range(200)]
    order = rng.permutation(220)
    planted = [*rows, *rows[:20]]
    draft = draft_of([planted[i][0] for i in order], [planted[i][1] for i in order])
    (found,) = look("duplicates", draft)
    assert len(found.drop) == 20
    kept = [planted[i] for place, i in enumerate(order) if place not in found.drop]
    assert sorted(kept) == sorted(rows)
    assert all(
        (set(order[:row].tolist()) & {int(order[row]) % 200, int(order[row]) % 200 + 200})
        for row in found.drop
    )


def test_duplicates_differ_at_most_in_blanks_and_composition():
    draft = draft_of(
        ["caf\u00e9  noir", " cafe\u0301 noir", "Caf\u00e9 noir", "caf\u00e9 noir"], ["a", "a", "a", "b"]
    )
    (found,) = look("duplicates", draft)
    assert found.drop == (1,)


def test_duplicates_in_the_users_test_rows_are_kept():
    draft = draft_of(["x", "x", "y", "y", "x"], ["a"] * 5, splits=["train", "train", "test", "test", "test"])
    mine, theirs = look("duplicates", draft)
    assert mine.drop == (1,) and theirs.drop == () and theirs.finding.count == 1
    assert "1 test row repeats" in theirs.finding.what


def test_duplicate_images_are_found_by_their_bytes():
    one, other = image_bytes(picture(1)), image_bytes(picture(2))
    (found,) = look("duplicates", draft_of([one, other, one], ["a", "a", "a"], kind="image"))
    assert found.drop == (2,)


def test_inputs_with_two_labels_are_all_dropped_but_for_brought_test_rows():
    draft = draft_of(["x", "y", "x", "z", "x"], ["a", "a", "b", "b", "b"], splits=["train"] * 4 + ["test"])
    (found,) = look("conflicts", draft)
    assert found.drop == (0, 2) and found.finding.count == 3
    assert "dropped 2 rows" in found.finding.do and "kept 1" in found.finding.do


def test_near_duplicates_are_reported_and_kept():
    draft = draft_of(texts(40), labels(40), near=[(0, 5), (5, 9), (20, 21)])
    (found,) = look("near_duplicates", draft)
    assert found.drop == () and found.finding.count == 5 and found.finding.level == "note"
    assert "2 clusters" in found.finding.what and "largest of 3 rows" in found.finding.what
    assert found.finding.where == ("x.csv:2", "x.csv:7", "x.csv:11")


def test_a_cluster_of_a_tenth_of_all_rows_is_a_warning():
    draft = draft_of(texts(40), labels(40), near=[(0, i) for i in range(1, 6)])
    assert look("near_duplicates", draft)[0].finding.level == "warning"


def test_rows_on_both_sides_are_dropped_from_the_side_that_teaches():
    splits = ["train"] * 4 + ["validation"] * 3 + ["test"] * 3
    draft = draft_of(
        ["t0", "t1", "t2", "t3", "v4", "v5", "t0", "e7", "e8", "e9"],
        labels(10),
        splits=splits,
        near=[(0, 6), (1, 7), (4, 8), (2, 3), (8, 9)],
    )
    (found,) = look("leaks", draft)
    assert found.drop == (0, 1, 4) and found.finding.count == 3
    assert "1 exactly, 2 nearly" in found.finding.what
    assert found.finding.where[:2] == ("x.csv:2", "x.csv:8")


def test_groups_on_both_sides_are_reported_and_kept():
    draft = draft_of(texts(6), labels(6), ["p", "q", None, "p", "r", None], ["train"] * 3 + ["test"] * 3)
    (found,) = look("leaks", draft)
    assert found.drop == () and "1 value of 'group'" in found.finding.what and found.finding.count == 2


def test_a_class_of_two_rows_is_dropped_where_two_classes_remain():
    draft = draft_of(texts(22), [*labels(20), "rare", "rare"])
    (found,) = look("small_classes", draft)
    assert found.drop == (20, 21) and "'rare' (2 rows)" in found.finding.what


def test_copies_do_not_make_a_class_large_enough():
    draft = draft_of(texts(24), [*labels(20), *["rare"] * 4], near=[(20, 21), (21, 22)])
    assert look("small_classes", draft)[0].drop == (20, 21, 22, 23)


def test_a_small_class_stays_where_the_user_brought_a_test():
    draft = draft_of(texts(22), [*labels(20), "rare", "rare"], splits=["train"] * 20 + ["train", "test"])
    assert look("small_classes", draft) == []


def test_one_class_is_fatal():
    with pytest.raises(WarmstartError, match="all 8 rows have the label 'a'"):
        look("small_classes", draft_of(texts(8), ["a"] * 8))


def test_classes_missing_in_a_split_are_named():
    draft = draft_of(texts(8), list("aabbabcd"), splits=["train"] * 4 + ["validation"] * 2 + ["test"] * 2)
    found = {f.finding.what.split()[0]: f.finding for f in look("missing_classes", draft)}
    assert "'c', 'd'" in found["train"].what and "add training rows" in found["train"].do
    assert "'c', 'd'" in found["validation"].what and "'a', 'b'" in found["test"].what


def test_training_rows_of_one_class_are_fatal():
    draft = draft_of(texts(4), list("aaab"), splits=["train", "train", "validation", "test"])
    with pytest.raises(WarmstartError, match="fewer than 2 of the 2 classes"):
        look("missing_classes", draft)


def test_training_rows_that_repeat_are_counted_as_what_is_different():
    near = [(0, 1), (1, 2), (4, 12), (12, 13)]
    draft = draft_of(texts(16), labels(16), splits=["train"] * 12 + ["test"] * 4, near=near)
    (found,) = look("effective_rows", draft)
    assert (found.finding.count, found.drop) == (2, ())
    assert found.finding.what == (
        "2 of 12 training rows are nearly the same as another one: 10 are different"
    )
    assert found.finding.level == "note"
    assert found.finding.where == ("x.csv:3", "x.csv:4")


def test_mostly_repeated_training_rows_are_a_warning():
    near = [(0, row) for row in range(1, 9)]
    draft = draft_of(texts(12), labels(12), splits=["train"] * 12, near=near)
    assert look("effective_rows", draft)[0].finding.level == "warning"
