"""Pictures become exactly what the model's processor makes of them, whenever they are scaled."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image

import tiny_models
from warmstart.base.errors import WarmstartError
from warmstart.data.images import open_image
from warmstart.models import cache
from warmstart.models.features import logits_of
from warmstart.tasks import _pixels
from warmstart.tasks._pixels import Preparation
from warmstart.tasks.image_classification import ImageClassification

SMALL = {"height": 64, "width": 64}
PROCESSORS = {
    "vit": tiny_models.processor("vit"),
    "convnext": tiny_models.processor("convnext"),
    "convnext, no crop": transformers.ConvNextImageProcessorPil(size={"shortest_edge": 384}),
    "mobilenet v1": tiny_models.processor("mobilenet_v1"),
    "mobilenet v2": tiny_models.processor("mobilenet_v2"),
    "no normalisation": transformers.ViTImageProcessorPil(size=SMALL, do_normalize=False),
    "no scaling at all": transformers.ViTImageProcessorPil(size=SMALL, do_normalize=False, do_rescale=False),
    "imagenet": transformers.ViTImageProcessorPil(
        size=SMALL, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]
    ),
}


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    return tiny_models.pretrained(tmp_path_factory.mktemp("vit"), "vit")


@pytest.fixture
def paths(tmp_path):
    found, _ = tiny_models.write_pictures(tmp_path / "pictures", 7)
    return found


def encode(pretrained, values, folder=None):
    return ImageClassification().encode(pretrained, values, folder)


def as_processed(processor, values):
    return torch.cat([processor(open_image(v), return_tensors="pt")["pixel_values"] for v in values])


class Holder:
    """What encode reads of a Pretrained."""

    source = "a model"

    def __init__(self, processor):
        self.processor = processor


@pytest.mark.parametrize("name", PROCESSORS)
def test_late_scaling_gives_what_the_processor_gives(paths, name):
    processor = PROCESSORS[name]
    inputs, findings = encode(Holder(processor), paths)
    assert inputs.pixels.dtype == np.uint8
    pixels = inputs.batch(range(7))["pixel_values"]
    assert torch.allclose(pixels, as_processed(processor, paths).float(), atol=2e-6, rtol=0)
    assert findings == []


def test_a_processor_that_does_more_than_scale_is_believed_and_kept_as_it_is(paths):
    """EfficientNet's moves the values once more after scaling them."""
    processor = transformers.EfficientNetImageProcessorPil(size=SMALL, rescale_offset=True)
    inputs, _ = encode(Holder(processor), paths)
    assert inputs.pixels.dtype == np.float32
    assert torch.equal(inputs.batch(range(7))["pixel_values"], as_processed(processor, paths))


@torch.no_grad()
def test_the_model_answers_as_if_it_were_asked_by_hand(vit, paths):
    inputs, _ = encode(vit, paths)
    expected = vit.module(pixel_values=as_processed(vit.processor, paths)).logits
    assert torch.allclose(logits_of(vit.anatomy, inputs), expected, atol=1e-5)


def test_paths_bytes_and_cells_are_the_same_picture(vit, paths):
    raw = [Path(p).read_bytes() for p in paths]
    cells = [{"bytes": b, "path": None} for b in raw]
    keys = {encode(vit, values)[0].key for values in (paths, raw, cells, [{"path": p} for p in paths])}
    assert len(keys) == 1


