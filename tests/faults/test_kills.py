"""Killed at any moment, any kind of training and the whole run end with the same bits as in one go."""

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from children import SOAK, answer_of, killed_after, seconds_of
from trainings import KINDS, check_same_end, end_of, train

import street_world

KILLS, WHOLE_RUNS = 12, 3  # of each of four kinds of training; of the whole run: 51 in all
SOURCE = random.Random(0)


@pytest.fixture
def tmp_path():
    """In memory where the system has such a place: a killed process loses nothing of it, flushing is free."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_a_training(kind, tmp_path):
    """A checkpoint is written after every step; some are killed twice before they end."""
    whole = answer_of(lambda: end_of(kind, tmp_path / "whole", 1000.0))
    lasts = seconds_of(lambda: train(kind, tmp_path / "often") and None)
    killed = resumed = 0
    for number in range(10 * KILLS * SOAK):
        folder = tmp_path / str(number)
        if not killed_after(lambda folder=folder: train(kind, folder), SOURCE.uniform(0, lasts)):
            continue
        killed += 1
        if killed < KILLS * SOAK and number % 3 == 0:
            killed += killed_after(lambda folder=folder: train(kind, folder), SOURCE.uniform(0, lasts))
        end = answer_of(lambda folder=folder: end_of(kind, folder, 1000.0))
        assert end["notes"] == []
        check_same_end(whole, end)
        resumed += bool(end["resumed"])
        if killed == KILLS * SOAK:
            break
    assert killed == KILLS * SOAK
    assert resumed > 0


def test_the_whole_run(world, text_run, tmp_path):
    """Trainings, rankings, reports: whatever was whole is kept, the rest is made again."""
    from warmstart import process

    models = (str(world / "text-model"),)

    def begin(runs):
        process.run(world / "reviews.csv", runs=runs, models=models, strategy="full")

    lasts = seconds_of(lambda: begin(tmp_path / "often"))
    killed = 0
    for number in range(10 * WHOLE_RUNS * SOAK):
        runs = tmp_path / str(number)
        if not killed_after(lambda runs=runs: begin(runs), SOURCE.uniform(0.05, 1) * lasts):
            continue
        killed += 1
        folder = runs / "reviews-1"
        if (folder / "run.json").is_file():
            result = process.run(folder)
        else:
            result = process.run(world / "reviews.csv", runs=runs, models=models, strategy="full")
        assert street_world.same_findings(result, text_run.result)
        if killed == WHOLE_RUNS * SOAK:
            break
    assert killed == WHOLE_RUNS * SOAK
