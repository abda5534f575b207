"""Confident learning: each step as the paper writes it, and planted errors among the first that are named."""

import numpy as np
import pytest

from warmstart.select.label_noise import (
    calibrated,
    confident_joint,
    pruned,
    rounded,
    surprise,
    suspects,
    thresholds,
)
from warmstart.select.scores._folds import make_folds
from warmstart.select.scores.logistic_probe import LogisticProbe


def world(rows: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels that often, not always, agree."""
    rng = np.random.default_rng(seed)
    labels_N = rng.integers(classes, size=rows)
    logits_NC = rng.normal(size=(rows, classes)) + 2.5 * np.eye(classes)[labels_N]
    shares_NC = np.exp(logits_NC)
    shares_NC /= shares_NC.sum(1, keepdims=True)
    wrong = rng.random(rows) < 0.1
    return shares_NC, np.where(wrong, rng.integers(classes, size=rows), labels_N)


def joint_by_hand(shares_NC, labels_N):
    """Equations 1 to 3 of the paper, with its rule for rows above several thresholds."""
    rows, classes = shares_NC.shape
    t = [np.mean([shares_NC[x, j] for x in range(rows) if labels_N[x] == j]) for j in range(classes)]
    joint = np.zeros((classes, classes))
    for x in range(rows):
        sure = [j for j in range(classes) if shares_NC[x, j] >= t[j] - 1e-6]
        if sure:
            best = sure[0] if len(sure) == 1 else max(range(classes), key=lambda j: shares_NC[x, j])
            joint[labels_N[x], best] += 1
    return np.array(t), np.maximum(joint, np.eye(classes))


@pytest.mark.parametrize("seed", range(4))
def test_thresholds_joint_and_calibration_are_those_of_the_paper(seed):
    shares_NC, labels_N = world(150, 4, seed)
    t, joint = joint_by_hand(shares_NC, labels_N)
    assert thresholds(shares_NC, labels_N) == pytest.approx(t)
    assert (confident_joint(shares_NC, labels_N) == joint).all()
    scaled = calibrated(confident_joint(shares_NC, labels_N), labels_N)
    assert scaled.sum(1) == pytest.approx(np.bincount(labels_N))
    assert scaled / scaled.sum(1, keepdims=True) == pytest.approx(joint / joint.sum(1, keepdims=True))


def test_rounding_keeps_the_sums_of_rows_and_moves_nothing_by_one_or_more():
    shares_NC, labels_N = world(200, 5, 1)
    joint = calibrated(confident_joint(shares_NC, labels_N), labels_N)
    whole = rounded(joint)
    assert (whole.sum(1) == np.bincount(labels_N)).all() and np.abs(whole - joint).max() < 1
    assert rounded(np.array([[1.6, 1.3, 1.1]])).tolist() == [[2, 1, 1]]


def test_pruning_takes_of_each_pair_of_classes_the_rows_of_largest_margin():
    shares_NC, labels_N = world(120, 3, 2)
    joint = rounded(calibrated(confident_joint(shares_NC, labels_N), labels_N))
    truth = set()
    for i in range(3):
        for j in range(3):
            rows = [x for x in range(120) if labels_N[x] == i]
            rows.sort(key=lambda x: shares_NC[x, i] - shares_NC[x, j])
            truth |= set(rows[: joint[i, j]]) if i != j else set()
    assert set(pruned(shares_NC, labels_N, joint).tolist()) == truth


def test_a_suspect_has_a_likelier_class_and_the_least_probable_label_comes_first():
    shares_NC, labels_N = world(300, 4, 3)
    found = suspects(shares_NC, labels_N)
    assert len(found.rows_S) > 10
    assert (found.likely_S == shares_NC[found.rows_S].argmax(1)).all()
    assert (found.likely_S != labels_N[found.rows_S]).all()
    assert (np.diff(found.given_S) >= 0).all()
    own = shares_NC[found.rows_S, labels_N[found.rows_S]]
    assert found.given_S == pytest.approx(own)
    assert found.margin_S == pytest.approx(own - shares_NC[found.rows_S].max(1))


def test_planted_errors_are_named_first_and_clean_labels_hardly_at_all():
    rng = np.random.default_rng(0)
    truth_N = np.arange(400) % 4
    features_ND = rng.normal(size=(400, 12)) + 3 * np.eye(4, 12)[truth_N]
    planted = rng.choice(400, 20, replace=False)
    labels_N = truth_N.copy()
    labels_N[planted] = (truth_N[planted] + rng.integers(1, 4, 20)) % 4
    folds = make_folds(labels_N)
    said = LogisticProbe().out_of_fold(features_ND, labels_N, folds)
    first = suspects(said.probabilities_NC, labels_N).rows_S[:20]
    assert np.isin(first, planted).mean() >= 0.9
    clean = LogisticProbe().out_of_fold(features_ND, truth_N, make_folds(truth_N))
    assert len(suspects(clean.probabilities_NC, truth_N).rows_S) <= 12
    assert surprise(said.probabilities_NC, labels_N) < 1e-3 < surprise(clean.probabilities_NC, truth_N)


def test_labels_drawn_from_the_probabilities_themselves_surprise_as_rarely_as_promised():
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(400):
        shares_NC = rng.dirichlet(np.full(5, 0.2), 150)
        labels_N = (shares_NC.cumsum(1) > rng.random((150, 1))).argmax(1)
        alarms += surprise(shares_NC, labels_N) < 0.05
    assert alarms <= 0.05 * 400


def test_the_probabilities_of_the_probe_are_those_that_its_score_is_made_of():
    rng = np.random.default_rng(5)
    labels_N = np.arange(120) % 3
    features_ND = rng.normal(size=(120, 6)) + np.eye(3, 6)[labels_N]
    folds = make_folds(labels_N, repeats=1)
    said = LogisticProbe().out_of_fold(features_ND, labels_N, folds)
    own_N = said.probabilities_NC[np.arange(120), labels_N]
    assert np.log(own_N) == pytest.approx(said.rows_N)
    assert (said.probabilities_NC.argmax(1) == labels_N) == pytest.approx(said.hits_N)
    assert said.probabilities_NC.sum(1) == pytest.approx(np.ones(120))
