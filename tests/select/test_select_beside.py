"""Beside the ranking: what needs no network, on the same folds, and whether frozen features beat it."""

from dataclasses import dataclass

import numpy as np
import pytest
from test_select_rank import LABELS, candidate, features, ranked, reasons

from warmstart.base.tables import checked, to_table
from warmstart.base.types import Ranking
from warmstart.floors._regression import out_of_fold
from warmstart.floors.colours_and_edges import ColoursAndEdges
from warmstart.select.scores._folds import make_folds


@dataclass(frozen=True, eq=False)
class Unaided:
    numbers_ND: np.ndarray
    name: str = "bag_of_words"
    plain: str = "a bag of words (TF-IDF with logistic regression)"
    seconds: float = 2.0

    def out_of_fold(self, repeats):
        return out_of_fold(ColoursAndEdges(), self.numbers_ND, LABELS, repeats)


def beside(strength, model=0.3, **settings):
    named = {candidate("model"): features(model, 1)}
    return ranked(named, unaided=Unaided(features(strength, 2).astype(float)), **settings)


def test_it_is_measured_on_the_folds_of_the_candidates():
    found = beside(0.3).baseline
    alone = out_of_fold(ColoursAndEdges(), features(0.3, 2), LABELS, make_folds(LABELS).tests)
    assert found.score.value == pytest.approx(alone.rows_N.mean())
    assert found.accuracy.value == pytest.approx(alone.hits_N.mean())
    assert found.score.n == found.accuracy.n == found.lead.n == len(LABELS)
    assert found.score.low < found.score.value < found.score.high
    assert found.penalty in ColoursAndEdges.penalties
    assert found.seconds > 2


def test_the_lead_is_that_of_the_first_candidate_paired():
    ranking = beside(0.1)
    lead = ranking.baseline.lead
    assert lead.value == pytest.approx(ranking.best.score.value - ranking.baseline.score.value)
    assert lead.low < lead.value < lead.high
    assert lead.how.endswith("paired")


@pytest.mark.parametrize(("strength", "word"), [(0.9, "does better"), (0.3, "does as well")])
def test_features_that_do_not_beat_it_are_warned_of(strength, word):
    (reason,) = reasons(beside(strength), "baseline")
    assert reason.so == (
        f"a bag of words (TF-IDF with logistic regression) {word}: "
        "the frozen features of model are not shown to beat it"
    )
    assert "% right" in reason.saw and "paired" in reason.saw


def test_features_that_beat_it_need_no_warning():
    ranking = beside(0.0, model=0.6)
    assert ranking.baseline.lead.low > 0
    assert not reasons(ranking, "baseline")


def test_it_changes_neither_order_nor_scores():
    named = {candidate("a", 5): features(0.5, 1), candidate("b", 9): features(0.3, 3)}
    with_it, without = ranked(named, unaided=Unaided(features(0.9, 2))), ranked(named)
    assert with_it.scored == without.scored
    assert without.baseline is None


def test_it_travels_through_json():
    ranking = beside(0.3)
    assert checked(Ranking, to_table(ranking), "here") == ranking
    table = to_table(ranking)
    del table["baseline"]
    assert checked(Ranking, table, "an older folder").baseline is None
