"""LEEP against the paper's two sums in loops, and where it answers wrongly."""

import numpy as np
import pytest
from oracles import papers_leep

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._scoring import make_folds
from warmstart.select.scores.leep import SCORE as Leep
from warmstart.select.scores.leep import leep


def answers_of(rows, sources, seed=0, sharpness=2.0):
    logits = np.random.default_rng(seed).normal(size=(rows, sources)) * sharpness
    shares = np.exp(logits)
    return shares / shares.sum(1, keepdims=True)


LABELS = {
    "balanced": np.arange(40) % 4,
    "lopsided": np.array([0] * 31 + [1] * 6 + [2] * 3),
    "a class of one row": np.array([0] * 20 + [1] * 19 + [2]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("sources", [1, 7, 40, 90])
def test_the_score_is_the_papers(labels, sources):
    answers = answers_of(40, sources)
    scored = Leep().score(answers, labels, make_folds(labels))
    assert scored.value == pytest.approx(papers_leep(answers, labels), abs=1e-12)
    assert scored.value < 0


def test_a_source_class_that_nobody_is_given_changes_nothing():
    """Libraries in common use answer nan here: 0 / 0."""
    labels, answers = LABELS["balanced"], answers_of(40, 5)
    empty = np.insert(answers, 2, 0.0, axis=1)
    assert leep(empty, labels) == pytest.approx(leep(answers, labels), abs=1e-14)


def test_a_head_that_says_the_same_of_all_rows_scores_the_entropy_of_the_labels():
    labels = LABELS["lopsided"]
    shares = np.bincount(labels) / len(labels)
    same = np.tile([[0.5, 0.3, 0.2]], (40, 1))
    assert leep(same, labels) == pytest.approx((shares * np.log(shares)).sum(), abs=1e-12)


def test_neither_the_order_of_rows_nor_that_of_source_classes_nor_names_matter():
    labels, answers, order = LABELS["lopsided"], answers_of(40, 6), np.random.default_rng(1).permutation(40)
    expected = leep(answers, labels)
    assert leep(answers[order], labels[order]) == pytest.approx(expected, abs=1e-12)
    assert leep(answers[:, ::-1], labels) == pytest.approx(expected, abs=1e-12)
    assert leep(answers, np.array([5, -1, 2])[labels]) == pytest.approx(expected, abs=1e-12)


def test_a_head_with_a_class_for_each_row_is_called_perfect_and_knows_nothing():
    """What its caution is about."""
    labels = np.random.default_rng(0).integers(0, 3, 60)
    assert leep(np.eye(60), labels) == pytest.approx(0.0, abs=1e-12)
    assert Leep.caution


@pytest.mark.parametrize("wrong", [-0.1, np.nan, 0.9])
def test_what_is_no_distribution_is_refused(wrong):
    answers = answers_of(40, 4)
    answers[3, 1] = wrong
    with pytest.raises(WarmstartError, match="row 3") as refusal:
        Leep().score(answers, LABELS["balanced"], make_folds(LABELS["balanced"]))
    assert refusal.value.code == "no-probabilities" and refusal.value.do
