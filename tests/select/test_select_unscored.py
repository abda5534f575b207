"""Rows that cannot score candidates are told apart from rows on which all score alike."""

import numpy as np
import pytest
from rich.console import Console

from warmstart.base.types import Candidate
from warmstart.report.terminal import ranking_table
from warmstart.select.rank import rank
from warmstart.street.summary import ranked

KNOWN = [
    Candidate("small", "zoo:small", 1_000_000, source_accuracy=0.7),
    Candidate("good", "zoo:good", 5_000_000, source_accuracy=0.9),
    Candidate("large", "zoo:large", 9_000_000),
]
SINGLE = np.array([*range(20), 0, 1, 2])  # 17 of 20 classes have one row


def ranking(labels):
    features = {c.source: {"top": np.random.default_rng(0).normal(size=(len(labels), 8))} for c in KNOWN}
    return rank(KNOWN, features, labels, seconds={c.source: 1.0 for c in KNOWN})


def test_with_one_row_in_the_median_class_the_order_is_the_prior_and_that_is_said():
    found = ranking(SINGLE)
    assert [s.candidate.name for s in found.scored] == ["good", "small", "large"]
    assert [s.prior for s in found.scored] == [1, 2, 3]
    (reason,) = found.reasons
    assert "these rows cannot score candidates" in reason.so
    assert reason.saw == "23 rows of 20 classes, 1 in the median class"
    assert all(s.accuracy.n == s.score.n == 0 and "not measured" in s.score.how for s in found.scored)
    assert all(not s.depths and not s.opinions for s in found.scored)


def test_what_was_not_measured_is_not_shown_as_a_number():
    console = Console(width=90, record=True)
    console.print(ranking_table(tuple(map(ranked, ranking(SINGLE).scored)), "logistic_probe"))
    said = console.export_text()
    assert said.count("not measured") == 3
    assert "0.000" not in said


@pytest.mark.parametrize("labels", [np.arange(24) % 12, np.arange(40) % 2])
def test_two_rows_of_each_class_are_scored(labels):
    assert all(s.accuracy.n == len(labels) for s in ranking(labels).scored)


def test_a_candidate_that_the_score_says_nothing_of_keeps_its_accuracy_and_shows_no_score():
    labels = np.arange(60) % 2
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(5), 60)
    features = {c.source: {"top": random.normal(size=(60, 8))} for c in KNOWN}
    features["zoo:small"]["answers"] = shares
    found = rank(KNOWN, features, labels, score="leep", seconds={c.source: 1.0 for c in KNOWN})
    shown = tuple(map(ranked, found.scored))
    assert [m.name for m in shown] == ["small", "good", "large"]  # behind it by published accuracy, then size
    assert [m.scored for m in shown] == [True, False, False]
    assert all(m.accuracy.n == 60 for m in shown)
    console = Console(width=90, record=True)
    console.print(ranking_table(shown, "leep"))
    said = console.export_text()
    assert said.count("not measured") == 2 and "chosen for size" not in said