def test_a_broken_picture_is_named(vit, paths, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for values in ([str(broken), *paths], [*paths, str(broken)], [*paths, str(tmp_path / "none.png")]):
        with pytest.raises(WarmstartError) as caught:
            encode(vit, values)
        assert caught.value.code == "broken-image"


def test_a_processor_that_makes_sizes_of_all_kinds_is_refused(tmp_path):
    first, _ = tiny_models.write_pictures(tmp_path / "a", 2, size=(80, 70))
    second, _ = tiny_models.write_pictures(tmp_path / "b", 2, size=(70, 80))
    processor = transformers.ViTImageProcessorPil(do_resize=False)
    with pytest.raises(WarmstartError, match="80, 70") as caught:
        encode(Holder(processor), [*first, *second])
    assert caught.value.code == "ragged-images"


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (3, 100)])
def test_only_the_middle_of_a_narrow_picture_is_taken_and_said(paths, tmp_path, size):
    """Fitting its short side would ask for gigabytes."""
    source = np.random.default_rng(0)
    pixels = source.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    narrow = tmp_path / "narrow.png"
    Image.fromarray(pixels).save(narrow)
    inputs, findings = encode(Holder(PROCESSORS["convnext"]), [*paths, str(narrow)])
    assert inputs.pixels.shape == (8, 3, 64, 64)
    (finding,) = findings
    assert (finding.check, finding.count, finding.where) == ("narrow_images", 1, (str(narrow),))
    width, height = _pixels.middle(open_image(str(narrow)))[0].size
    assert max(width, height) == 16 * min(width, height)
    middle = _pixels.middle(Image.fromarray(pixels))[0]
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    assert np.array_equal(np.asarray(middle), pixels[top : top + height, left : left + width])


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16", "1"])
def test_pictures_of_every_mode_become_three_channels(vit, mode):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 80), dtype=np.uint8)
    image = (
        Image.fromarray(pixels.astype(np.uint16) * 257)
        if mode == "I;16"
        else Image.fromarray(pixels).convert(mode)
    )
    held = io.BytesIO()
    image.save(held, "TIFF" if mode == "CMYK" else "PNG")
    inputs, _ = encode(vit, [held.getvalue()])
    assert inputs.pixels.shape == (1, 3, 64, 64)


