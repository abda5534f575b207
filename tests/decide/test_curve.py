"""A learning curve: what it predicts, how sure, and what it will not say."""

from collections import Counter

import numpy as np
import pytest
from curve_worlds import WORLDS, falling, flat, refusal_rate, simulate

from warmstart.base.errors import WarmstartError
from warmstart.decide.curves.curve import Curve, Prediction
from warmstart.decide.curves.fit import fit
from warmstart.decide.curves.noise import likeness
from warmstart.decide.curves.points import Point, past_few_shot, sizes
from warmstart.decide.curves.refusal import Refusal

SIZES = (50, 100, 200, 400)


def points(score, sizes=SIZES, rows=500, seeds=1):
    return [Point(n, rows * score(n), rows, seed) for n in sizes for seed in range(seeds)]


def power(n):
    return 0.95 - 3 * n**-0.6


def slow(n):
    """The scores of `power`, from three times the rows."""
    return power(n / 3)


@pytest.fixture(scope="module")
def curve():
    return fit(points(power))


@pytest.fixture(scope="module")
def noiseless():
    return fit(points(power, (50, 100, 200, 400, 700, 1000), rows=10**6, seeds=3))


def width(measure):
    return measure.high - measure.low


def code(answer):
    assert isinstance(answer, Refusal), answer
    return answer.code


# What it predicts


def test_a_curve_that_is_well_known_is_predicted_to_half_a_point(noiseless):
    for n, near in ((60, 0.005), (500, 0.003), (1000, 0.003), (2000, 0.005), (4000, 0.01)):
        predicted = noiseless.at(n)
        assert predicted.likely.value == pytest.approx(power(n), abs=near)
        assert predicted.likely.low < power(n) < predicted.likely.high


def test_the_95_percent_interval_holds_the_90_percent_interval_and_the_value(curve):
    at = curve.at(800)
    assert at.sure.low < at.likely.low < at.likely.value < at.likely.high < at.sure.high
    assert (at.likely.n, at.likely.name) == (500, "score")
    assert at.likely.how.endswith("90%") and at.sure.how.endswith("95%")


def test_predictions_never_fall_with_more_rows(curve):
    likely = [curve.at(n).likely for n in range(50, 1601, 50)]
    for ends in ("low", "value", "high"):
        assert (np.diff([getattr(m, ends) for m in likely]) >= -1e-12).all()


def test_the_further_the_less_sure_and_the_more_rows_the_surer(curve):
    widths = [width(curve.at(n).likely) for n in (400, 800, 1600)]
    assert widths == sorted(widths)
    assert width(fit(points(power, rows=4000, seeds=3)).at(800).likely) < 0.75 * widths[1]


def test_a_measurement_is_less_sure_than_the_truth_and_known_rows_are_surer_than_fresh(curve):
    def doubt(**asked):
        return width(curve.at(800, **asked).likely)

    assert doubt() < doubt(trainings=1) < doubt(trainings=1, rows=500)
    assert doubt(trainings=1, same_rows=True) < doubt(trainings=1, rows=500)


def test_the_doubt_of_shared_rows_is_not_averaged_away_by_seeds():
    one, many = (fit(points(power, seeds=k, rows=200)).at(400).likely for k in (1, 8))
    least = 2 * 1.645 * np.sqrt(0.3 * 0.13 * 0.87 / 200)  # likeness 0.3, a score of 87 %
    assert least < width(many) < width(one)


def test_trainings_that_differ_more_make_the_curve_less_sure():
    def jittered(sd):
        rng = np.random.default_rng(0)
        return [
            Point(n, 2000 * np.clip(power(n) + sd * z, 0, 1), 2000, s)
            for n in SIZES
            for s, z in enumerate(rng.standard_normal(4))
        ]

    calm, wild = (fit(jittered(sd)) for sd in (0.002, 0.04))
    assert np.median(calm.training_D) < np.median(wild.training_D)
    assert width(calm.at(1600).likely) < width(wild.at(1600).likely)


def test_the_order_of_points_changes_no_bit(curve):
    again = fit(reversed(points(power)))
    assert (again.angles_DG == curve.angles_DG).all()
    assert again.at(900) == curve.at(900)


def test_the_more_alike_trainings_answer_the_surer_a_gain_and_the_less_sure_the_score():
    rng = np.random.default_rng(0)
    same, own = rng.random(20000), rng.random((4, 20000))
    right = np.where(rng.random((4, 20000)) < 0.5, same, own) < 0.8
    assert likeness(right) == pytest.approx(0.25, abs=0.03)
    assert likeness(np.ones((3, 50), dtype=bool)) == 0
    unlike, alike = (fit(points(power, seeds=3), likeness=k) for k in (0.2, 0.9))
    assert width(alike.worth(400)) < width(unlike.worth(400))
    assert width(alike.at(400).likely) > width(unlike.at(400).likely)


def test_several_points_of_one_size_and_of_different_held_out_rows_are_one_curve():
    mixed = [*points(power), Point(100, 160, 200, 7), Point(400, 170, 200, 7)]
    assert isinstance(fit(mixed).at(800), Prediction)
    assert isinstance(fit(mixed, shared_rows=False).at(800), Prediction)


def test_nothing_is_predicted_below_guessing():
    late = fit(points(lambda n: 0.26 if n < 200 else 0.26 + 0.1 * np.log2(n / 100)), floor=0.25)
    assert late.at(50).sure.low >= 0.25


def test_no_score_and_a_full_score_are_numbers_like_others():
    steep = fit([Point(20, 0, 60), Point(80, 20, 60), Point(300, 45, 60)])
    assert 0 < steep.at(1200).likely.value < 1
    early = fit([Point(100, 60, 60), Point(200, 58, 60), Point(400, 55, 60)])
    assert isinstance(early, Curve) or early.code in ("falls", "ceiling")


