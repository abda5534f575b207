"""Formulas of papers in their plainest form, which several tests share."""

import numpy as np
from scipy.linalg import eigh


def papers_leep(answers, labels):
    """Nguyen 2020, equations 1 and 2, one term at a time."""
    rows, sources = answers.shape
    total = 0.0
    for i in range(rows):
        expected = 0.0
        for z in range(sources):
            joint = sum(answers[k, z] for k in range(rows) if labels[k] == labels[i]) / rows
            mass = sum(answers[k, z] for k in range(rows)) / rows
            if mass > 0:
                expected += joint / mass * answers[i, z]
        total += np.log(expected)
    return total / rows


def papers_probabilities(features, labels, share, ridge):
    """Project on all directions that maximise between / shrunk within; Gaussians of unit covariance there."""
    classes = np.unique(labels)
    means = [features[labels == c].mean(0) for c in classes]
    parts = [features[labels == c] - m for c, m in zip(classes, means, strict=True)]
    within = sum(p.T @ p for p in parts) / len(labels)
    between = sum(
        (labels == c).mean() * np.outer(m - features.mean(0), m - features.mean(0))
        for c, m in zip(classes, means, strict=True)
    )
    _, vectors = eigh(between, (1 - share) * within + ridge * np.eye(features.shape[1]))
    vectors = vectors[:, ::-1][:, : min(len(classes) - 1, features.shape[1])]
    scores = np.stack(
        [
            -0.5 * np.square((features - m) @ vectors).sum(1) + np.log((labels == c).mean())
            for c, m in zip(classes, means, strict=True)
        ],
        1,
    )
    shares = np.exp(scores - scores.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)
