"""The ranking: who is first, why, how sure, and what speaks against it."""

import json
import re

import numpy as np
import pytest

from warmstart.base.errors import WarmstartError
from warmstart.base.tables import to_table
from warmstart.base.types import Candidate
from warmstart.select.rank import blind_places, rank

ROWS = 240
LABELS = np.arange(ROWS) % 3
MEANS = np.random.default_rng(99).normal(size=(3, 16))


def features(strength, seed, columns=24):
    """Features in which the class means of the same 16 directions stand out by `strength`."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(ROWS, columns))
    noise[:, :16] += strength * MEANS[LABELS]
    return noise


def candidate(name, parameters=10_000_000, accuracy=None):
    return Candidate(name, f"zoo:{name}", parameters, source_accuracy=accuracy)


def ranked(named, labels=LABELS, **settings):
    """Rank {candidate: features, or {group: features}}."""
    table = {c.source: f if isinstance(f, dict) else {"top": f} for c, f in named.items()}
    return rank(list(named), table, labels, seconds={c.source: 1.5 for c in named}, **settings)


def names(ranking):
    return [s.candidate.name for s in ranking.scored]


def reasons(ranking, rule):
    return [r for r in ranking.reasons if r.rule == rule]


@pytest.fixture(scope="module")
def three():
    """A strong large model, a weak small one and noise; three layers in the strong one."""
    layers = {"embed": features(0.1, 1), "low": features(0.3, 2), "high": features(0.6, 3)}
    return ranked(
        {
            candidate("noise", 1_000_000, accuracy=0.9): features(0, 4),
            candidate("strong", 90_000_000, accuracy=0.8): layers,
            candidate("weak", 5_000_000): features(0.3, 5),
        }
    )


def test_the_best_features_are_first_and_the_reason_names_the_runner_up_and_the_interval(three):
    assert names(three) == ["strong", "weak", "noise"]
    assert three.best.candidate.name == "strong"
    (reason,) = reasons(three, "score")
    assert reason.so == "strong is first: it beats the runner-up, weak"
    assert "difference +" in reason.saw and "[+" in reason.saw


def test_each_candidate_has_its_score_opinions_accuracy_depths_and_seconds(three):
    strong, weak, noise = three.scored
    assert strong.score.low < strong.score.value < strong.score.high < 0
    assert strong.score.n == strong.accuracy.n == ROWS
    assert "bootstrap" in strong.score.how
    assert set(strong.opinions) == {"logme", "knn", "h_score"}
    assert all(strong.opinions[o] > noise.opinions[o] for o in strong.opinions)
    assert 0.7 < strong.accuracy.value <= 1 and 0.2 < noise.accuracy.value < 0.5
    assert list(strong.depths) == ["embed", "low", "high"]
    assert strong.depths["embed"] < strong.depths["low"] < strong.depths["high"]
    assert strong.depths["high"] == pytest.approx(strong.score.value, abs=0.05)
    assert [s.seconds for s in three.scored] == [1.5] * 3


def test_the_data_blind_order_is_printed_with_whether_it_agrees(three):
    (reason,) = reasons(three, "data-blind order")
    assert "1. noise (1,000,000 parameters, published accuracy 0.900); 2. strong" in reason.saw
    assert "disagrees: it would have put noise first" in reason.so
    assert {s.candidate.name: s.prior for s in three.scored} == {"noise": 1, "strong": 2, "weak": 3}


def test_a_ranking_is_json(three):
    assert json.loads(json.dumps(to_table(three), allow_nan=False))["score"] == "logistic_probe"


def test_one_published_accuracy_is_no_order_so_size_decides():
    small, large = candidate("small", 1, accuracy=0.9), candidate("large", 2)
    assert blind_places([small, large]) == {"zoo:large": 1, "zoo:small": 2}
    medium = candidate("medium", 3, accuracy=0.95)
    assert blind_places([small, large, medium]) == {"zoo:medium": 1, "zoo:small": 2, "zoo:large": 3}


def test_what_the_rows_cannot_tell_apart_is_decided_for_the_smaller_model():
    same = features(0.5, 1)
    nearly = same + np.random.default_rng(2).normal(size=same.shape) * 0.03
    large, small = candidate("large", 110_000_000), candidate("small", 22_000_000)
    worse = candidate("worse", 1_000)
    for best, other in ((same, nearly), (nearly, same)):
        ranking = ranked({large: best, small: other, worse: features(0.25, 3)})
        assert names(ranking) == ["small", "large", "worse"]
        (reason,) = reasons(ranking, "score")
        assert "cannot tell it from large" in reason.so
        assert "smaller (22,000,000 against 110,000,000 parameters)" in reason.so


def test_behind_the_first_candidates_follow_by_score_whatever_their_size():
    same = features(0.5, 1)
    nearly, less = (same + np.random.default_rng(2).normal(size=same.shape) * doubt for doubt in (0.03, 0.06))
    best, middle, small = (candidate(name, size) for name, size in (("best", 3), ("middle", 2), ("small", 1)))
    ranking = ranked({small: less, middle: nearly, best: same}, opinions=())
    first, *others = ranking.scored
    assert first.candidate is small
    assert [s.score.value for s in others] == sorted((s.score.value for s in others), reverse=True)
    assert {s.candidate.name for s in others} == {"best", "middle"}


def test_size_alone_never_prefers_a_model_that_does_not_beat_the_class_frequencies():
    """On 48 rows the interval of the difference holds 0 even against this noise."""
    rows = np.arange(48)
    good, noise = features(0.45, 0)[rows, :16], features(0, 4)[rows, :4]
    large, small = candidate("large", 110_000_000), candidate("small", 1_000)
    ranking = ranked({small: noise, large: good}, LABELS[rows])
    assert names(ranking) == ["large", "small"]
    (reason,) = reasons(ranking, "score")
    assert reason.so == "large is first: small is smaller, but not shown to beat the class frequencies"
    assert "[-0." in reason.saw  # the interval
    assert not reasons(ranking, "floor")


def test_a_second_opinion_that_differs_is_said():
    """Two classes apart in angle alone: neighbours see it, a line cannot."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 300)
    labels = (np.floor(angle / (np.pi / 4)) % 2).astype(int)
    wheel = np.column_stack([np.cos(angle), np.sin(angle)]) * random.uniform(0.5, 2, (300, 1))
    line = random.normal(size=(300, 8))
    line[:, 0] += labels * 0.9
    ranking = ranked({candidate("wheel"): wheel, candidate("line"): line}, labels)
    assert names(ranking) == ["line", "wheel"]
    says = [r.so for r in reasons(ranking, "second opinion")]
    assert says == ["scores disagree: knn prefers wheel"]


