"""One contract for every mode of learning: a new file in the folder is tested by existing."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import tune_worlds as worlds
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.tune.job import Job, Split
from warmstart.tune.modes import MODES


@pytest.fixture(params=MODES.names())
def mode(request):
    return MODES.get(request.param)()


PADDED, PACKED = SimpleNamespace(packs=False), SimpleNamespace(packs=True)


def job(rows=22, batch=8, seed=3, phase=0, epoch=0, lengths=None, anatomy=PADDED):
    lengths = np.random.default_rng(5).integers(1, 30, rows) if lengths is None else np.asarray(lengths)
    inputs = TextInputs(Ragged.of([[4] * n for n in lengths]), 0)
    splits = {"train": Split(inputs, torch.zeros(len(lengths), dtype=torch.long))}
    plan = worlds.plan(worlds.phase(), batch=batch, seed=seed)
    return Job(plan, None, anatomy, splits, (), phase=phase, epoch=epoch)


def flat(batches):
    return [int(n) for batch in batches for n in batch]


@pytest.mark.parametrize(
    ("rows", "batch"), [(22, 8), (8, 8), (7, 8), (1, 8), (9, 8), (300, 4), (1000, 16), (5, 1)]
)
def test_every_row_comes_exactly_once_an_epoch_and_only_the_last_batch_is_smaller(mode, rows, batch):
    for epoch in range(3):
        batches = mode.batches(job(rows, batch, epoch=epoch))
        assert sorted(flat(batches)) == list(range(rows))
        sizes = [len(b) for b in batches]
        assert sizes == [batch] * (rows // batch) + ([rows % batch] if rows % batch else [])


def test_the_order_depends_on_seed_phase_and_epoch_and_on_nothing_else(mode):
    first = flat(mode.batches(job()))
    np.random.default_rng(1).random(10)
    torch.manual_seed(9)
    again = job()
    again.step, again.steps, again.loss_sum, again.history = 5, 77, 3.0, [{}]
    assert flat(mode.batches(again)) == first
    assert flat(MODES.get(MODES.names()[0])().batches(job())) == first
    others = [job(seed=4), job(phase=1), job(epoch=1)]
    orders = [flat(mode.batches(other)) for other in others]
    assert first not in orders
    assert len({tuple(order) for order in orders}) == 3


def test_numbers_are_integers_that_index_rows(mode):
    for batch in mode.batches(job()):
        assert batch.dtype == np.int64
        worlds.splits("bert")["train"].inputs.batch(batch)


def test_batches_that_need_no_padding_are_made_by_chance(mode):
    """So each is about as long as the others, and none takes more memory."""
    lengths = np.random.default_rng(0).lognormal(3, 0.7, 1000).astype(int) + 1
    by_chance, alike = (
        np.std([lengths[b].sum() for b in mode.batches(job(lengths=lengths, batch=16, anatomy=anatomy))])
        for anatomy in (PACKED, PADDED)
    )
    assert by_chance < 0.5 * alike


def test_rows_of_like_length_share_a_padded_batch(mode):
    lengths = np.random.default_rng(0).lognormal(3, 0.7, 1000).astype(int) + 1
    batches = mode.batches(job(lengths=lengths, batch=16))
    padded = sum(len(b) * lengths[b].max() for b in batches)
    shuffled = np.random.default_rng(1).permutation(1000)
    by_chance = sum(
        len(shuffled[i : i + 16]) * lengths[shuffled[i : i + 16]].max() for i in range(0, 1000, 16)
    )
    assert padded < 0.65 * by_chance
    assert padded < 1.35 * lengths.sum()


def test_batches_of_short_rows_do_not_all_come_first(mode):
    lengths = np.arange(1, 641)
    means = [lengths[b].mean() for b in mode.batches(job(lengths=lengths, batch=8))]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.4


@pytest.mark.parametrize("rows", [40, 200])
def test_over_epochs_rows_meet_different_rows(mode, rows):
    """Grouping by length must not freeze who shares a batch with whom, however few the rows are."""
    partners = set()
    for epoch in range(40):
        (batch,) = [b for b in mode.batches(job(rows, 8, epoch=epoch, lengths=range(1, rows + 1))) if 7 in b]
        partners |= set(map(int, batch))
    assert len(partners) > 0.7 * min(rows, 60)


def test_over_epochs_every_row_is_sometimes_in_the_smaller_batch(mode):
    seen = set()
    for epoch in range(300):
        seen |= set(map(int, mode.batches(job(22, 8, epoch=epoch, lengths=range(1, 23)))[-1]))
    assert seen == set(range(22))


@pytest.mark.parametrize("name", MODES.names())
def test_the_first_line_of_the_file_says_what_it_is_about(name):
    assert len(MODES.first_line(name)) > 20
