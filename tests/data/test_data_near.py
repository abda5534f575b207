"""Near-duplicates: what was planted is found, what is merely similar is not, and the cost is bounded."""

from itertools import combinations

import numpy as np
import pytest
from data_files import image_bytes, picture, sentence
from drafts import draft_of
from PIL import Image, ImageDraw, ImageEnhance

from warmstart.data import near
from warmstart.data.near import components, equal_neighbours, near_pairs
from warmstart.data.near_images import near_images
from warmstart.data.near_texts import ALIKE, by_words, jaccard, near_texts, normalise
from warmstart.data.prints import look_at


def pairs_of(found: np.ndarray) -> set[tuple[int, int]]:
    return {(min(a, b), max(a, b)) for a, b in found.tolist()}


def long_text(number: int) -> str:
    """60 words, different for every number."""
    return " ".join(sentence(number * 10 + i) for i in range(9))


# --------------------------------------------------------------------------------------------------- texts


def test_what_normalisation_makes_equal_is_found():
    texts = ["Where is my card?", "where is MY card", "Where  is\tmy card!!", "where is your card"]
    assert pairs_of(near_texts(texts)[0]) == {(0, 1), (0, 2)}


def test_planted_near_duplicates_of_long_texts_are_found_and_nothing_else():
    rng = np.random.default_rng(0)
    texts = [long_text(i) for i in range(150)]
    planted = set()
    for i in range(100):
        words = texts[i].split()
        words[rng.integers(len(words))] = "changed"  # one of 63 words: 3 of 61 shingles
        planted.add((i, len(texts)))
        texts.append(" ".join(words))
    assert pairs_of(near_texts(texts)[0]) == planted


def test_planted_near_duplicates_of_short_texts_are_found_and_nothing_else():
    texts = [sentence(i) for i in range(300)]
    planted = {(i, 300 + i) for i in range(100)}
    texts += [texts[i] + "s" if i % 2 else texts[i].replace(" ", ", ", 1) for i in range(100)]
    assert pairs_of(near_texts(texts)[0]) == planted


def test_the_search_agrees_with_every_pair_compared():
    """Recall against brute force, on texts with so many words changed that similarities go from 0.4 to 1."""
    rng = np.random.default_rng(1)
    texts = [long_text(i % 30) for i in range(300)]
    for i in range(30, 300):
        words = texts[i].split()
        for place in rng.integers(0, len(words), rng.integers(0, 12)):
            words[place] = f"new{rng.integers(1000)}"
        texts[i] = " ".join(words)
    bags = [by_words(normalise(text)) for text in texts]
    truth = {(a, b): jaccard(bags[a], bags[b]) for a, b in combinations(range(len(texts)), 2)}
    found = pairs_of(near_texts(texts)[0])
    certain = {pair for pair, value in truth.items() if value >= 0.9}
    alike = {pair for pair, value in truth.items() if value >= ALIKE}
    assert len(certain) > 50 and len(alike) > 100
    linked = components(
        len(texts), np.array(sorted(found))
    )  # equal texts are linked through the first of them
    recall = (
        np.mean([linked[a] == linked[b] for a, b in certain]),
        np.mean([linked[a] == linked[b] for a, b in alike]),
    )
    assert recall[0] == 1 and recall[1] >= 0.95
    assert all(truth[pair] >= ALIKE for pair in found)


@pytest.mark.parametrize("words", [14, 15, 16, 17, 18])
def test_texts_on_the_border_of_short_and_long_meet(words):
    text = " ".join(f"word{i}" for i in range(words))
    assert pairs_of(near_texts([text, text + " so", sentence(1)])[0]) == {(0, 1)}


@pytest.mark.parametrize(
    "texts",
    [
        ["Play some 1959 songs", "Play some 1984 songs"],
        ["I like it", "I dislike it"],
        ["yes", "no"],
        ["a", "b"],
        ["\U0001f600", "\U0001f622"],
        ["!!!", "???"],
    ],
)
def test_short_texts_that_mean_something_else_are_apart(texts):
    assert pairs_of(near_texts(texts)[0]) == set()


def test_texts_without_blanks_between_words_are_compared_by_characters():
    text = "".join(chr(0x4E00 + 7 * i) for i in range(30))
    assert pairs_of(near_texts([text, text + "\u5440", text[::-1]])[0]) == {(0, 1)}


def test_a_heap_of_alike_texts_costs_no_quadratic_number_of_comparisons():
    """2,000 lines that differ in one number would be 2 million pairs."""
    texts = [f"connection to the central database server lost after {i} seconds" for i in range(2000)]
    found, capped = near_texts(texts)
    assert capped and len(found) < 100 * len(texts)
    assert len(set(components(2000, found))) < 50  # still nearly all in one cluster


def test_heaps_are_paired_whole_up_to_the_reach():
    keys = np.array([3, 1, 3, 2, 3, 1])
    found, capped = equal_neighbours(keys)
    assert pairs_of(found) == {(0, 2), (0, 4), (2, 4), (1, 5)} and not capped


