"""Do the user's test rows look like the training rows? A classifier tries to tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator
from warmstart.base.types import Bundle, Finding, Measure
from warmstart.floors import FLOORS
from warmstart.floors._regression import out_of_fold
from warmstart.select.judge import AVERAGE, PROBE, ROUGH, fault_of
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import ANSWERS
from warmstart.select.shift import folds_of, level_of, told_apart
from warmstart.street import opening
from warmstart.street.folder import Trip
from warmstart.tasks._classification import Cells, Classification

MOST = 1000  # rows of each side that are looked at
FEWEST = 30  # of each side
APART = 0.1  # total variation distance of the classes' shares from which on it is said
SHOWN = 0.001  # p-value below which they are shown to differ


def by_floor(trip: Trip, task: Classification, bundle: Bundle) -> tuple[Finding, ...]:
    """A warning, if the task's floor (words; colours and edges) tells the user's test rows apart."""
    sides = asked(bundle, trip.options.seed)
    if sides is None or not task.baseline:
        return ()
    floor = FLOORS.get(task.baseline)()
    trip.tell({"event": "note", "what": "comparing test rows with training rows"})
    folds, side_N = folds_of(len(sides[0]), len(sides[1]), trip.options.seed)
    try:
        raw_ND = floor.read(Cells(bundle, task.roles[0], (*sides[0], *sides[1])))
    except WarmstartError:  # a picture that went away since; the reading of all rows says so
        return ()
    logs_N = out_of_fold(floor, raw_ND, side_N, folds.tests).rows_N
    right_N = np.exp(logs_N)
    test_N = np.where(side_N == 1, right_N, 1 - right_N)
    return said(told_apart(test_N, side_N, folds), floor.plain, bundle, sides)


def by_network(trip: Trip, task: Classification, bundle: Bundle, source: str) -> tuple[Finding, ...]:
    """The same by the features of a pretrained model; with it what the model cannot read whole."""
    sides = asked(bundle, trip.options.seed)
    if sides is None:
        return ()
    numbers = (*sides[0], *sides[1])
    pretrained = opening.open_model(trip, source, task)
    features, _ = opening.look_through(trip, pretrained, task, bundle, numbers, timed=False)
    groups = [group_ND for name, group_ND in features.items() if name != ANSWERS]
    read_ND = features.get(AVERAGE, groups[-1])
    if fault_of(read_ND):
        return ()
    folds, side_N = folds_of(len(sides[0]), len(sides[1]), trip.options.seed)
    probe = SCORES.get(PROBE)(tolerance=ROUGH)
    test_N = probe.out_of_fold(read_ND, side_N, folds).probabilities_NC[:, 1]
    return said(told_apart(test_N, side_N, folds), f"the features of {source}", bundle, sides)


def asked(bundle: Bundle, seed: int) -> tuple[list[int], list[int]] | None:
    """Rows of train and of a test that the user brought; a test that is made by chance is like train."""
    if "test" not in bundle.brought or min(len(bundle.train), len(bundle.test)) < FEWEST:
        return None
    return some(bundle.train, seed), some(bundle.test, seed)


def some(numbers: Sequence[int], seed: int) -> list[int]:
    """At most so many of them, by chance, in their order."""
    taken = generator(seed, "shift").permutation(len(numbers))[:MOST]
    return [numbers[i] for i in sorted(taken.tolist())]


def said(found: Measure, by: str, bundle: Bundle, sides: tuple[list[int], list[int]]) -> tuple[Finding, ...]:
    level = level_of(found)
    if not level:
        return ()
    what = (
        f"test rows differ from training rows: {by} tells them apart with an area under the curve of "
        f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}], where 0.50 is alike ({found.n:,} rows)"
    )
    apart, name = class_difference(bundle)
    if apart > APART:
        what += f"; the shares of the classes differ by {100 * apart:.0f} %, that of {name!r} most"
    do = "figures hold for rows like the test rows; if these are what is to come, train on rows like them"
    return (Finding("shift", level, what, do, len(sides[1])),)


def class_difference(bundle: Bundle) -> tuple[float, str]:
    """Total variation distance of the classes' shares in train and test, and the class that differs most.

    0 where a chi-squared test does not show a difference.
    """
    from scipy.stats import chi2_contingency

    labels = bundle.rows.column(bundle.roles["label"])
    sides = [Counter(labels[row] for row in bundle.split(name)) for name in ("train", "test")]
    there = [name for name in bundle.labels if sides[0][name] or sides[1][name]]
    counts_SC = np.array([[side[name] for name in there] for side in sides], float)
    if len(there) < 2 or chi2_contingency(counts_SC).pvalue >= SHOWN:
        return 0.0, ""
    gaps_C = np.abs(np.diff(counts_SC / counts_SC.sum(1, keepdims=True), axis=0)[0])
    return float(gaps_C.sum() / 2), there[int(gaps_C.argmax())]
