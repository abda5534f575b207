"""Data whose right answer is known, through the whole street: is what is there found, and nothing else?"""

from pathlib import Path

import numpy as np
import pytest

import street_world
from warmstart import process
from warmstart.base.rows import Rows

OTHER_WORDS = {"bad": "negative", "good": "positive"}  # so that the head that was learned cannot be kept


@pytest.fixture(scope="module")
def informed(tmp_path_factory) -> Path:
    """A model that was trained, by our own loop, on texts of the same telling words with other labels."""
    place = tmp_path_factory.mktemp("informed")
    rows = [(text, "ab"[label == "good"]) for text, label in street_world.reviews(300, seed=77)]
    data = street_world.write_csv(place / "source.csv", rows)
    model = street_world.text_model(place / "fresh", seed=5)
    _, folder = process.plan(data, runs=place / "runs", models=(str(model),), strategy="scratch")
    process.tune(folder)
    return folder / "training" / "scratch" / "model"


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> tuple[Path, Path]:
    """36 labelled texts to learn from, and 150 to prove: too few to count words from them alone."""
    return parted(tmp_path_factory.mktemp("few"), 36)


def parted(place, count):
    rows = [(text, OTHER_WORDS[label]) for text, label in street_world.reviews(count + 150, seed=3)]
    parts = {"train.csv": rows[:count], "test.csv": rows[count:]}
    train, test = (street_world.write_csv(place / name, part) for name, part in parts.items())
    return train, test


@pytest.fixture(scope="module")
def chosen(informed, few, world, tmp_path_factory):
    """The whole street with an informed model, two random ones, and few labels."""
    train, test = few
    models = (str(world / "text-model"), str(informed), str(world / "text-model-2"))
    return process.run(train, runs=tmp_path_factory.mktemp("runs"), models=models, test=str(test))


def test_the_informed_model_is_ranked_above_random_ones(chosen, informed):
    first, *others = chosen.ranking
    assert first.source == str(informed)
    assert all(first.low > other.high for other in others), "beyond doubt, not by luck"
    assert first.accuracy.value > 0.9
    assert chosen.plan.model == str(informed)


def test_where_knowledge_helps_it_is_worth_it(chosen):
    assert chosen.verdict == "worth it"
    assert chosen.recommended != "scratch"
    gain = chosen.gains["scratch"]
    assert gain.low > 0
    assert gain.p < 0.05
    assert chosen.runs[chosen.recommended].metrics["accuracy"].value > 0.9


def test_where_counting_words_does_as_well_it_is_not_called_worth_it(informed, tmp_path):
    """The same world with 120 rows to learn from, which tell the words without any model."""
    train, test = parted(tmp_path, 120)
    result = process.run(train, runs=tmp_path, models=(str(informed),), test=str(test), strategy="frozen")
    assert result.runs["baseline"].metrics["accuracy"].value > 0.95
    assert result.verdict != "worth it"
    assert "a bag of words (TF-IDF with logistic regression) answers" in result.headline


def test_a_leaked_row_is_found_and_taken_out(world, tmp_path):
    rows = street_world.reviews(130, seed=11)
    train = street_world.write_csv(tmp_path / "train.csv", rows[:90])
    leaked = [rows[7], rows[8], (rows[9][0].upper(), rows[9][1])]
    test = street_world.write_csv(tmp_path / "test.csv", [*rows[90:], *leaked])
    result = process.run(
        train, runs=tmp_path, models=(str(world / "text-model"),), test=str(test), strategy="frozen", rows=40
    )
    found = [f for f in result.findings if f.check == "leaks"]
    assert sum(f.count for f in found) >= 2
    assert all(f.level == "warning" for f in found)
    kept = Rows(Path(result.run) / "rows.arrow")
    by_split = {"train": set(), "validation": set(), "test": set()}
    for text, split in zip(kept.column("review"), kept.column("_split"), strict=True):
        by_split[split].add(text.lower())
    assert not by_split["test"] & (by_split["train"] | by_split["validation"])
    assert {row[0].lower() for row in leaked} & set.union(*by_split.values()), "one side keeps it"
    assert result.data.test == 43


def test_what_nothing_can_tell_is_said_so(world, tmp_path):
    """Labels drawn by chance: no model can be better than another, and forty rows cannot show that."""
    coins = np.random.default_rng(0).permutation(["bad", "good"] * 45)
    rows = [(text, coin) for (text, _), coin in zip(street_world.reviews(90, seed=21), coins, strict=True)]
    data = street_world.write_csv(tmp_path / "coins.csv", rows)
    result = process.run(data, runs=tmp_path, models=(str(world / "text-model"),))
    assert result.verdict == "cannot tell"
    assert result.detectable > 0.1
    assert all(gain.low <= 0 <= gain.high for gain in result.gains.values())
    assert "cannot tell" in result.headline.lower()


def test_where_the_pretrained_model_knows_nothing_scratch_is_not_beaten(text_run):
    """Random weights are no knowledge: fine-tuning them is never called worth it."""
    assert text_run.result.verdict != "worth it"
    assert text_run.result.gains.get("scratch") is None or text_run.result.gains["scratch"].low <= 0