def test_sizes_of_few_rows_per_class_are_left_out_where_enough_are_left():
    every = points(power, (20, 50, 100, 200, 400))
    assert sizes(past_few_shot(every, 10)) == (100, 200, 400)
    assert sizes(past_few_shot(every, 15)) == (20, 50, 100, 200, 400)
    kept = fit(every, classes=10)
    assert (kept.smallest, [p.n for p in kept.dropped]) == (100, [20, 50])


# What it is asked


def test_the_next_labels_are_worth_what_the_curve_gains(noiseless):
    worth = noiseless.worth(1000)
    assert worth.value == pytest.approx(power(2000) - power(1000), abs=0.003)
    assert 0 <= worth.low < worth.value < worth.high  # never negative
    assert noiseless.worth(500).value < worth.value < noiseless.worth(3000).value


def test_a_gain_is_surer_than_the_score(curve):
    assert width(curve.worth(400)) < width(curve.at(800).likely)


def test_rows_for_a_target_are_where_the_curve_comes_to_it(noiseless):
    needed = noiseless.needed(power(500))
    assert (needed.bound, needed.value) == ("", pytest.approx(500, rel=0.1))
    assert needed.low < 500 < needed.high


def test_a_target_out_of_reach_is_not_within_the_horizon(noiseless):
    refusal = noiseless.needed(0.99)
    assert code(refusal) == "horizon" and refusal.reason.so == "not within the horizon"


def test_a_target_that_may_lie_beyond_the_horizon_has_no_upper_end(curve):
    needed = curve.needed(0.93)
    assert needed.high is None and needed.low > 400


def test_a_target_below_the_smallest_size_is_a_bound(noiseless):
    needed = noiseless.needed(0.3)
    assert (needed.bound, needed.value, needed.low) == ("fewer than", 50, 0)


def test_a_curve_that_needs_three_times_the_rows_is_said_to(noiseless):
    scratch = fit(points(slow, (100, 200, 400, 700, 1000, 2000), rows=10**6, seeds=3))
    times = noiseless.times(scratch, power(400))
    assert times.value == pytest.approx(3, rel=0.2) and times.low < 3 < times.high
    back = scratch.times(noiseless, power(400))
    assert back.value == pytest.approx(1 / 3, rel=0.2)


def test_a_curve_that_never_gets_there_needs_more_than_its_horizon_says(noiseless):
    hopeless = fit(points(lambda n: power(n / 3) - 0.2, rows=10**5, seeds=3))
    times = noiseless.times(hopeless, power(400))
    assert (times.bound, times.high) == ("more than", None)
    assert times.low > 3 and times.value == pytest.approx(4 * 400 / 400, rel=0.3)


def test_two_curves_of_which_none_has_the_score_are_not_compared(noiseless, curve):
    assert code(noiseless.times(curve, 0.999)) == "horizon"


def test_no_answer_beyond_four_times_the_rows_or_below_the_smallest(curve):
    assert isinstance(curve.at(1600), Prediction)
    assert code(curve.at(1601)) == code(curve.at(49)) == code(curve.worth(1201)) == "horizon"


# What it refuses


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "sizes"),
        (points(power, (100, 200), seeds=3), "sizes"),
        (points(power, (100, 120, 150)), "span"),
        (points(power, rows=40), "rows"),
        (points(lambda n: 0.9 - 0.001 * n, (50, 100, 200)), "falls"),
        (points(lambda n: 1 - 1 / n, (50, 100, 200, 400)), "ceiling"),
        (points(lambda n: 0.5), "floor"),
    ],
)
def test_what_cannot_be_continued_is_refused_with_the_reason(given, why):
    refusal = fit(given, floor=0.5)
    assert code(refusal) == why
    assert refusal.reason.rule.startswith("learning curve: ") and refusal.reason.saw and refusal.reason.so


def test_a_fall_is_told_with_its_places():
    falling = fit([Point(100, 400, 500), Point(200, 450, 500), Point(400, 350, 500)])
    assert falling.reason.saw.startswith("90.0% at 200 rows, 70.0% at 400 rows, p 0.0")


def test_a_dip_that_noise_explains_is_not_refused():
    assert isinstance(fit([Point(100, 400, 500), Point(200, 440, 500), Point(400, 436, 500)]), Curve)


def test_points_that_cannot_be_are_refused():
    for wrong in ({"n": 0, "right": 1, "total": 2}, {"n": 5, "right": 3, "total": 2}):
        with pytest.raises(WarmstartError, match="no point of a learning curve"):
            Point(**wrong)


# How far its doubt can be trusted: curve_worlds.py has the larger version


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_flat_curve_is_seldom_said_to_fall(seeds):
    assert refusal_rate(flat, 150, seeds=seeds) <= 0.05
    assert refusal_rate(WORLDS["pow3"], 30, seeds=seeds) <= 0.05


def test_a_curve_that_falls_is_noticed():
    assert refusal_rate(falling(0.1), 40, sizes=(50, 100, 200, 400, 700, 1000)) >= 0.8


def test_the_truth_is_in_the_interval_as_often_as_is_said():
    rows = [row for name in WORLDS for row in simulate(name, 6, seed=1, draws=200, refusals=Counter())]
    assert np.mean([row.inside for row in rows]) >= 0.85
    assert np.mean([row.inside_sure for row in rows]) >= 0.9
    assert np.mean([row.seen_inside for row in rows]) >= 0.85
    assert np.median([row.width for row in rows if row.horizon == 2]) < 0.15
