"""Each metric against an implementation that is not ours."""

import warnings

import numpy as np
import pytest

from warmstart.evaluate.metrics import METRICS


def case(seed, n=200, classes=5, sharp=1.0):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 1 / sharp), size=n)
    return rng.integers(classes, size=n), probabilities


def value(name, truth, probabilities):
    return METRICS.get(name)().measure(truth, probabilities)


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_macro_f1_and_log_loss_are_those_of_scikit_learn(seed):
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    truth, probabilities = case(seed)
    answers = probabilities.argmax(1)
    assert value("accuracy", truth, probabilities) == pytest.approx(accuracy_score(truth, answers))
    assert value("macro_f1", truth, probabilities) == pytest.approx(f1_score(truth, answers, average="macro"))
    theirs = log_loss(truth, probabilities, labels=range(5))
    assert value("log_loss", truth, probabilities) == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_leaves_out_classes_that_neither_occur_nor_are_answered(seed):
    from sklearn.metrics import f1_score

    truth, probabilities = case(seed, n=8, classes=9)  # some classes occur nowhere, some only as an answer
    answers = probabilities.argmax(1)
    assert len(np.union1d(truth, answers)) < 9
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # scikit-learn warns of classes without rows; what it returns is the oracle
        theirs = f1_score(truth, answers, average="macro")
    assert value("macro_f1", truth, probabilities) == pytest.approx(theirs)


def brute_force_ece(truth, probabilities, bins=15):
    total = 0.0
    for k in range(bins + 1):  # the last bin holds a confidence of exactly 1, as in torchmetrics 1.x
        low, high = k / bins, (k + 1) / bins
        confidences = [
            (max(p), float(int(np.argmax(p)) == t))
            for p, t in zip(probabilities.tolist(), truth.tolist(), strict=True)
            if low <= max(p) < high
        ]
        if confidences:
            confidence, right = np.mean(confidences, axis=0)
            total += len(confidences) / len(truth) * abs(right - confidence)
    return total


@pytest.mark.parametrize("sharp", [0.2, 1.0, 20.0])
def test_calibration_error_is_that_of_a_loop_over_bins(sharp):
    truth, probabilities = case(7, n=500, sharp=sharp)
    assert value("ece", truth, probabilities) == pytest.approx(brute_force_ece(truth, probabilities))


def test_a_confidence_on_the_edge_of_a_bin_counts_above_it():
    probabilities = np.array([[0.8, 0.2], [0.79, 0.21], [1.0, 0.0], [0.999, 0.001]])  # 0.8 is 12/15
    truth = np.array([1, 0, 0, 1])
    apart = (abs(0 - 0.8) + abs(1 - 0.79) + abs(1 - 1.0) + abs(0 - 0.999)) / 4
    assert value("ece", truth, probabilities) == pytest.approx(apart)


def test_brier_score_is_the_squared_distance_to_the_one_hot_truth():
    truth, probabilities = case(3)
    theirs = ((probabilities - np.eye(5)[truth]) ** 2).sum(1).mean()
    assert value("brier", truth, probabilities) == pytest.approx(theirs)


def test_a_true_class_of_probability_0_costs_27_6_nats_and_not_infinity():
    truth, probabilities = np.array([1]), np.array([[1.0, 0.0]])
    assert value("log_loss", truth, probabilities) == pytest.approx(27.631, abs=1e-3)
