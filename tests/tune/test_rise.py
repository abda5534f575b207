"""The rise above the lowest look: paired by row, within a phase, the same after a kill."""

import numpy as np
import pytest
import torch
from scipy.stats import ttest_rel

from warmstart.tasks._task import Look
from warmstart.tune.rise import Lowest


def look(losses, answers=1):
    return Look(torch.tensor(losses), torch.ones(len(losses)), torch.full((len(losses),), answers))


def test_the_rise_and_its_error_are_those_of_a_paired_t_test():
    rng = np.random.default_rng(0)
    one, other = rng.exponential(1.0, 50), rng.exponential(1.3, 50)
    lowest = Lowest()
    assert lowest.seen(0, look(one)) == {"rise": 0.0, "rise_error": 0.0}
    found = lowest.seen(0, look(other))
    assert found["rise"] == pytest.approx(other.mean() - one.mean())
    assert found["rise"] / found["rise_error"] == pytest.approx(ttest_rel(other, one).statistic)


def test_rows_of_several_answers_are_counted_by_answer():
    found = Lowest()
    found.seen(0, look([4.0, 8.0], answers=4))
    assert found.seen(0, look([8.0, 12.0], answers=4))["rise"] == pytest.approx(1.0)


def test_a_phase_is_measured_from_what_it_began_with():
    lowest = Lowest()
    for losses in ([1.0, 1.2], [3.0, 3.1]):
        lowest.seen(0, look(losses))
    assert lowest.seen(1, look([2.0, 2.0])) == {"rise": 0.0, "rise_error": 0.0}, "lower than it began"
    assert lowest.seen(1, look([2.5, 2.6]))["rise"] == pytest.approx(0.55)


def test_it_goes_on_from_its_state_as_if_nothing_had_happened():
    rng = np.random.default_rng(1)
    told = [(phase, look(rng.exponential(1.0, 20))) for phase in (0, 0, 0, 1, 1, 1)]
    whole, part = Lowest(), Lowest()
    expected = [whole.seen(*one) for one in told]
    found = []
    for one in told:
        part = Lowest.of(*part.state())
        found.append(part.seen(*one))
    assert found == expected


def test_one_row_has_no_error():
    lowest = Lowest()
    lowest.seen(0, look([1.0]))
    assert lowest.seen(0, look([2.0])) == {"rise": 1.0}
