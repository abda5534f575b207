"""What makes figures say less than they seem to is found: few test rows, one class for nearly all."""

from drafts import draft_of

from warmstart.data.checks.few_test_rows import FewTestRows
from warmstart.data.checks.lopsided import Lopsided


def draft(train, test):
    """Rows of these classes: name -> number."""
    labels = [name for numbers in (train, test) for name, number in numbers.items() for _ in range(number)]
    splits = ["train"] * sum(train.values()) + ["test"] * sum(test.values())
    return draft_of([f"row {i}" for i in range(len(labels))], labels, splits=splits)


def test_classes_with_fewer_than_five_test_rows_are_named():
    (found,) = FewTestRows().look(draft({"a": 9, "b": 9, "c": 9}, {"a": 5, "b": 4, "c": 1}))
    assert found.finding.what == "test has fewer than 5 rows of 2 classes: 'b' (4 rows), 'c' (1 row)"
    assert not found.drop
    assert FewTestRows().look(draft({"a": 9, "b": 9}, {"a": 5, "b": 7})) == []


def test_a_class_of_more_than_nine_tenths_is_named():
    (found,) = Lopsided().look(draft({"ham": 91, "spam": 4}, {"ham": 5}))
    assert found.finding.what.startswith("96.0 % of the rows are 'ham'".replace(" %", "%"))
    assert Lopsided().look(draft({"ham": 90, "spam": 10}, {})) == []