def test_when_all_are_noise_it_is_said_that_even_the_best_is_no_better_than_the_floor():
    ranking = ranked({candidate(f"noise{i}"): features(0, i, columns=40) for i in range(3)})
    (reason,) = reasons(ranking, "floor")
    assert "-1.099 of the class frequencies" in reason.saw
    assert reason.so.startswith("even the best is not shown to be better")


def test_a_candidate_that_beats_the_floor_takes_the_warning_away(three):
    assert not reasons(three, "floor")


def test_one_candidate_is_a_ranking_too():
    ranking = ranked({candidate("only"): features(0.5, 1)})
    assert names(ranking) == ["only"]
    assert [r.rule for r in ranking.reasons] == ["score"]
    assert "only candidate" in ranking.reasons[0].so


def test_features_that_cannot_be_used_put_a_candidate_last_with_a_reason():
    broken, infinite, flat, huge = (features(0.9, i) for i in range(4))
    broken[3, 4], infinite[5, 6] = np.nan, np.inf
    flat[:], huge[:] = 2.5, huge * 1e300
    good = features(0.3, 5)
    ranking = ranked(
        {
            candidate("nan", 1): broken,
            candidate("inf", 1): infinite,
            candidate("flat", 1): flat,
            candidate("huge", 1): huge,
            candidate("good"): {"low": broken, "high": good},
        }
    )
    assert names(ranking) == ["good", "nan", "inf", "flat", "huge"]
    saw = [r.saw for r in reasons(ranking, "unusable features")]
    assert saw[0] == "nan: 1 of 5,760 feature values are not finite"
    assert saw[2] == "flat: the features are the same for all rows"
    assert "too large" in saw[3]
    assert saw[4] == "good, low: 1 of 5,760 feature values are not finite"
    assert list(ranking.best.depths) == ["high"]
    last = ranking.scored[-1]
    assert last.score.n == 0 and "not measured" in last.score.how
    assert last.score.value == pytest.approx(-np.log(3)) and last.accuracy.value == pytest.approx(1 / 3)
    json.dumps(to_table(ranking), allow_nan=False)


