"""Training rows whose labels the best candidate speaks against: a finding, and all of them in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from warmstart.base.files import write_text
from warmstart.base.types import Bundle, Finding, Ranking
from warmstart.select.judge import AVERAGE, PROBE, ROUGH, Features, fault_of
from warmstart.select.label_noise import Suspects, surprise, suspects
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import ANSWERS
from warmstart.select.scores._scoring import make_folds
from warmstart.select.unscored import too_few
from warmstart.street.folder import Trip

NAME, FILE = "label_noise", "suspect_labels.csv"
SHOWN = 20
FEWEST_ROWS = 50
KNOWS = 0.6  # of the rows that a probe must get right; else most suspects would be its own mistakes
SURE = 0.001  # p-value below which there are more surprising labels than chance has
TEXT = 200  # characters of a text in the file


def noticed(
    trip: Trip,
    bundle: Bundle,
    ranking: Ranking,
    features: Mapping[str, Features],
    numbers: list[int],
    labels_N: NDArray[np.int64],
    groups_N: NDArray[np.generic] | None,
) -> tuple[Finding, ...]:
    """Rows `numbers` of the bundle with labels that are likely wrong. Leaves suspect_labels.csv, if any.

    They are judged by the probe of the ranking's first candidate, on the folds of the ranking. Nothing is
    changed: a hard row and a wrong label look alike to a model.
    """
    best = ranking.best.candidate
    found = out_of_fold(features.get(best.source, {}), labels_N, groups_N, trip.options.seed)
    if found is None:
        return ()
    shares_NC, right = found
    classes, codes_N = np.unique(labels_N, return_inverse=True)
    wrong = suspects(shares_NC, codes_N)
    if not len(wrong.rows_S):
        return ()
    names = [bundle.labels[c] for c in classes]
    told = lines(bundle, wrong, numbers, codes_N, names, shares_NC)
    write(trip, told)
    by_chance = surprise(shares_NC, codes_N) >= SURE
    what = (
        f"{len(told):,} of {len(numbers):,} training rows looked at have a label that their features "
        f"({best.name}, right on {100 * right:.0f} %) speak against"
    )
    what += "" if by_chance else ", more than a model's own doubt explains"
    shown = tuple(f"{one[0]} ({one[1]!r}, rather {one[2]!r})" for one in told[:SHOWN])
    do = f"nothing was changed; look at them, most doubtful first, in {FILE}"
    return (Finding(NAME, "note" if by_chance else "warning", what, do, len(told), shown),)


def out_of_fold(
    features: Features, labels_N: NDArray[np.int64], groups_N: NDArray[np.generic] | None, seed: int
) -> tuple[NDArray[np.float64], float] | None:
    """N x C probabilities of the labels that occur, and the share of rows that they get right.

    None where rows or features allow none, or the probe knows too little to speak against a label.
    """
    groups = [group_ND for name, group_ND in features.items() if name != ANSWERS]
    if not groups or too_few(labels_N) or len(labels_N) < FEWEST_ROWS:
        return None
    scored_ND = features.get(AVERAGE, groups[-1])
    if fault_of(scored_ND):
        return None
    folds = make_folds(labels_N, groups_N, seed)
    said = SCORES.get(PROBE)(tolerance=ROUGH).out_of_fold(scored_ND, labels_N, folds)
    right = float(said.hits_N.mean())
    return (said.probabilities_NC, right) if right >= KNOWS else None


def lines(
    bundle: Bundle,
    wrong: Suspects,
    numbers: list[int],
    codes_N: NDArray[np.int64],
    names: list[str],
    shares_NC: NDArray[np.float64],
) -> list[tuple[str, ...]]:
    """For each suspect: where, label, the likely one, their probabilities, normalised margin, its text."""
    rows = bundle.rows.take([numbers[i] for i in wrong.rows_S])
    told: list[tuple[str, ...]] = []
    for place, row in enumerate(rows):
        i, likely = int(wrong.rows_S[place]), int(wrong.likely_S[place])
        margin = (1 + wrong.margin_S[place]) / 2
        numbers_said = (f"{wrong.given_S[place]:.4f}", f"{shares_NC[i, likely]:.4f}", f"{margin:.4f}")
        text = str(row[bundle.roles["text"]])[:TEXT] if "text" in bundle.roles else ""
        told.append((str(row["_where"]), names[codes_N[i]], names[likely], *numbers_said, text))
    return told


def write(trip: Trip, told: list[tuple[str, ...]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("where", "label", "likely", "p_label", "p_likely", "normalised_margin", "text"))
    table.writerows(told)
    write_text(trip.path(FILE), text.getvalue())
