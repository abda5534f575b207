"""Pictures as colours and edges: any mode, any size, and what training rows never varied says nothing."""

import io

import numpy as np
import pytest
from PIL import Image

from warmstart.base.errors import WarmstartError
from warmstart.floors.colours_and_edges import LEVELS, SIDE, ColoursAndEdges, moments, palette


def png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def noise(seed=0, size=(40, 30), mode="RGB"):
    bands = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands)).astype(np.uint8)
    return Image.frombytes(mode, size, pixels.tobytes())


@pytest.mark.parametrize(
    "image",
    [
        noise(mode="L"),
        noise(mode="RGBA"),
        noise(mode="LA"),
        Image.new("1", (5, 5)),
        noise().convert("P"),
        noise().convert("CMYK").convert("RGB"),
        Image.new("I;16", (9, 9), 40_000),
        Image.new("RGB", (1, 1), "red"),
        noise(size=(1, 700)),
        noise(size=(3, 2)),
        noise(size=(1500, 20)),
    ],
    ids=lambda image: f"{image.mode} {image.size}",
)
def test_every_kind_of_picture_becomes_484_finite_numbers(image):
    found = ColoursAndEdges().read([png(image)])
    assert found.shape == (1, 484)
    assert np.isfinite(found).all()


def test_a_picture_hangs_on_itself_alone():
    some = [png(noise(seed)) for seed in range(5)]
    together = ColoursAndEdges().read(some)
    assert together == pytest.approx(np.concatenate([ColoursAndEdges().read([p]) for p in some]), abs=1e-6)


def test_a_broken_picture_is_named():
    with pytest.raises(WarmstartError) as refused:
        ColoursAndEdges().read([png(noise()), {"bytes": b"no picture", "path": "torn.png"}])
    assert refused.value.code == "broken-image"
    assert "torn.png" in refused.value.wrong


def test_moments_are_those_of_each_cell():
    pixels = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
    means, deviations = moments(pixels).reshape(2, 2, 4, 4, 3).transpose(1, 0, 2, 3, 4)
    cell = pixels[1, 8:16, 24:32, 2] / 255.0
    assert (means[1, 1, 3, 2], deviations[1, 1, 3, 2]) == pytest.approx((cell.mean(), cell.std()), abs=1e-5)


def test_the_palette_counts_every_pixel_once():
    pixels = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    pixels[1, : SIDE // 4] = (255, 0, 64)
    found = palette(pixels) ** 2
    assert found.sum(1) == pytest.approx([1, 1])
    assert found[0, 0] == 1
    assert found[1, 3 * LEVELS**2 + 0 * LEVELS + 1] == pytest.approx(0.25)


def test_weights_come_from_training_rows_alone():
    floor, train = ColoursAndEdges(), np.arange(6)
    raw = floor.read([png(noise(seed)) for seed in range(8)])
    raw[:6, 0] = 0.5  # never varied in training
    other = raw.copy()
    other[6:] += 9
    one, two = floor.weighed(raw, train), floor.weighed(other, train)
    assert (one[train] == two[train]).all()
    assert not one[:, 0].any()
    varied = np.ptp(raw[train], 0) > 1e-3
    assert one[train][:, varied].mean(0) == pytest.approx(0, abs=1e-9)
    assert one[train][:, varied].std(0) == pytest.approx(1, abs=1e-9)