def test_the_layer_average_is_what_is_scored_where_there_is_one():
    average = features(0.6, 1)
    ranking = ranked(
        {
            candidate("averaged"): {"low": features(0.1, 2), "high": features(0.1, 3), "average": average},
            candidate("plain"): features(0.4, 4),
        }
    )
    assert names(ranking) == ["averaged", "plain"]
    assert list(ranking.best.depths) == ["low", "high"]


@pytest.mark.parametrize("score", ["knn", "logme", "h_score"])
def test_another_score_can_rank(score):
    ranking = ranked(
        {candidate("weak"): features(0.2, 1), candidate("strong"): features(0.8, 2)},
        score=score,
        opinions=("logistic_probe",),
    )
    assert names(ranking) == ["strong", "weak"]
    assert ranking.score == ranking.best.score.name == score
    assert list(ranking.best.opinions) == ["logistic_probe"]
    assert ranking.best.accuracy.name == "accuracy"
    assert reasons(ranking, "score")[0].so == "strong is first: it beats the runner-up, weak"


def answers(features):
    """A head of 24 classes that says no more than the features do."""
    shares = np.exp(features)
    return shares / shares.sum(1, keepdims=True)


def with_head(strength, seed):
    made = features(strength, seed)
    return {"top": made, "answers": answers(3 * made)}


def test_a_score_that_reads_the_heads_answers_ranks_those_that_have_a_trained_head():
    ranking = ranked(
        {
            candidate("headless"): features(0.9, 1),
            candidate("weak"): with_head(0.2, 2),
            candidate("strong"): with_head(0.8, 3),
        },
        score="leep",
    )
    assert names(ranking) == ["strong", "weak", "headless"]
    last = ranking.scored[-1]
    assert last.score.n == 0 and last.score.how == "not measured: it has no trained head"
    assert last.accuracy.n == ROWS and last.accuracy.value > 0.6
    assert list(ranking.best.depths) == ["top"]  # the answers are no layer group
    (reason,) = reasons(ranking, "absent score")
    assert reason.saw == "headless: it has no trained head"
    assert reason.so == "leep says nothing of headless, which is put behind those that it can score"
    assert "in-sample" in reasons(ranking, "caution")[0].so


def test_an_opinion_that_a_candidate_lacks_is_left_out_and_not_zero():
    ranking = ranked(
        {candidate("headless"): features(0.9, 1), candidate("headed"): with_head(0.3, 2)},
        opinions=("leep", "knn"),
    )
    assert names(ranking) == ["headless", "headed"]
    assert set(ranking.scored[0].opinions) == {"knn"}
    assert set(ranking.scored[1].opinions) == {"leep", "knn"}
    assert [r.so for r in reasons(ranking, "absent score")] == ["leep says nothing of headless"]
    assert not reasons(ranking, "caution")


def test_answers_that_are_not_finite_are_no_answers():
    broken = with_head(0.9, 1)
    broken["answers"][3, 2] = np.nan
    ranking = ranked({candidate("broken"): broken, candidate("whole"): with_head(0.2, 2)}, score="leep")
    assert names(ranking) == ["whole", "broken"]
    assert "not finite" in ranking.scored[1].score.how


def test_a_relative_score_ranks_a_pool_and_has_nothing_to_say_of_one():
    strong, weak = candidate("strong"), candidate("weak")
    table = {weak: features(0.2, 1), strong: features(0.9, 2), candidate("flat"): np.ones((ROWS, 3))}
    ranking = ranked(table, score="ncti")
    assert names(ranking) == ["strong", "weak", "flat"]
    assert ranking.best.score.value == pytest.approx(-ranking.scored[1].score.value)
    assert ranking.scored[-1].score.n == 0
    alone = ranked({strong: table[strong]}, opinions=("ncti",))
    assert not alone.best.opinions
    assert "relative" in reasons(alone, "absent score")[0].saw


