"""The regression of a floor: scikit-learn's optimum, a penalty chosen inside the folds, no leak, no crash."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from street_world import PLAIN, TELLING, reviews
from warmstart.floors import _regression as regression
from warmstart.floors._regression import choose, fit, out_of_fold
from warmstart.floors.bag_of_words import BagOfWords
from warmstart.floors.colours_and_edges import ColoursAndEdges
from warmstart.select.scores._folds import make_folds

CLASSES = tuple(TELLING)


def texts(count=120, classes=CLASSES, seed=0):
    rows = reviews(count, seed, classes)
    return [text for text, _ in rows], np.array([classes.index(label) for _, label in rows])


def numbers(rows=90, columns=30, classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    return random.normal(size=(rows, columns)) + random.normal(size=(classes, columns))[labels], labels


def scikit(x, labels, train, penalty):
    model = LogisticRegression(C=penalty, tol=1e-10, max_iter=20_000).fit(x[train], labels[train])
    return model.predict_proba(x)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 100.0])
@pytest.mark.parametrize("classes", [CLASSES, CLASSES[:2]], ids=len)
@pytest.mark.parametrize("square", [0, 4000], ids=["columns", "inner products"])
def test_words_have_the_optimum_of_scikit_learn(penalty, classes, square, monkeypatch):
    monkeypatch.setattr(regression, "SQUARE", square)
    values, labels = texts(classes=classes)
    values[7] = values[3]  # rows that are the same
    values[8] = ""
    floor, train = BagOfWords(), np.arange(80)
    raw = floor.read(values)
    ours = fit(floor, raw, train, labels[train], len(classes), penalty)
    wanted = scikit(csr_array(floor.weighed(raw, train)), labels, train, penalty)
    assert ours.converged
    assert ours.probabilities_NC == pytest.approx(wanted, abs=2e-4)
    assert ours.probabilities_NC.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("columns", [5, 200])
@pytest.mark.parametrize("classes", [2, 4])
def test_pictures_have_the_optimum_of_scikit_learn(columns, classes):
    raw, labels = numbers(columns=columns, classes=classes)
    floor, train = ColoursAndEdges(), np.arange(60)
    ours = fit(floor, raw, train, labels[train], classes, 0.1)
    wanted = scikit(floor.weighed(raw, train), labels, train, 0.1)
    assert ours.probabilities_NC == pytest.approx(wanted, abs=2e-4)
    assert ours.weights == (columns + 1) * classes


def test_out_of_fold_is_what_floors_of_the_other_rows_say():
    values, labels = texts(60)
    floor, folds = BagOfWords(), make_folds(labels, repeats=1)
    raw = floor.read(values)
    found = out_of_fold(floor, raw, labels, folds.tests)
    picks = choose(regression.Rows(floor, raw, labels), folds.tests[0])
    for test, penalty in zip(folds.tests[0], picks, strict=True):
        train = np.setdiff1d(np.arange(60), test)
        said = fit(floor, raw, train, labels[train], 3, penalty).probabilities_NC[test]
        exact = np.log(said[np.arange(len(test)), labels[test]])
        assert found.rows_N[test] == pytest.approx(exact, abs=0.01)
        assert found.rows_N[test].mean() == pytest.approx(exact.mean(), abs=1e-3)
        assert (found.hits_N[test] == (said.argmax(1) == labels[test])).mean() > 0.9
    assert found.penalty in floor.penalties


def test_it_finds_the_words_that_tell_and_nothing_in_noise():
    values, labels = texts(200)
    random = np.random.default_rng(0)
    noise = [" ".join(random.choice(PLAIN, 7)) for _ in values]
    folds = make_folds(labels)
    telling, blind = (
        out_of_fold(BagOfWords(), BagOfWords().read(v), labels, folds.tests) for v in (values, noise)
    )
    assert telling.hits_N.mean() > 0.9
    assert telling.rows_N.mean() > -0.4
    assert blind.rows_N.mean() < -1.0
    assert blind.penalty == min(BagOfWords.penalties)


def test_the_answers_to_a_fold_do_not_hang_on_its_labels():
    """Neither the weights nor the choice of the penalty for a fold may look at it."""
    values, labels = texts(90)
    folds, raw = make_folds(labels, repeats=1), BagOfWords().read(values)
    (tests,) = folds.tests
    turned = labels.copy()
    turned[tests[0]] = (turned[tests[0]] + 1) % 3
    picks = [choose(regression.Rows(BagOfWords(), raw, y), tests)[0] for y in (labels, turned)]
    assert picks[0] == picks[1]
    lessons = [regression.Rows(BagOfWords(), raw, y).without(tests[0])[0] for y in (labels, turned)]
    assert (lessons[0].truth_N == lessons[1].truth_N).all()
    assert (lessons[0].root_NN == lessons[1].root_NN).all()


def test_every_row_gets_an_answer_where_a_class_has_but_one():
    values, labels = texts(40)
    labels[labels == 2] = 0
    labels[0] = 2
    found = out_of_fold(BagOfWords(), BagOfWords().read(values), labels, make_folds(labels).tests)
    assert np.isfinite(found.rows_N).all()
    assert found.rows_N[0] < -3, "nothing could be learned of it"


def test_a_class_that_training_rows_lack_keeps_a_small_chance():
    values, labels = texts(30)
    train = np.flatnonzero(labels != 1)
    said = fit(BagOfWords(), BagOfWords().read(values), train, labels[train], 4, 10.0).probabilities_NC
    assert said.shape == (30, 4)
    assert said[:, [1, 3]] == pytest.approx(1 / (len(train) + 4))
    assert said.sum(1) == pytest.approx(1)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 0, 0]])
def test_the_fewest_rows_are_answered(labels):
    labels = np.array(labels)
    raw = BagOfWords().read(["one", "two", "", "one two"])
    said = fit(BagOfWords(), raw, np.arange(4), labels, 2, 1.0).probabilities_NC
    assert np.isfinite(said).all()
    found = out_of_fold(BagOfWords(), raw, labels, make_folds(labels).tests)
    assert np.isfinite(found.rows_N).all()


def test_two_folds_leave_nothing_to_choose_with():
    values, labels = texts(12)
    rows = regression.Rows(BagOfWords(), BagOfWords().read(values), labels)
    assert choose(rows, (np.arange(6), np.arange(6, 12))) == [10.0, 10.0]


def test_the_same_rows_give_the_same_answers():
    values, labels = texts(60)
    folds = make_folds(labels)
    once, again = (
        out_of_fold(BagOfWords(), BagOfWords().read(values), labels, folds.tests) for _ in range(2)
    )
    assert (once.rows_N == again.rows_N).all()