def test_many_pictures_lie_on_disk_and_are_decoded_once(vit, paths, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    expected, _ = encode(vit, paths, cache)
    assert not cache.exists()  # they are few
    monkeypatch.setattr(_pixels, "IN_MEMORY", 1000)
    first, _ = encode(vit, paths, cache)
    assert isinstance(first.pixels, np.memmap)
    assert first.key == expected.key
    assert torch.equal(first.batch([3, 1])["pixel_values"], expected.batch([3, 1])["pixel_values"])
    (place,) = cache.iterdir()
    stamp = (place / "pixels.npy").stat().st_mtime_ns
    assert encode(vit, paths, cache)[0].key == expected.key
    assert (place / "pixels.npy").stat().st_mtime_ns == stamp
    encode(vit, paths[::-1], cache)
    assert len(list(cache.iterdir())) == 2


def test_pictures_on_disk_are_known_by_content_and_processor(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(_pixels, "IN_MEMORY", 0)
    cache = tmp_path / "cache"
    keys = [
        encode(Holder(PROCESSORS[name]), paths, cache)[0].key for name in ("vit", "imagenet", "mobilenet v1")
    ]
    Image.open(paths[0]).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(paths[0])
    keys.append(encode(Holder(PROCESSORS["vit"]), paths, cache)[0].key)
    assert len(set(keys)) == 4
    assert len(list(cache.iterdir())) == 4


def test_narrow_pictures_are_told_also_where_they_are_read_from_disk(paths, tmp_path, monkeypatch):
    monkeypatch.setattr(_pixels, "IN_MEMORY", 0)
    narrow = tmp_path / "narrow.png"
    Image.new("RGB", (2, 90)).save(narrow)
    for _ in range(2):
        _, findings = encode(Holder(PROCESSORS["vit"]), [*paths, str(narrow)], tmp_path / "cache")
        assert [f.check for f in findings] == ["narrow_images"]


def test_a_broken_picture_leaves_nothing_on_disk(vit, paths, tmp_path, monkeypatch):
    monkeypatch.setattr(_pixels, "IN_MEMORY", 0)
    broken = tmp_path / "broken.png"
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(broken)
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(WarmstartError, match=r"broken\.png"):
        encode(vit, [*paths, str(broken)], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_whether_scaling_can_wait_is_tried_and_not_believed():
    """A processor whose settings say one thing and which does another is caught."""

    class Odd(transformers.ViTImageProcessorPil):
        def __call__(self, *args, **kwargs):
            result = super().__call__(*args, **kwargs)
            return {"pixel_values": [p if p.dtype == np.uint8 else p + 0.01 for p in result["pixel_values"]]}

    picture = io.BytesIO()
    Image.fromarray(np.full((70, 80, 3), 90, np.uint8)).save(picture, "PNG")
    assert Preparation.of(tiny_models.processor("vit"), picture.getvalue()).late
    assert not Preparation.of(Odd(size=SMALL), picture.getvalue()).late


def photo(width, height, kind="JPEG", **more):
    """A picture with clouds, edges and noise, as the bytes of a file."""
    source = np.random.default_rng(0)
    rough = Image.fromarray(source.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((width, height), 3)
    pixels = np.asarray(rough) + source.normal(0, 4, (height, width, 3))
    pixels[height // 3 : height // 2, width // 4 : width // 2] *= 0.5
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["vit", "convnext", "mobilenet v2", "imagenet"])
def test_a_large_jpeg_decoded_at_a_fraction_is_what_the_whole_one_is_but_for_a_step_in_255(name):
    processor, value = PROCESSORS[name], photo(1200, 900)
    preparation = Preparation.of(processor, value)
    assert 0 < preparation.least < 450
    short = min(open_image(value, least=preparation.least).size)
    assert preparation.least <= short < 900
    whole = Preparation.of(processor, value)
    vars(whole)["least"] = 0
    exact, found = whole.prepare(value).astype(int), preparation.prepare(value).astype(int)
    assert found.shape == exact.shape
    assert 0 < np.abs(found - exact).mean() < 1


@pytest.mark.parametrize(
    "value", [photo(300, 200), photo(1200, 900, "PNG"), photo(1200, 900, "WEBP", quality=90)]
)
def test_small_pictures_and_other_formats_are_decoded_whole(value):
    preparation = Preparation.of(PROCESSORS["vit"], value)
    assert open_image(value, least=preparation.least).size == open_image(value).size


def test_a_picture_that_lies_on_its_side_is_turned_at_a_fraction_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    value = photo(1200, 900, exif=exif)
    whole, small = open_image(value), open_image(value, least=100)
    assert whole.size == (900, 1200)
    assert small.size == (113, 150)
    again = np.asarray(whole.resize(small.size, Image.Resampling.BOX), int)
    assert np.abs(again - np.asarray(small, int)).mean() < 3


@pytest.mark.parametrize(
    "settings", [{"do_resize": False}, {"size": {"longest_edge": 64, "shortest_edge": None}}]
)
def test_where_the_size_cannot_be_told_pictures_are_decoded_whole(settings):
    processor = transformers.ViTImageProcessorPil(size=SMALL)
    for key, value in settings.items():
        setattr(processor, key, value)
    assert _pixels.resized_to(processor) == 0


def test_pixels_on_disk_are_held_while_they_are_used(vit, paths, tmp_path, monkeypatch):
    monkeypatch.setattr(_pixels, "IN_MEMORY", 0)
    inputs, _ = encode(vit, paths, tmp_path)
    (place,) = cache.entries_of(tmp_path)
    assert not cache.let_go(place)
    expected = inputs.batch(range(7))["pixel_values"].clone()
    del inputs
    assert cache.let_go(place)
    cache.set_limit(tmp_path, "1 kB")
    inputs, _ = encode(vit, paths, tmp_path)  # in memory, as there is no room
    assert torch.equal(inputs.batch(range(7))["pixel_values"], expected)
    assert not list(cache.entries_of(tmp_path))


@pytest.mark.parametrize("worth", [0.0, 100.0])
def test_threads_prepare_the_same_pictures_in_the_same_order(vit, tmp_path, monkeypatch, worth):
    """In line, by threads, and then as it paid."""
    monkeypatch.setattr(_pixels, "AHEAD", 4)
    monkeypatch.setattr(_pixels, "WORTH", worth)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    paths, _ = tiny_models.write_pictures(tmp_path / "many", 23)
    inputs, _ = encode(vit, paths)
    assert torch.allclose(
        inputs.batch(range(23))["pixel_values"], as_processed(vit.processor, paths), atol=2e-6
    )
    Path(paths[17]).write_bytes(b"no picture")
    with pytest.raises(WarmstartError, match=Path(paths[17]).name):
        encode(vit, paths)