def test_a_large_heap_meets_its_neighbours_and_its_heads():
    found, capped = equal_neighbours(np.zeros(300, int), whole=20, few=5, heads=2)
    near_ones = {(i, i + step) for step in range(1, 6) for i in range(300 - step)}
    assert capped and pairs_of(found) == near_ones | {
        (head, i) for head in (0, 1) for i in range(head + 6, 300)
    }


# -------------------------------------------------------------------------------------------------- images


def searched(images: list[bytes]) -> set[tuple[int, int]]:
    prints = look_at(images)
    found, capped = near_images(np.array([p.dhash for p in prints], np.uint64), [p.thumb for p in prints])
    assert not capped
    return pairs_of(found)


def again(number: int) -> bytes:
    """The picture as it comes back from a phone: smaller, brighter, compressed."""
    image = picture(number, 96)
    if number % 3 == 0:
        image = image.resize((70, 70))
    if number % 3 == 1:
        image = ImageEnhance.Brightness(image).enhance(1.08)
    return image_bytes(image, "JPEG", quality=55)


def test_planted_copies_of_photographs_are_found_and_nothing_else():
    images = [image_bytes(picture(i, 96)) for i in range(300)] + [again(i) for i in range(100)]
    found = searched(images)
    planted = {(i, 300 + i) for i in range(100)}
    assert len(found & planted) >= 99 and found <= planted


def test_small_drawings_are_found_again_in_another_size_and_others_are_not():
    """28 pixels and 27: no filter that takes whole pixels sees the same in both."""
    rng = np.random.default_rng(7)
    drawings = []
    for _ in range(60):
        image = Image.new("RGB", (28, 28))
        points = [tuple(map(int, point)) for point in rng.integers(4, 24, (4, 2))]
        ImageDraw.Draw(image).line(points, fill="white", width=3)
        drawings.append(image)
    sizes = [27, 29, 25]
    again = [d.resize((side, side)) for d, side in zip(drawings, sizes * 20, strict=True)]
    images = [image_bytes(d) for d in drawings] + [image_bytes(a, "JPEG", quality=85) for a in again]
    assert searched(images) == {(i, 60 + i) for i in range(60)}


def test_plain_images_are_not_glued_together():
    rng = np.random.default_rng(0)
    plain = [Image.new("RGB", (40, 40), tuple(rng.integers(0, 256, 3))) for _ in range(20)]
    noisy = [Image.fromarray((128 + rng.integers(-3, 4, (40, 40, 3))).astype(np.uint8)) for _ in range(20)]
    assert searched([image_bytes(image) for image in plain + noisy]) == set()


def test_drawings_on_an_empty_ground_are_told_apart():
    """Their hashes are nearly all zeros; the pixels decide."""

    def drawing(i: int) -> bytes:
        image = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(image).rectangle((4 + 4 * i, 30, 12 + 4 * i, 38), fill="black")
        return image_bytes(image)

    assert searched([drawing(i) for i in range(12)] + [drawing(3)]) == {(3, 12)}


def test_many_images_are_searched_in_parts_with_the_same_result(monkeypatch):
    images = [image_bytes(picture(i, 96)) for i in range(200)] + [again(i) for i in range(60)]
    whole = searched(images)
    monkeypatch.setattr("warmstart.data.near_images.EXACT_UP_TO", 10)
    assert searched(images) == whole and len(whole) >= 59


def test_hashes_within_four_bits_are_all_found_by_their_parts():
    """Brute force over random hashes with up to 6 flipped bits."""
    from warmstart.data.near_images import _by_parts, _each_with_each

    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 2**63, 200, dtype=np.uint64)
    flipped = [int(h) ^ sum(1 << int(b) for b in rng.permutation(64)[: i % 7]) for i, h in enumerate(hashes)]
    both = np.concatenate([hashes, np.array(flipped, np.uint64)])
    truth = {(a, b) for a, b in combinations(range(400), 2) if (int(both[a]) ^ int(both[b])).bit_count() <= 4}
    assert len(truth) > 100
    assert pairs_of(_each_with_each(both)[0]) == truth == pairs_of(_by_parts(both)[0])


# --------------------------------------------------------------------------------------------------- drafts


def test_the_search_in_large_data_takes_a_sample_with_all_brought_rows_and_says_so(monkeypatch):
    monkeypatch.setattr(near, "MOST_TEXTS", 60)
    texts = [sentence(i) for i in range(200)] + [sentence(i) + "!" for i in range(20)]
    draft = draft_of(texts, ["a", "b"] * 110, splits=["train"] * 200 + ["test"] * 20)
    pairs, note = near_pairs(draft)
    assert "60 of 220 rows" in note
    assert pairs_of(pairs) <= {(i, 200 + i) for i in range(20)} and len(pairs) >= 1


def test_rows_of_the_same_digest_are_always_paired(monkeypatch):
    monkeypatch.setattr(near, "MOST_TEXTS", 5)
    draft = draft_of([*map(sentence, range(50)), sentence(0), sentence(0)], ["a", "b"] * 26)
    assert {(0, 50), (0, 51)} <= pairs_of(near_pairs(draft)[0])
