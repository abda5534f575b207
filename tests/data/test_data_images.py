"""One image, whatever it comes as: RGB and upright, or an error that names it."""

import io
from pathlib import Path

import numpy as np
import pytest
from bad_inputs import png_of_size
from data_files import image_bytes, picture
from PIL import Image

from warmstart.base.errors import WarmstartError
from warmstart.data.images import open_image
from warmstart.data.prints import dhash, look_at


def pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    return np.asarray(image)


def test_a_path_bytes_and_a_cell_give_the_same_image(tmp_path: Path):
    data = image_bytes(picture(3))
    (tmp_path / "x.png").write_bytes(data)
    for value in (str(tmp_path / "x.png"), tmp_path / "x.png", data, {"bytes": data, "path": None}):
        assert np.array_equal(pixels(open_image(value)), np.asarray(picture(3)))
    assert np.array_equal(pixels(open_image("x.png", base=tmp_path)), np.asarray(picture(3)))
    assert np.array_equal(
        pixels(open_image({"bytes": None, "path": "x.png"}, tmp_path)), np.asarray(picture(3))
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_is_read_and_keeps_its_colours(kind):
    data = image_bytes(Image.new("RGB", (40, 30), (200, 60, 20)), kind)
    assert np.abs(pixels(open_image(data)).astype(int) - (200, 60, 20)).max() <= 6


@pytest.mark.parametrize("turned", [3, 6, 8])
def test_an_image_stands_upright_whatever_its_exif_says(turned):
    upright = Image.new("RGB", (60, 40), "white")
    upright.paste("black", (0, 0, 60, 8))  # a black edge at the top
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[
        turned
    ]
    exif = Image.Exif()
    exif[0x0112] = turned
    shown = open_image(image_bytes(upright.transpose(back), "JPEG", exif=exif, quality=95))
    assert shown.size == (60, 40)
    assert pixels(shown)[:4].mean() < 20 and pixels(shown)[12:].mean() > 235


def test_damaged_exif_data_do_not_spoil_an_image():
    data = image_bytes(picture(1), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    assert open_image(data).size == picture(1).size


def test_transparent_pixels_are_white_and_not_the_colour_hidden_below():
    image = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    assert (pixels(open_image(image_bytes(image))) == 255).all()
    palette = Image.new("P", (10, 10), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    assert (pixels(open_image(image_bytes(palette, transparency=0))) == 255).all()


def test_sixteen_bit_grey_keeps_its_shades():
    grey = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    out = pixels(open_image(image_bytes(Image.fromarray(grey))))[..., 0]
    assert np.array_equal(out, (grey >> 8).astype(np.uint8))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "HSV", "LAB"])
def test_every_mode_becomes_rgb(mode):
    kind = "PNG" if mode in ("1", "L", "LA", "P") else "TIFF"
    image = picture(5).convert("L").convert(mode) if mode in ("LA", "LAB") and mode != "LAB" else _as(mode)
    assert open_image(image_bytes(image, "JPEG" if mode == "CMYK" else kind)).mode == "RGB"


def _as(mode: str) -> Image.Image:
    if mode == "LAB":
        return Image.new("LAB", (20, 20), (128, 128, 128))
    image = picture(5).convert(mode)
    return image.convert("RGB") if mode == "HSV" else image


def test_the_first_frame_of_a_moving_image_is_taken():
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert (pixels(open_image(out.getvalue())) == (255, 0, 0)).all()


WHOLE = image_bytes(picture(1, 200), "JPEG")
BROKEN = {
    "empty": (b"", "zero bytes"),
    "half": (WHOLE[: len(WHOLE) // 2], "damaged or cut short"),
    "text": (b"no image but words", "none of PNG, JPEG"),
    "another format": (b"%PDF-1.4 not for us", "none of PNG, JPEG"),
    "a bomb": (png_of_size(9_400, 9_400), "9,400 x 9,400 pixels"),
    "a larger bomb": (png_of_size(12_000, 12_000), "more than 50 million pixels|12,000 x 12,000"),
    "a huge bomb": (png_of_size(60_000, 60_000), "more than 50 million pixels"),
    "damaged chunks": (image_bytes(picture(1))[:-30], "damaged or cut short"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_is_refused_with_its_name(name, tmp_path: Path):
    data, why = BROKEN[name]
    (tmp_path / "cat.jpg").write_bytes(data)
    with pytest.raises(WarmstartError, match=why) as refused:
        open_image(tmp_path / "cat.jpg")
    assert "cat.jpg" in refused.value.wrong and refused.value.code == "broken-image"


@pytest.mark.parametrize(
    "value", ["absent.png", "https://example.org/cat.png", ".", "nul\0.png", {"bytes": None}]
)
def test_what_is_no_image_file_is_refused(value):
    with pytest.raises(WarmstartError) as refused:
        open_image(value)
    assert refused.value.code == "broken-image"


def test_floating_point_pixels_are_refused(tmp_path: Path):
    Image.fromarray(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)).save(tmp_path / "x.tif")
    with pytest.raises(WarmstartError, match="floating-point"):
        open_image(tmp_path / "x.tif")


def test_a_look_finds_every_broken_image_among_good_ones_and_no_other():
    good = [image_bytes(picture(i), kind) for i in range(20) for kind in ("PNG", "JPEG", "WEBP")]
    broken = [data for data, _ in BROKEN.values()]
    prints = look_at([*good, *broken, None])
    assert [bool(p.problem) for p in prints] == [False] * len(good) + [True] * (len(broken) + 1)
    assert len({p.digest for p in prints[: len(good)]}) == len(good)


def test_every_cut_of_a_jpeg_is_noticed_also_in_the_small_decode():
    """Draft mode decodes at a fraction of the size, which must not hide that the end is missing."""
    cuts = [len(WHOLE) * i // 10 for i in range(1, 10)]
    assert all(p.problem for p in look_at([WHOLE[:cut] for cut in cuts]))


def test_mutants_of_images_never_end_in_another_error():
    rng = np.random.default_rng(0)
    kinds = [
        bytearray(image_bytes(picture(i, 24), kind))
        for i, kind in enumerate(["PNG", "JPEG", "GIF", "TIFF", "BMP"])
    ]
    mutants = []
    for _ in range(300):
        data = kinds[rng.integers(len(kinds))].copy()
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        mutants.append(bytes(data))
    for data, seen in zip(mutants, look_at(mutants), strict=True):
        assert seen.problem or len(seen.thumb) == 16 * 16 * 3, data[:20]


def test_the_hash_follows_its_definition():
    """Against the definition, pixel by pixel, on an image of 9 x 8 pixels that needs no resizing."""
    grey = np.random.default_rng(2).integers(0, 256, (8, 9), dtype=np.uint8)
    expected = "".join("1" if int(row[i + 1]) > int(row[i]) + 2 else "0" for row in grey for i in range(8))
    assert f"{dhash(Image.fromarray(grey).convert('RGB')):064b}" == expected
