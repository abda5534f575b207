"""Few rows first: who is parted by them, who goes on, and what is told of both."""

import numpy as np
import pytest

from warmstart.base.types import Candidate
from warmstart.select.rank import rank
from warmstart.select.sift import FEWEST, PER_CLASS, part, stages

ROWS = 400
LABELS = np.arange(ROWS) % 3
MEANS = np.random.default_rng(99).normal(size=(3, 16))


def features(strength, seed):
    random = np.random.default_rng(seed)
    noise = random.normal(size=(ROWS, 24))
    noise[:, :16] += strength * MEANS[LABELS]
    return {"top": noise}


def candidate(name, parameters=10_000_000, accuracy=None):
    return Candidate(name, f"zoo:{name}", parameters, source_accuracy=accuracy)


GOOD, SAME, POOR, NOISE = (candidate(n, p) for n, p in (("good", 9), ("same", 8), ("poor", 7), ("noise", 6)))
TABLE = {
    GOOD.source: features(0.6, 1), SAME.source: features(0.6, 2), POOR.source: features(0.2, 3),
    NOISE.source: features(0.0, 4),
}  # fmt: skip
ALL = [NOISE, GOOD, POOR, SAME]


def parted(candidates=ALL, table=TABLE, score="logistic_probe", labels=LABELS):
    seconds = {c.source: 1.0 for c in candidates}
    return part(candidates, table, labels, None, score, seconds, {}, seed=0)


def test_stages_grow_threefold_and_each_lies_within_the_next():
    labels = np.arange(2000) % 4
    found = stages(labels, None, 8)
    assert [len(rows) for rows in found] == [222, 666, 2000]
    for few, more in zip(found[:-1], found[1:], strict=True):
        assert set(few) < set(more)
        assert (np.diff(few) > 0).all()
    for rows in found:
        assert np.bincount(labels[rows]).min() >= len(rows) // 4


@pytest.mark.parametrize(
    ("rows", "classes", "candidates", "count"),
    [(2000, 4, 2, 1), (3 * FEWEST - 1, 4, 8, 1), (3 * FEWEST, 4, 8, 2), (2000, 77, 8, 1), (2400, 77, 8, 2)],
)
def test_with_few_candidates_or_few_rows_of_a_class_all_rows_are_read_at_once(
    rows, classes, candidates, count
):
    labels = np.arange(rows) % classes
    found = stages(labels, None, candidates)
    assert len(found) == count
    assert np.array_equal(found[-1], np.arange(rows))
    if count > 1:
        assert np.bincount(labels[found[0]]).min() >= PER_CLASS - 1


def test_groups_are_spread_over_the_first_stage():
    groups = np.repeat(np.arange(120), 5)
    labels = groups % 2
    few = stages(labels, groups, 3)[0]
    assert len(np.unique(groups[few])) > 110


def test_what_is_shown_to_be_behind_is_parted_and_what_is_not_goes_on():
    found = parted()
    assert [one.scored.candidate.name for one in found] == ["poor", "noise"]
    for one in found:
        assert one.scored.score.n == one.scored.accuracy.n == ROWS
        assert one.scored.behind.low > 0
        assert one.scored.opinions == {} == one.scored.depths
        assert "400 rows first" in one.why.rule
        assert one.scored.candidate.name in one.why.so and "not read on more rows" in one.why.so


def test_the_best_is_never_parted_nor_one_that_cannot_be_scored():
    broken = {**TABLE, POOR.source: {"top": np.full((ROWS, 4), np.nan)}}
    assert [one.scored.candidate.name for one in parted(table=broken)] == ["noise"]
    assert parted([GOOD]) == []
    assert parted(score="leep") == []  # reads trained heads, and there are none


def test_a_score_of_the_whole_set_parts_too():
    assert {one.scored.candidate.name for one in parted(score="h_score")} == {"poor", "noise"}


def test_they_follow_the_others_in_the_ranking_with_their_places_and_reasons():
    left = [GOOD, SAME]
    aside = parted()
    found = rank(left, TABLE, LABELS, seconds={c.source: 1.0 for c in left}, parted=aside)
    assert [one.candidate.name for one in found.scored][2:] == ["poor", "noise"]
    assert {one.candidate.name for one in found.scored[:2]} == {"good", "same"}
    assert sorted(one.prior for one in found.scored) == [1, 2, 3, 4]
    assert [r.rule for r in found.reasons][:3] == ["400 rows first", "400 rows first", "score"]
    (blind,) = [r for r in found.reasons if r.rule == "data-blind order"]
    assert "poor" in blind.saw and "noise" in blind.saw


@pytest.mark.parametrize(
    ("others", "words"), [(ALL[:1], "one left"), (ALL[:1] + [POOR], "beat all 2 others")]
)
def test_where_only_one_is_left_it_is_said_that_fewer_rows_showed_it(others, words):
    aside = parted([GOOD, *others])
    assert len(aside) == len(others)
    found = rank([GOOD], TABLE, LABELS, seconds={GOOD.source: 1.0}, parted=aside)
    (reason,) = [r for r in found.reasons if r.rule == "score"]
    assert words in reason.so
