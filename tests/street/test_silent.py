"""Classes that the recommended run never names are told."""

from warmstart.base.result import Confusion
from warmstart.street.silent import silent


def test_a_class_that_is_never_the_answer_is_named():
    (finding,) = silent(Confusion(("ham", "spam"), ((90, 0), (10, 0))), "frozen")
    assert finding.what == "the frozen run never predicts: spam"
    assert (finding.level, finding.count) == ("warning", 1)


def test_a_class_without_test_rows_or_named_once_is_not():
    assert silent(Confusion(("a", "b", "c"), ((9, 1, 0), (3, 0, 0), (0, 0, 0))), "full") == ()
