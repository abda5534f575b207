"""Words and pairs by TF-IDF: the values of scikit-learn, from training rows alone, for any writing."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from warmstart.floors.bag_of_words import MOST_WORDS, WORD, BagOfWords, terms

TEXTS = [
    "The cat sat on the mat, the CAT!",
    "a dog; a cat and a bird",
    "don't stop -- 3 times 3 is 9",
    "",
    "!!! ???",
    "Straße und Öl, naïve café",
    "我喜欢这个",
    "the the the the",
    "unheard words here",
]


@pytest.mark.parametrize("train", [range(9), (0, 1, 2), (5, 6, 3), (3,)], ids=str)
def test_values_are_those_of_scikit_learn(train):
    train = np.array(train)
    raw = BagOfWords().read(TEXTS)
    ours = BagOfWords().weighed(raw, train).toarray()
    theirs = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=WORD.pattern)
    if not any(list(terms(TEXTS[i])) for i in train):
        assert not ours.any()
        return
    theirs.fit([TEXTS[i] for i in train])
    wanted = theirs.transform(TEXTS).toarray()
    names = list(dict.fromkeys(term for text in TEXTS for term in terms(text)))
    ours = {name: ours[:, i] for i, name in enumerate(names) if ours[:, i].any()}
    assert set(ours) <= set(theirs.vocabulary_)
    for name, column in theirs.vocabulary_.items():
        assert ours[name] == pytest.approx(wanted[:, column], abs=1e-12), name


def test_rows_that_do_not_teach_have_no_say_in_the_weights():
    """Other test texts, and the training rows weigh the same; a test row hangs on itself alone."""
    one = ["good film", "bad film", "good book", "bad"]
    other = [*one[:3], "good good film never seen before"]
    train = np.arange(3)
    first, second = (BagOfWords().weighed(BagOfWords().read(t), train) for t in (one, other))
    width = min(first.shape[1], second.shape[1])
    assert (first[train].toarray()[:, :width] == second[train].toarray()[:, :width]).all()


def test_words_that_no_training_row_has_do_not_shorten_the_others():
    raw = BagOfWords().read(["good", "bad", "good unheard unknown", "good"])
    x = BagOfWords().weighed(raw, np.array([0, 1])).toarray()
    assert x[2] == pytest.approx(x[3])


def test_a_text_without_words_is_a_row_of_zeros():
    x = BagOfWords().weighed(BagOfWords().read(["", None, " \n", "🙂 !", "word"]), np.arange(5))
    assert np.isfinite(x.toarray()).all()
    assert (np.diff(x.indptr) == [0, 0, 0, 0, 1]).all()


def test_texts_without_any_word_still_have_a_column():
    x = BagOfWords().weighed(BagOfWords().read(["", "?"]), np.arange(2))
    assert x.shape == (2, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm 2 late", ["i", "m", "2", "late", "i m", "m 2", "2 late"]),
        ("日本語", ["日", "本", "語", "日 本", "本 語"]),
        ("GPU显卡", ["gpu", "显", "卡", "gpu 显", "显 卡"]),
        ("Привет МИР", ["привет", "мир", "привет мир"]),
        ("مرحبا", ["مرحبا"]),
        ("\ud83d half", ["half"]),
        (7, ["7"]),
        (None, []),
    ],
)
def test_words_of_any_writing(text, words):
    assert list(terms(text)) == words


def test_of_a_book_only_the_beginning_is_counted():
    assert sum(1 for _ in terms("word " * (MOST_WORDS + 50))) == 2 * MOST_WORDS - 1
