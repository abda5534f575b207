"""The study of coverage: its worlds are what they say, it goes on where it was, and it counts right."""

from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import coverage, covered
from benchmarks.power import SETTINGS, power
from benchmarks.worlds import FIRST, LENGTH, PLAIN, TELLING, WORLDS, texts_of, tokenizer
from warmstart.base.events import read_events

RELATED, UNEVEN, NOISE, FRESH = WORLDS


# worlds


def test_fresh_rows_have_the_world_s_classes_and_the_words_of_their_topics():
    tokens_NL, label_N = UNEVEN.draw(20_000, np.random.default_rng(0))
    assert np.bincount(label_N) / 20_000 == pytest.approx(UNEVEN.shares, abs=0.01)
    topic_NL = (tokens_NL - FIRST - PLAIN) // TELLING
    telling_NL = topic_NL >= 0
    assert telling_NL.mean() == pytest.approx(UNEVEN.clear, abs=0.01)
    of_class = [
        np.isin(topic_NL[label_N == c][telling_NL[label_N == c]], t).mean()
        for c, t in enumerate(UNEVEN.topics)
    ]
    assert of_class[0] > 0.9, "the noise of the labels apart"


def test_in_the_world_of_noise_the_words_say_nothing_of_the_label():
    tokens_NL, label_N = NOISE.draw(40_000, np.random.default_rng(1))
    counts = [np.bincount(tokens_NL[label_N == c].ravel(), minlength=300)[FIRST:] for c in (0, 1)]
    used = [c[c + d > 0] for c, d in (counts, counts[::-1])]
    from scipy.stats import chi2_contingency

    assert chi2_contingency(np.stack(used)).pvalue > 0.001
    assert not NOISE.differs


def test_texts_are_read_as_the_tokens_that_the_truth_is_asked_of():
    tokens_NL, _ = RELATED.draw(50, np.random.default_rng(2))
    read = tokenizer()(texts_of(tokens_NL))["input_ids"]
    assert [row[1:-1] for row in read] == tokens_NL.tolist()
    assert len(read[0]) == LENGTH + 2


# the study


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One run of the world of fresh weights."""
    place = tmp_path_factory.mktemp("coverage")
    coverage.study([5], [FRESH], place)
    return place


def test_a_run_leaves_a_line_with_the_truth_beside_every_interval_and_nothing_else(place):
    (line,) = read_events(place / "coverage.jsonl")
    assert (line["run"], line["world"]) == (5, "fresh")
    assert set(line["arms"]) == set(line["gaps"]) == {"full", "frozen", "scratch"}
    for _, _, (value, low, high, truth) in covered.intervals_of(line):
        assert low <= value <= high
        assert abs(value - truth) < 0.5
    assert not list(place.glob("run-*"))


def test_a_study_that_was_broken_off_within_a_line_does_only_what_is_not_there(place):
    log = place / "coverage.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + whole[: len(whole) // 2])
    coverage.study([5], [FRESH], place)
    assert [line["run"] for line in read_events(log)] == [5]
    log.write_bytes(whole)


# the figures


def line(run, world, low, verdict="cannot tell", truth=0.8):
    numbers = [0.8, low, 0.9, truth]
    kinds = [kind for kind in covered.SHOWN if kind not in ("gain", "gap")]
    arms = {arm: dict.fromkeys(kinds, numbers) for arm in ("full", "frozen", "scratch")}
    gains = {"frozen": [0.0, -0.1, 0.1, 0.0, 1.0, 0.0], "scratch": [0.02, -0.05, 0.1, 0.01, 0.4, 20.0]}
    return {
        "run": run, "world": world, "verdict": verdict, "recommended": "full", "planned": "full",
        "detectable": 0.1, "seconds": 1.0, "arms": arms, "gains": gains, "gaps": {"full": numbers},
    }  # fmt: skip


LINES = [
    line(0, "related", 0.7),
    line(1, "related", 0.85),
    line(2, "noise", 0.7),
    line(3, "noise", 0.7, "worth it"),
]


def test_the_share_of_runs_whose_interval_holds_the_truth_is_counted():
    assert covered.coverage(LINES, "accuracy")["share"] == 0.75
    assert covered.coverage(LINES, "accuracy", "related")["share"] == 0.5
    assert covered.coverage(LINES, "accuracy")["too_high"] == 0.25, "one lies above the truth"
    assert covered.coverage(LINES, "accuracy", "fresh") is None


def test_arms_of_one_run_are_no_sample_of_their_own():
    """All three arms answer the same test rows."""
    found = covered.coverage(LINES, "accuracy")
    error = 1.96 * np.std([1, 0, 1, 1], ddof=1) / 2
    assert found["intervals"] == 12
    assert (found["runs"], found["high"] - found["share"]) == (4, pytest.approx(min(0.25, error), abs=1e-3))


def test_a_gain_between_models_that_no_row_tells_apart_is_no_trial():
    assert covered.coverage(LINES, "gain")["intervals"] == 4


def test_false_verdicts_are_those_that_the_measured_models_belie():
    found = covered.verdicts(LINES)
    assert found["worth_it_where_nothing_differs"]["share"] == 0.5
    assert found["worth_it_without_a_gain"]["share"] == 0.25
    assert found["said"]["noise"] == {"cannot tell": 1, "worth it": 1}


def test_bars_that_are_missed_are_told():
    told = list(covered.misses(covered.figures(LINES, [{"metric": "accuracy", "rows": 9, "power": 0.5}])))
    assert any("accuracy hold the truth in 75.0 %" in sentence for sentence in told)
    assert any("worth it in 50.0 %" in sentence for sentence in told)
    assert any("power 0.50" in sentence for sentence in told)


def test_tables_and_plot_show_every_kind_of_interval():
    power = {"metric": "accuracy", "rows": 150, "detectable": 0.1, "power": 0.8}
    found = covered.figures(LINES, [power])
    assert all(f"| {kind} | " in covered.tables(found) for kind in covered.SHOWN)
    drawn = ElementTree.fromstring(covered.plot(found))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(drawn.iter("{http://www.w3.org/2000/svg}g"))) == len(covered.SHOWN) * 3


@pytest.mark.parametrize("place", [0, 2], ids=["accuracy", "log_loss"])
def test_the_printed_difference_is_shown_about_four_times_in_five(place):
    assert 0.72 <= power(*SETTINGS[place], 200)["power"] <= 0.9
