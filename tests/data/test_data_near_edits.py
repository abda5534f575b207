"""Texts but for a word or two the same: all of them are found, forms that many fill are not."""

from itertools import combinations

import numpy as np
import pytest
from data_files import sentence

from warmstart.data import near_edits as module
from warmstart.data.near_edits import TEMPLATE, allowed, edits, near_edits
from warmstart.data.near_texts import near_texts

WORDS = [f"w{i}" for i in range(400)]


def pairs_of(found: np.ndarray) -> set[tuple[int, int]]:
    return {(min(a, b), max(a, b)) for a, b in found.tolist()}


def drawn(rng: np.random.Generator, length: int) -> list[str]:
    return [str(word) for word in rng.choice(WORDS, length)]


def changed(rng: np.random.Generator, words: list[str], times: int) -> list[str]:
    """So many words replaced, left out or put in."""
    words = list(words)
    for number in range(times):
        place, how = int(rng.integers(len(words))), rng.integers(3)
        new = f"new{rng.integers(10**6)}x{number}"
        words[place : place + (how != 2)] = [] if how == 1 else [new]
    return words


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's recursion, as it is written in the textbook."""
    table = np.zeros((len(one) + 1, len(other) + 1), int)
    table[:, 0], table[0] = range(len(one) + 1), range(len(other) + 1)
    for i, j in np.ndindex(len(one), len(other)):
        same = table[i, j] + (one[i] != other[j])
        table[i + 1, j + 1] = min(same, table[i, j + 1] + 1, table[i + 1, j] + 1)
    return int(table[-1, -1])


def test_edits_are_those_of_the_textbook_up_to_three():
    rng = np.random.default_rng(0)
    for _ in range(300):
        one = [str(w) for w in rng.choice(WORDS[:6], rng.integers(4, 9))]
        other = changed(rng, one, int(rng.integers(4)))
        assert edits(one, other) == edits(other, one) == min(3, distance(one, other))


def test_every_pair_that_brute_force_finds_is_found_and_no_other():
    rng = np.random.default_rng(1)
    texts = [drawn(rng, int(length)) for length in rng.integers(5, 30, 120)]
    texts += [changed(rng, texts[i], int(rng.integers(1, 4))) for i in range(100)]
    joined = list(dict.fromkeys(" ".join(text) for text in texts))
    truth = set()
    for (i, a), (j, b) in combinations(enumerate(joined), 2):
        one, other = a.split(" "), b.split(" ")
        if distance(one, other) <= allowed(one, other):
            truth.add((i, j))
    assert len(truth) > 40
    assert pairs_of(near_edits(joined)) == truth


@pytest.mark.parametrize(("words", "times"), [(8, 1), (11, 1), (12, 2), (30, 2), (56, 2)])
def test_a_copy_with_a_word_or_two_changed_is_found(words, times):
    rng = np.random.default_rng(words)
    text = drawn(rng, words)
    copy = list(text)
    for place in rng.choice(words, times, replace=False):
        copy[place] = "other"
    assert pairs_of(near_texts([" ".join(text), " ".join(copy).upper() + "!", sentence(3)])[0]) == {(0, 1)}


@pytest.mark.parametrize(("words", "times"), [(7, 1), (11, 2), (20, 3)])
def test_shorter_texts_and_more_words_are_another_text(words, times):
    text = [f"a{i}" for i in range(words)]
    other = [f"b{i}" if i < times else word for i, word in enumerate(text)]
    assert near_edits([" ".join(text), " ".join(other)]).tolist() == []


def test_a_form_that_many_fill_is_no_copy():
    """Up to three may be copies of one text; a fourth shows that the word is meant to differ."""
    fill = [f"please rate this book {n} out of six points" for n in ("zero", "one", "two", "three")]
    assert pairs_of(near_edits(fill[:TEMPLATE])) == set(combinations(range(TEMPLATE), 2))
    assert near_edits(fill).tolist() == []


def test_the_search_in_parts_finds_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    texts = [drawn(rng, 14) for _ in range(60)]
    texts += [changed(rng, text, 2) for text in texts]
    joined = list(dict.fromkeys(" ".join(text) for text in texts))
    whole = pairs_of(near_edits(joined))
    monkeypatch.setattr(module, "AT_ONCE", 1000)
    assert pairs_of(near_edits(joined)) == whole and len(whole) >= 55


def test_an_apostrophe_or_none_makes_no_other_text():
    assert pairs_of(near_texts(["I don't know", "i don\u2019t know", "i dont know"])[0]) == {(0, 1), (0, 2)}
