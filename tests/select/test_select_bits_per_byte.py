"""Bits per byte: the arithmetic, its interval, and that it ranks language models of different tokenizers."""

import numpy as np
import pytest
from scipy import stats

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate
from warmstart.select.rank_words import rank_words
from warmstart.select.scores._scoring import difference, untrained
from warmstart.select.scores.bits_per_byte import SCORE as BitsPerByte
from warmstart.select.scores.bits_per_byte import bits_per_byte


def costs(rows, rate, seed=0):
    """Nats and bytes of texts of different lengths that cost about `rate` nats a byte."""
    random = np.random.default_rng(seed)
    sizes = np.random.default_rng(99).integers(20, 400, rows).astype(float)
    return np.stack([sizes * (rate + 0.1 * random.normal(size=rows)), sizes], 1)


def test_it_is_all_bits_over_all_bytes_and_not_a_mean_over_texts():
    scored = bits_per_byte(np.log(2) * np.array([8.0, 100.0]), np.array([1.0, 50.0]), untrained(2))
    assert scored.value == pytest.approx(-108 / 51)
    assert -8 <= scored.low < scored.value < scored.high <= -2


def test_a_model_that_knows_nothing_of_bytes_needs_eight_bits():
    sizes = np.array([3.0, 9.0, 0.0])
    scored = bits_per_byte(sizes * np.log(256), sizes, untrained(3))
    assert [scored.value, scored.low, scored.high] == pytest.approx([-8, -8, -8])


def test_the_interval_draws_texts_with_their_bytes_and_is_not_widened():
    words = costs(300, 0.7)
    scored = BitsPerByte().score(words, np.zeros(300), untrained(300))
    theirs = stats.bootstrap(
        tuple(words.T), lambda n, b, axis: -n.sum(axis) / b.sum(axis) / np.log(2), paired=True,
        vectorized=True, n_resamples=9999, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    assert [scored.low, scored.high] == pytest.approx(list(theirs), abs=0.002)
    assert scored.how == "95 % bootstrap over 300 rows"


def test_groups_of_texts_are_drawn_whole():
    words = np.repeat(costs(40, 0.7), 5, axis=0)
    free = BitsPerByte().score(words, np.zeros(200), untrained(200))
    whole = BitsPerByte().score(words, np.zeros(200), untrained(200, np.repeat(np.arange(40), 5)))
    assert whole.value == free.value and whole.high - whole.low > 1.5 * (free.high - free.low)
    assert "40 groups" in whole.how


@pytest.mark.parametrize(
    "nats, sizes, code",
    [
        ([1.0, np.nan], [4, 4], "wrong-value"),
        ([1.0, -1.0], [4, 4], "wrong-value"),
        ([0.0, 0.0], [0, 0], "no-text"),
    ],
)
def test_what_cannot_be_a_cost_is_refused(nats, sizes, code):
    with pytest.raises(WarmstartError) as refusal:
        bits_per_byte(np.array(nats), np.array(sizes, float), untrained(2))
    assert refusal.value.code == code and refusal.value.do


LARGE, SMALL = Candidate("large", "zoo:large", 9_000_000), Candidate("small", "zoo:small", 1_000_000)


def ranked(large, small, **settings):
    words = {LARGE.source: large, SMALL.source: small}
    return rank_words([LARGE, SMALL], words, seconds=dict.fromkeys(words, 1.0), **settings)


def test_the_cheaper_model_is_first_with_a_paired_difference():
    ranking = ranked(costs(80, 0.5), costs(80, 0.8, seed=1))
    assert [s.candidate.name for s in ranking.scored] == ["large", "small"]
    assert ranking.reasons[0].so == "large is first: it beats the runner-up, small"
    assert ranking.best.score.n == 80 and ranking.best.accuracy.n == 0 and not ranking.best.depths


def test_of_models_that_the_texts_cannot_tell_apart_the_smaller_is_first():
    large, small = costs(80, 0.7), costs(80, 0.702, seed=1)
    folds = untrained(80)
    one, other = (BitsPerByte().score(w, np.zeros(80), folds) for w in (large, small))
    assert difference(one, other, folds)[1] <= 0 <= difference(one, other, folds)[2]
    ranking = ranked(large, small)
    assert [s.candidate.name for s in ranking.scored] == ["small", "large"]
    assert "cannot tell it from large" in ranking.reasons[0].so


def test_a_score_of_features_ranks_no_texts():
    with pytest.raises(WarmstartError) as refusal:
        ranked(costs(8, 0.7), costs(8, 0.7), score="knn")
    assert refusal.value.code == "unfit-score"
