"""Oriented gradients: the same as pixel by pixel in plain loops, and unmoved by what should not move them."""

from itertools import product
from math import atan2, floor, hypot, pi, sqrt

import numpy as np
import pytest

from warmstart.floors._gradients import BINS, BLOCK, CELLS, CUT, FAINT, oriented_gradients


def by_loops(picture):
    """The definition, one vote after the other."""
    cells = np.zeros((CELLS, CELLS, BINS))
    light = np.sqrt(picture / 255.0)
    for y, x in product(range(len(picture)), repeat=2):
        steep, turn = steepest(light, y, x)
        at_y, at_x = ((v + 0.5) * CELLS / len(picture) - 0.5 for v in (y, x))
        for i, j, bin in product(*((floor(v), floor(v) + 1) for v in (at_y, at_x, turn))):
            if 0 <= i < CELLS and 0 <= j < CELLS:
                share = (1 - abs(at_y - i)) * (1 - abs(at_x - j)) * (1 - abs(turn - bin))
                cells[i, j, bin % BINS] += steep * share
    return np.concatenate([block(cells, i, j) for i, j in product(range(CELLS - BLOCK + 1), repeat=2)])


def steepest(light, y, x):
    best, last = (0.0, -0.5), len(light) - 1
    for colour in range(3):
        across = light[y, min(x + 1, last), colour] - light[y, max(x - 1, 0), colour]
        down = light[min(y + 1, last), x, colour] - light[max(y - 1, 0), x, colour]
        if hypot(across, down) > best[0]:
            best = (hypot(across, down), (atan2(down, across) % pi) * BINS / pi - 0.5)
    return best


def block(cells, i, j):
    values = [*cells[i, j], *cells[i, j + 1], *cells[i + 1, j], *cells[i + 1, j + 1]]
    cut = [min(v, CUT) for v in normal(values)]
    return np.array(normal(cut))


def normal(values):
    length = sqrt(sum(v * v for v in values) + FAINT**2)
    return [v / length for v in values]


def pictures(count=3, side=32, seed=0):
    random = np.random.default_rng(seed)
    smooth = random.normal(size=(count, side, side, 3)).cumsum(1).cumsum(2)
    smooth -= smooth.min((1, 2, 3), keepdims=True)
    return (255 * smooth / smooth.max((1, 2, 3), keepdims=True)).astype(np.uint8)


@pytest.mark.parametrize("side", [8, 16, 32])
def test_they_are_those_of_plain_loops(side):
    some = pictures(side=side)
    noise = np.random.default_rng(1).integers(0, 256, some.shape).astype(np.uint8)
    for all_ in (some, noise):
        wanted = np.stack([by_loops(picture) for picture in all_])
        assert oriented_gradients(all_) == pytest.approx(wanted, abs=2e-4)


def test_a_plain_picture_has_none():
    assert not oriented_gradients(np.full((2, 32, 32, 3), 90, np.uint8)).any()


def test_a_picture_and_its_mirror_have_mirrored_ones():
    """Cells from right to left, and orientations from the last to the first."""
    there, here = (oriented_gradients(p) for p in (pictures()[:, :, ::-1], pictures()))
    shape = (-1, CELLS - BLOCK + 1, CELLS - BLOCK + 1, BLOCK, BLOCK, BINS)
    assert there.reshape(shape) == pytest.approx(here.reshape(shape)[:, :, ::-1, :, ::-1, ::-1], abs=1e-4)


def test_a_quarter_turn_turns_the_orientations():
    """An upright edge lying down: what voted for 0 degrees now votes for 90."""
    upright = np.zeros((1, 32, 32, 3), np.uint8)
    upright[:, :, 16:] = 200
    lying = upright.transpose(0, 2, 1, 3)
    strongest = [
        set(np.flatnonzero(oriented_gradients(p).reshape(-1, BINS).sum(0) > 0.1)) for p in (upright, lying)
    ]
    assert strongest == [{0, BINS - 1}, {BINS // 2}]


def test_the_opposite_contrast_has_the_same():
    edge = np.zeros((1, 32, 32, 3), np.uint8)
    edge[:, :, 10:] = 255
    assert oriented_gradients(edge) == pytest.approx(oriented_gradients(255 - edge), abs=1e-6)


def test_a_picture_hangs_on_itself_alone():
    some = pictures(5)
    alone = np.concatenate([oriented_gradients(p[None]) for p in some])
    assert oriented_gradients(some) == pytest.approx(alone, abs=1e-6)
