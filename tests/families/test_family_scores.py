"""Every score in the folder: prefers separated features, minds no order, never breaks."""

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from warmstart.select.rank import rank
from warmstart.select.scores import SCORES
from warmstart.select.scores._asks import (
    CLASSES,
    FEATURES,
    NUMBERS,
    WORDS,
    caution,
    is_relative,
    judges,
    reads,
)
from warmstart.select.scores._scoring import make_folds


def classes(rows, columns, count, separation, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % count
    means = random.normal(size=(count, columns)) * separation
    return random.normal(size=(rows, columns)) + means[labels], labels


def given(score, features):
    """What the score reads, as good as these features: their softmax, or texts that cost less with them."""
    if reads(score) == WORDS:
        costs = np.abs(features).mean(1)
        return np.stack([9 - costs, np.full(len(costs), 8.0)], 1)
    if reads(score) == FEATURES:
        return features
    shares = np.exp(features - features.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def targets(score, labels):
    return labels.astype(float) if judges(score) == NUMBERS else labels


def scored(score, pool, labels, folds):
    """A Scoring of each of these features; a relative score sees all at once."""
    wanted = targets(score, labels)
    if is_relative(score):
        return score.together([score.parts(given(score, features), wanted, folds) for features in pool])
    return [score.score(given(score, features), wanted, folds) for features in pool]


@pytest.fixture(params=SCORES.names())
def score(request):
    return SCORES.build({"name": request.param})


@pytest.mark.parametrize("rows, columns, count", [(400, 10, 5), (90, 20, 3), (90, 120, 3), (60, 10, 2)])
def test_separated_features_score_higher_than_noise(score, rows, columns, count):
    if rows < 400 and caution(score):
        pytest.skip(f"what it is cautioned for: {caution(score)}")
    separated, labels = classes(rows, columns, count, 1.0)
    noise, _ = classes(rows, columns, count, 0.0, seed=1)
    good, bad = scored(score, (separated, noise), labels, make_folds(labels, repeats=1))
    assert good.value > bad.value
    assert good.low > bad.high


def test_the_order_of_the_features_does_not_matter(score):
    if reads(score) == WORDS:
        pytest.skip("its two columns are not alike")
    features, labels = classes(60, 30, 3, 0.5)
    order = np.random.default_rng(1).permutation(30)
    pools = ((features, features[:, :5]), (features[:, order], features[:, :5]))
    here, there = (scored(score, pool, labels, make_folds(labels, repeats=1))[0].value for pool in pools)
    assert there == pytest.approx(here, abs=1e-6)


@pytest.mark.parametrize("columns", [1, 5, 200])
@pytest.mark.parametrize("count", [2, 4])
def test_it_is_finite_on_constant_columns_few_rows_and_rare_classes(score, columns, count):
    features, labels = classes(40, columns, count, 0.5)
    features[:, 0] = 7.0
    labels[labels == 0] = 1
    labels[0] = 0  # a class with one row
    for found in scored(score, (features, -features), labels, make_folds(labels, repeats=1)):
        assert np.isfinite([found.value, found.low, found.high]).all()
        assert found.low <= found.value <= found.high


def test_it_is_a_frozen_dataclass_that_explains_itself_and_repeats_itself(score):
    assert is_dataclass(score) and type(score).__dataclass_params__.frozen
    assert all(field.name in repr(score) for field in fields(score))
    features, labels = classes(60, 10, 3, 0.5)
    before, folds = features.copy(), make_folds(labels, repeats=1)
    first, second = (scored(score, (features, features[::-1]), labels, folds)[0] for _ in range(2))
    assert (first.value, first.low, first.high) == (second.value, second.low, second.high)
    assert (features == before).all()


def test_it_can_be_paired(score):
    features, labels = classes(60, 10, 3, 0.5)
    for found in scored(score, (features, features[::-1]), labels, make_folds(labels, repeats=1)):
        assert (found.rows_N is None) != (found.without_RK is None)
        per = 1 if found.per_N is None else found.per_N.mean()
        assert found.rows_N is None or found.value == pytest.approx(found.rows_N.mean() / per)
        assert found.how.startswith("95 %")


def test_it_does_not_mind_what_the_classes_are_called(score):
    if judges(score) != CLASSES:
        pytest.skip("it judges no classes")
    features, labels = classes(60, 10, 3, 0.5)
    folds = make_folds(labels, repeats=1)
    pool = (features, features[::-1])
    here, there = (
        scored(score, pool, called, folds)[0] for called in (labels, np.array([-2, 7, 40])[labels])
    )
    assert there.value == pytest.approx(here.value, abs=1e-9)


def test_what_it_asks_for_is_known_and_the_default_ranks_without_a_caution(score):
    assert reads(score) in (FEATURES, "answers", WORDS)
    assert judges(score) in (CLASSES, NUMBERS, WORDS)
    assert not caution(SCORES.get(inspect.signature(rank).parameters["score"].default))


def test_listing_the_family_imports_neither_sklearn_nor_scipy():
    code = (
        "import sys; from warmstart.select.scores import SCORES; import warmstart.select.rank; "
        "print([SCORES.first_line(n) for n in SCORES.names()]); "
        "sys.exit(bool({'sklearn', 'scipy', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