@pytest.mark.parametrize("score, named", [("leep", 2), ("ncti", 1)])
def test_a_score_that_no_candidate_has_is_refused_with_advice(score, named):
    with pytest.raises(WarmstartError) as refusal:
        ranked({candidate(str(i)): features(0.5, i) for i in range(named)}, score=score)
    assert refusal.value.code == "no-usable-candidate"
    assert "logistic_probe" in refusal.value.do


@pytest.mark.parametrize("score", ["ridge", "bits_per_byte"])
def test_a_score_of_other_things_than_classes_is_refused(score):
    with pytest.raises(WarmstartError, match="these rows have classes") as refusal:
        ranked({candidate("a"): features(0.5, 1)}, score=score)
    assert refusal.value.code == "unfit-score"
    assert "leep" in refusal.value.do and "ridge" not in refusal.value.do


def test_the_same_seed_gives_the_same_ranking_and_other_candidates_do_not_matter():
    one, two = candidate("one"), candidate("two")
    table = {one: features(0.3, 1), two: features(0.4, 2)}
    both = ranked(table)
    assert ranked(table) == both
    assert ranked({one: table[one]}).best.score == next(s for s in both.scored if s.candidate is one).score
    assert ranked(table, seed=1, opinions=()).best.score != both.best.score


def test_groups_widen_the_interval():
    few = np.repeat(features(0.5, 1)[:60], 4, axis=0)
    labels, groups = np.repeat(LABELS[:60], 4), np.repeat(np.arange(60), 4)
    free = ranked({candidate("a"): few}, labels).best.score
    whole = ranked({candidate("a"): few}, labels, groups_N=groups).best.score
    assert "60 groups" in whole.how
    assert whole.value < free.value  # copies in training no longer answer for copies under test
    assert whole.high - whole.low > free.high - free.low


def test_a_class_with_one_row_is_no_obstacle():
    labels = LABELS.copy()
    labels[0] = 3
    ranking = ranked({candidate("a"): features(0.5, 1), candidate("b"): features(0.2, 2)}, labels)
    assert names(ranking) == ["a", "b"]
    assert np.isfinite(ranking.best.score.value)


@pytest.mark.parametrize(
    "named, labels, code",
    [
        ({}, LABELS, "no-candidate"),
        ({candidate("a"): features(1, 1)}, np.zeros(ROWS, dtype=int), "one-class"),
        ({candidate("a"): features(1, 1) * np.nan}, LABELS, "no-usable-candidate"),
        ({candidate("a"): features(1, 1), candidate("a", 2): features(1, 1)}, LABELS, "same-candidate-twice"),
    ],
)
def test_what_cannot_be_ranked_is_refused_with_advice(named, labels, code):
    with pytest.raises(WarmstartError) as refusal:
        ranked(named, labels)
    assert refusal.value.code == code
    assert refusal.value.do


def test_how_far_each_is_behind_the_best_score_is_paired_on_the_same_rows(three):
    strong, weak, noise = (s.behind for s in three.scored)
    assert (strong.value, strong.low, strong.high) == (0, 0, 0)
    assert 0 < weak.low < weak.value < weak.high
    assert noise.value == pytest.approx(three.scored[0].score.value - three.scored[2].score.value)


def test_a_smaller_one_is_not_taken_where_it_is_expected_to_cost_accuracy():
    small = features(0.45, 8)
    ranking = ranked({candidate("large", 9_000_000): features(0.5, 7), candidate("small", 1_000_000): small})
    (reason,) = reasons(ranking, "score")
    large, other = ranking.scored
    assert large.candidate.name == "large"
    assert other.behind.low <= 0, "the rows cannot tell them apart"
    lacks = float(
        re.fullmatch(r"large is first: small is smaller, but expected to be (.*) points .*", reason.so)[1]
    )
    seen = 100 * (large.accuracy.value - other.accuracy.value)
    assert 0.25 <= lacks < seen / (1 + (0.03 / 0.05) ** 2), "drawn towards no difference, by its rows too"
