"""Which rows to label next: those that the model is least sure of, spread so that no two of them are alike.

Of the rows with the smallest margin (Settles 2009, Active Learning Literature Survey, 3.1) ten times as many
as are wanted are clustered by what the head reads, uncertain ones with more weight, and of each cluster the
row nearest to its centre is taken (Zhdanov 2019, Diverse mini-batch Active Learning, arXiv 1901.05954).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.models.features import pooled_features
from warmstart.serve.answers import Said, answers
from warmstart.serve.predict import Predictor
from warmstart.serve.questions import Question
from warmstart.serve.values import as_asked

AMONG = 10  # times as many uncertain rows as are wanted are clustered
STARTS = 3  # of the clustering, of which the tightest counts


@dataclass(frozen=True)
class Wanted:
    """A row whose label would teach most."""

    name: str  # where it is
    value: object  # its text, or where its picture is
    predicted: str
    probability: float
    margin: float  # between the two most probable labels; 0: the model cannot decide
    cluster: int  # from 1
    alike: int  # uncertain rows of the cluster, this one among them


def wanted(predictor: Predictor, asked: Sequence[Question], count: int, seed: int = 0) -> list[Wanted]:
    """At most `count` rows, least certain first; fewer where what is uncertain is all alike.

    Rows that have a label already and those that cannot be read are passed over. Raises WarmstartError where
    none is left.
    """
    free = [question for question in asked if not question.truth]
    if not free:
        raise WarmstartError("every row has a label already", "give rows without labels", "no-input")
    said = answers(predictor, free)
    margin_N = np.array([margin(one) for one in said])
    order = np.argsort(margin_N, kind="stable")
    near = order[np.isfinite(margin_N[order])][: AMONG * count]
    features_MD = features(predictor, [free[i].value for i in near])
    cluster_M, chosen = spread(features_MD, 1 - margin_N[near], count, seed)
    sizes = np.bincount(cluster_M)
    found = []
    for number, place in enumerate(chosen, start=1):
        row = int(near[place])
        label, probability = said[row].answer[0]
        alike = int(sizes[cluster_M[place]])
        found.append(
            Wanted(free[row].name, free[row].value, label, probability, float(margin_N[row]), number, alike)
        )
    return found


def margin(said: Said) -> float:
    """How much more probable the first label is than the second; infinite where there is no answer."""
    if not said.answer:
        return float("inf")
    return said.answer[0][1] - (said.answer[1][1] if len(said.answer) > 1 else 0.0)


def features(predictor: Predictor, values: Sequence[object]) -> NDArray[np.float64]:
    """N x D of what the head reads, every column of spread 1."""
    plain = [as_asked(value, predictor.task.modality) for value in values]
    inputs, _ = predictor.task.encode(predictor.pretrained, plain, None)
    anatomy = predictor.pretrained.anatomy
    found_ND = pooled_features(anatomy, inputs)[anatomy.names[-2]].astype(np.float64)
    scaled: NDArray[np.float64] = (found_ND - found_ND.mean(0)) / np.maximum(found_ND.std(0), 1e-9)
    return scaled


def spread(
    features_ND: NDArray[np.float64], weights_N: NDArray[np.float64], count: int, seed: int
) -> tuple[NDArray[np.int64], list[int]]:
    """The cluster of each row, and of each cluster the row nearest to its centre, in the rows' order."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(features_ND.round(6), axis=0))
    start = stream(seed, "label") % 2**32
    means = KMeans(min(count, distinct), n_init=STARTS, random_state=start)
    means.fit(features_ND, sample_weight=np.maximum(weights_N, 1e-3))
    apart_N = np.linalg.norm(features_ND - means.cluster_centers_[means.labels_], axis=1)
    nearest = [
        min(np.flatnonzero(means.labels_ == label), key=lambda i: apart_N[i])
        for label in np.unique(means.labels_)
    ]
    return means.labels_.astype(np.int64), sorted(map(int, nearest))
