"""Where overfitting began: the turn that was planted is found, and noise is not called a turn."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import first, run

from warmstart.evaluate.onset import in_words, onset
from warmstart.evaluate.overfit import overfitting


def looks(rises, error=0.02, phase=1, before=()):
    """A history whose looks are above the lowest by these."""
    start = [{"phase": 0, "epoch": 0, "step": 0, "train_loss": None, "validation_loss": 1.0}]
    own = [
        {
            "phase": phase,
            "epoch": i + 1,
            "step": 10 * i,
            "train_loss": 0.5,
            "validation_loss": 0.6 + rise,
            "rise": rise,
            "rise_error": error if rise else 0.0,
        }
        for i, rise in enumerate(rises)
    ]
    return tuple([*start, *before, *own])


def trained(history, **proofs):
    right = {"train": first(400, 1.0), "test": first(400, 0.9), "validation": first(100, 0.9)}
    return replace(run("full", right, history=history), proofs=proofs)


def test_the_turn_is_the_lowest_look_and_it_is_sure_from_where_all_later_ones_are():
    found = onset(trained(looks([0.0, 0.0, 0.03, 0.1, 0.04, 0.2, 0.3])))
    assert (found.phase, found.epoch, found.sure) == (1, 2, 6), "the dip at epoch 5 is within the noise"
    assert found.kept
    assert found.rise.value == 0.3
    assert found.rise.low < 0.3 - 1.96 * 0.02, "the bar is raised by the number of looks"
    assert found.rise.n == 100


@pytest.mark.parametrize(
    "rises",
    [
        [0.0, 0.02, 0.03],  # within the noise
        [0.0, 0.3, 0.4, 0.0],  # came down again
        [0.0, 0.3, 0.4, 0.01],
        [0.0],
        [],
    ],
)
def test_what_comes_down_again_or_is_within_the_noise_is_no_turn(rises):
    assert onset(trained(looks(rises))) is None


def test_a_rise_too_small_to_matter_is_no_turn_however_sure():
    assert onset(trained(looks([0.0, 0.005, 0.009], error=1e-6))) is None


def test_what_the_phase_began_with_counts_as_epoch_0():
    before = ({"phase": 1, "epoch": 1, "step": 1, "train_loss": 0.2, "validation_loss": 0.6},)
    found = onset(trained(looks([0.3, 0.5], phase=2, before=before)))
    assert (found.phase, found.epoch, found.sure) == (2, 0, 1)
    assert "before the first step of phase 2" in in_words(found)


def test_weights_from_before_the_turn_are_said_to_be_kept():
    history = looks([0.0, 0.0, 0.2, 0.3])
    early, late = (onset(trained(history, kept_look=look)) for look in (2, 4))
    assert (early.kept, late.kept) == (False, True)
    assert in_words(early).endswith("weights from before that rise were kept")


def test_a_history_without_rises_has_no_turn_and_says_what_it_said():
    plain = tuple({k: v for k, v in look.items() if "rise" not in k} for look in looks([0.0, 0.1, 0.2]))
    assert onset(trained(plain)) is None
    assert "above its minimum in the last 2 evaluations" in overfitting(trained(plain)).sentence


def test_a_turn_whose_weights_were_kept_makes_a_wide_gap_strong():
    assert overfitting(trained(looks([0.0, 0.2, 0.3]))).verdict == "strong"
    assert overfitting(trained(looks([0.0, 0.2, 0.3]), kept_look=1)).verdict == "some"
    sentence = overfitting(trained(looks([0.0, 0.2, 0.3]))).sentence
    assert (
        "lowest after epoch 1 of phase 1 and surely higher from epoch 2 on, at the end by 0.300 nats"
        in sentence
    )


def test_noise_alone_is_called_a_turn_one_time_in_twenty_at_most():
    """Twenty looks that are equally good in truth; the rises are those that the loop would have recorded."""
    import torch

    from warmstart.tasks._task import Look
    from warmstart.tune.rise import Lowest

    rng, turns = np.random.default_rng(0), 0
    for _ in range(300):
        base, lowest, history = rng.exponential(0.5, 80), Lowest(), []
        for epoch in range(20):
            losses = torch.tensor(base + rng.normal(0, 0.3, 80))
            found = lowest.seen(0, Look(losses, torch.ones(80), torch.ones(80)))
            history.append({"phase": 1, "epoch": epoch + 1, "validation_loss": float(losses.mean()), **found})
        turns += onset(trained(tuple(history))) is not None
    assert turns / 300 <= 0.05
