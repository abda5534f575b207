"""Every score in the folder: prefers separated features, minds no order, never breaks."""

import subprocess
import sys
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from warmstart.select.scores import SCORES
from warmstart.select.scores._scoring import make_folds


def classes(rows, columns, count, separation, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % count
    means = random.normal(size=(count, columns)) * separation
    return random.normal(size=(rows, columns)) + means[labels], labels


@pytest.fixture(params=SCORES.names())
def score(request):
    return SCORES.build({"name": request.param})


@pytest.mark.parametrize("rows, columns, count", [(90, 20, 3), (90, 120, 3), (60, 10, 2)])
def test_separated_features_score_higher_than_noise(score, rows, columns, count):
    separated, labels = classes(rows, columns, count, 1.0)
    noise, _ = classes(rows, columns, count, 0.0, seed=1)
    folds = make_folds(labels, repeats=1)
    good, bad = (score.score(f, labels, folds) for f in (separated, noise))
    assert good.value > bad.value
    assert good.low > bad.high


def test_the_order_of_the_features_does_not_matter(score):
    features, labels = classes(60, 30, 3, 0.5)
    folds = make_folds(labels, repeats=1)
    order = np.random.default_rng(1).permutation(30)
    here, there = (score.score(f, labels, folds).value for f in (features, features[:, order]))
    assert there == pytest.approx(here, abs=1e-6)


@pytest.mark.parametrize("columns", [1, 5, 200])
@pytest.mark.parametrize("count", [2, 4])
def test_it_is_finite_on_constant_columns_few_rows_and_rare_classes(score, columns, count):
    features, labels = classes(40, columns, count, 0.5)
    features[:, 0] = 7.0
    labels[labels == 0] = 1
    labels[0] = 0  # a class with one row
    folds = make_folds(labels, repeats=1)
    scored = score.score(features, labels, folds)
    assert np.isfinite([scored.value, scored.low, scored.high]).all()
    assert scored.low <= scored.value <= scored.high


def test_it_is_a_frozen_dataclass_that_explains_itself_and_repeats_itself(score):
    assert is_dataclass(score) and type(score).__dataclass_params__.frozen
    assert all(field.name in repr(score) for field in fields(score))
    features, labels = classes(60, 10, 3, 0.5)
    before, folds = features.copy(), make_folds(labels, repeats=1)
    first, second = (score.score(features, labels, folds) for _ in range(2))
    assert (first.value, first.low, first.high) == (second.value, second.low, second.high)
    assert (features == before).all()


def test_it_can_be_paired(score):
    features, labels = classes(60, 10, 3, 0.5)
    scored = score.score(features, labels, make_folds(labels, repeats=1))
    assert (scored.rows_N is None) != (scored.without_RK is None)
    assert scored.rows_N is None or scored.value == pytest.approx(scored.rows_N.mean())
    assert scored.how.startswith("95 %")


def test_listing_the_family_imports_neither_sklearn_nor_scipy():
    code = (
        "import sys; from warmstart.select.scores import SCORES; import warmstart.select.rank; "
        "print([SCORES.first_line(n) for n in SCORES.names()]); "
        "sys.exit(bool({'sklearn', 'scipy', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
