"""Labels that are likely wrong: confident learning (Northcutt, Jiang & Chuang 2021, arXiv 1911.00068).

A model that has not seen a row says what it is. Of each class it is asked how sure it tends to be of rows
that have this label; where it is at least as sure of another class than of the label that a row has, the
row counts as one of that other class. The counts estimate how many labels of each kind are wrong, and so
many rows are named. Joint, calibration and pruning by noise rate are those of the paper. Those come first
whose label has the lowest probability: measured on planted errors, more of the first forty are wrong so than
in the order of the margin, which puts rows that a weak model confuses before rows that are plainly wrong.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOW = (0.003, 0.01, 0.03)  # probabilities of a label that surprise
WORTH = 0.01  # share of the rows that must surprise beyond what is expected
CLOSE = 1e-6  # a probability this far below its threshold still reaches it


@dataclass(frozen=True, eq=False)  # holds arrays: the same only as itself
class Suspects:
    """S rows whose labels are likely wrong, most likely first."""

    rows_S: NDArray[np.int64]  # numbers of the rows
    likely_S: NDArray[np.int64]  # the class that the model thinks
    given_S: NDArray[np.float64]  # probability of the label
    margin_S: NDArray[np.float64]  # that minus the probability of the likely class, between -1 and 0
    estimate: float  # labels that the calibrated joint says to be wrong


def suspects(probabilities_NC: NDArray[np.float64], labels_N: NDArray[np.int64]) -> Suspects:
    """From out-of-fold probabilities of N rows for C classes, and the N class numbers that they have."""
    joint_CC = calibrated(confident_joint(probabilities_NC, labels_N), labels_N)
    rows = pruned(probabilities_NC, labels_N, rounded(joint_CC))
    given_S = probabilities_NC[rows, labels_N[rows]]
    others_SC = probabilities_NC[rows].copy()
    others_SC[np.arange(len(rows)), labels_N[rows]] = -1
    likely_S, margin_S = others_SC.argmax(1), given_S - others_SC.max(1, initial=-1)
    order = np.argsort(given_S, kind="stable")
    order = order[margin_S[order] < 0]  # what the model, too, takes for its label is no suspect
    wrong = float(joint_CC.sum() - joint_CC.trace())
    return Suspects(rows[order], likely_S[order], given_S[order], margin_S[order], wrong)


def surprise(probabilities_NC: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    """How likely are so many labels of low probability where none is wrong? A p-value, at most 1.

    If the probabilities are right, a label of probability below t is met as often as these probabilities add
    up to. The number that is met is compared at three t by the upper tail of Poisson's distribution, which
    lies above that of such a sum, and the smallest of the three counts threefold (Bonferroni). What is met
    beyond that must be a hundredth of the rows: no model's probabilities are quite right.
    """
    from scipy.stats import poisson

    own_N = probabilities_NC[np.arange(len(labels_N)), labels_N]
    tails = []
    for low in LOW:
        expected = float(probabilities_NC[probabilities_NC < low].sum())
        met = int((own_N < low).sum())
        enough = met - expected >= WORTH * len(own_N)
        tails.append(float(poisson.sf(met - 1, expected)) if enough else 1.0)
    return min(1.0, len(LOW) * min(tails))


def thresholds(probabilities_NC: NDArray[np.float64], labels_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """How sure the model tends to be of each class on rows with its label; 1 for a class without rows."""
    classes = probabilities_NC.shape[1]
    own_N = probabilities_NC[np.arange(len(labels_N)), labels_N]
    counts_C = np.bincount(labels_N, minlength=classes)
    sums_C = np.bincount(labels_N, own_N, minlength=classes)
    means_C: NDArray[np.float64] = np.where(counts_C > 0, sums_C / np.maximum(counts_C, 1), 1.0)
    return means_C


def confident_joint(probabilities_NC: NDArray[np.float64], labels_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """C x C counts: rows with label i of which the model is sure that they are class j.

    A row that reaches the thresholds of several classes counts for the most probable of all, as in the paper;
    one that reaches none counts nowhere. At least one row of each class is right.
    """
    classes = probabilities_NC.shape[1]
    sure_NC = probabilities_NC >= thresholds(probabilities_NC, labels_N) - CLOSE
    several_N = sure_NC.sum(1) > 1
    said_N = np.where(several_N, probabilities_NC.argmax(1), sure_NC.argmax(1))
    counts_N = sure_NC.any(1)
    joint_CC = np.zeros((classes, classes), np.int64)
    np.add.at(joint_CC, (labels_N[counts_N], said_N[counts_N]), 1)
    np.fill_diagonal(joint_CC, joint_CC.diagonal().clip(min=1))
    return joint_CC


def calibrated(joint_CC: NDArray[np.int64], labels_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same with rows that add up to how often each label stands in the data."""
    counts_C = np.bincount(labels_N, minlength=len(joint_CC))
    scaled_CC: NDArray[np.float64] = joint_CC / joint_CC.sum(1, keepdims=True) * counts_C[:, None]
    return scaled_CC


def rounded(joint_CC: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers with the same sums of rows: the largest remainders are rounded up."""
    whole_CC = np.floor(joint_CC + CLOSE).astype(np.int64)
    for row, given in enumerate(joint_CC):
        lacking = int(round(given.sum())) - int(whole_CC[row].sum())
        largest = np.argsort(whole_CC[row] - given, kind="stable")[: max(0, lacking)]
        whole_CC[row, largest] += 1
    return whole_CC


def pruned(
    probabilities_NC: NDArray[np.float64], labels_N: NDArray[np.int64], joint_CC: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Numbers of rows, ascending: for each i and j != i the joint[i, j] rows of label i most like class j."""
    found: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    for given in np.unique(labels_N):
        rows = np.flatnonzero(labels_N == given)
        if len(rows) < 2:
            continue
        for other in np.flatnonzero(joint_CC[given]):
            if other != given:
                margin = probabilities_NC[rows, other] - probabilities_NC[rows, given]
                order = np.argsort(-margin, kind="stable")
                found.append(rows[order[: joint_CC[given, other]]])
    return np.unique(np.concatenate(found))
