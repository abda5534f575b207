"""The statistics of the suite, on costs that are known beforehand."""

import pytest

from benchmarks.baseline import read_baseline, regressions, update
from benchmarks.figures import Figures, same_result, spread
from benchmarks.pairs import Contender, Failed, Ran, alternate
from benchmarks.work.work import Work

WORK = Work("text", "a network", "some data", 1, 1e-3)


def ran(name, cpu, accuracy=0.8, losses=(1.0, 0.5), peak=100.0, **said):
    said = {"cpu": cpu, "wall": cpu, "losses": list(losses), "accuracy": accuracy, **said}
    return Ran(name, said, cpu + 1, cpu + 1, peak)


def measured(rounds, ours="ours", held=400):
    figures = Figures("P0")
    names = list(dict.fromkeys(run.name for each in rounds for run in each))
    figures.add("net", rounds, names, ours, held)
    return figures.table()


def test_a_ratio_is_the_median_of_the_ratios_within_rounds():
    slow_hour = [ran("ours", 10), ran("peer", 20)]  # twice as dear, in a round where all is slow
    rounds = [[ran("ours", 1), ran("peer", 3)], slow_hour, [ran("ours", 2), ran("peer", 8)]]
    assert measured(rounds)["ratios"] == {"net/peer": {"value": 3.0, "low": 2.0, "high": 4.0}}


def test_memory_is_ours_over_theirs():
    assert measured([[ran("ours", 1, peak=50), ran("peer", 1, peak=200)]])["memory"] == {"net/peer": 0.25}


def test_costs_are_for_each_operation_where_scripts_count_them():
    rounds = [[ran("ours", 2, amount=1e9), ran("peak", 1, amount=2e9)]]
    assert measured(rounds)["ratios"]["net/peak"]["value"] == 0.25  # a quarter of the peak


def test_a_side_that_counts_alone_is_compared_by_the_whole():
    assert measured([[ran("ours", 2, amount=1e9), ran("peer", 1)]])["ratios"]["net/peer"]["value"] == 0.5


def test_results_differ_beyond_the_doubt_of_the_rows():
    near, far = [ran("peer", 1, 0.84)], [ran("peer", 1, 0.6)]
    assert same_result([ran("ours", 1, 0.8)], near, held=400)
    assert not same_result([ran("ours", 1, 0.8)], far, held=400)
    assert same_result([ran("ours", 1, 0.8)], far, held=20)


def test_seeds_that_scatter_widen_the_doubt():
    ours, near = [ran("ours", 1, a) for a in (0.42, 0.48, 0.44)], [0.58, 0.56, 0.57]
    scattered = [0.58, 0.34, 0.76]
    assert not same_result(ours, [ran("peer", 1, a) for a in near], held=2000)
    assert same_result(ours, [ran("peer", 1, a) for a in scattered], held=2000)


def test_a_side_that_did_not_learn_is_no_same_result():
    assert not same_result([ran("ours", 1)], [ran("peer", 1, losses=(0.5, 0.6))], held=400)


def test_a_row_without_our_side_says_what_the_others_cost():
    table = measured([[ran("peer", 3)]], ours=None)
    assert table["ratios"] == {} and table["same_result"] is False
    assert table["figures"]["net/peer"]["cpu_seconds"] == spread([3])


def test_a_run_that_failed_is_said_and_the_other_rounds_count():
    rounds = [[ran("ours", 1), ran("peer", 2)], [ran("ours", 1)]]
    table = measured(rounds)
    assert table["ratios"]["net/peer"]["value"] == 2
    assert table["figures"]["failed"] == ["net/peer: 1 of 2 runs"]


def test_contenders_take_turns_and_every_round_has_its_seed(tmp_path):
    seen = []

    def runner(contender, work, place):
        seen.append((contender.name, work.seed))
        if contender.name == "broken":
            raise Failed("broken")
        return ran(contender.name, 1)

    sides = [Contender(name, ()) for name in ("one", "broken", "two")]
    rounds = list(alternate(sides, WORK, 2, tmp_path, str, runner))
    assert seen == [("one", 0), ("broken", 0), ("two", 0), ("two", 1), ("broken", 1), ("one", 1)]
    assert [[run.name for run in each] for each in rounds] == [["one", "two"]] * 2


def test_a_library_that_is_absent_is_named():
    assert Contender("peer", (), needs=("json", "no_such_library")).missing() == ["no_such_library"]


@pytest.mark.parametrize(("cost", "said"), [(1.85, 0), (1.75, 1)])
def test_more_than_a_tenth_below_the_baseline_is_a_regression(tmp_path, cost, said):
    path = tmp_path / "baseline.json"
    update(measured([[ran("ours", 1), ran("peer", 2)]]), path)
    now = measured([[ran("ours", 1), ran("peer", cost)]])
    assert len(regressions(now, read_baseline(path))) == said


def test_more_memory_than_the_baseline_is_a_regression(tmp_path):
    path = tmp_path / "baseline.json"
    update(measured([[ran("ours", 1), ran("peer", 2)]]), path)
    assert len(regressions(measured([[ran("ours", 1, peak=120), ran("peer", 2)]]), read_baseline(path))) == 1


def test_a_row_that_the_baseline_lacks_is_not_judged(tmp_path):
    now = measured([[ran("ours", 1), ran("peer", 0.1)]])
    assert regressions(now, read_baseline(tmp_path / "none.json")) == []


def test_language_models_are_compared_by_their_losses_on_the_validation_rows():
    def lost(loss, losses=(9.0, 5.0)):
        return Ran("x", {"cpu": 1, "wall": 1, "losses": list(losses), "validation_loss": loss}, 1, 1, 1)

    assert same_result([lost(5.0)], [lost(5.04)], held=100)
    assert not same_result([lost(5.0)], [lost(5.2)], held=100)
    assert not same_result([lost(5.0)], [lost(5.0, (5.0, 9.0))], held=100)
    scattered = [lost(4.9), lost(5.3), lost(5.1)]
    assert same_result([lost(4.8), lost(5.0), lost(5.1)], scattered, held=100)


def test_a_new_baseline_keeps_the_peers_that_were_left_out(tmp_path):
    path = tmp_path / "baseline.json"
    update(measured([[ran("ours", 1), ran("peer", 2), ran("other", 3)]]), path)
    update(measured([[ran("ours", 1), ran("peer", 4)]]), path)
    (row,) = read_baseline(path).values()
    assert sorted(row["ratios"].values()) == [3.0, 4.0]
