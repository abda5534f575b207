"""One image from a path, bytes or a {bytes, path} cell: checked before it is decoded, RGB, upright."""

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from warmstart.base.errors import WarmstartError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = 50_000_000  # read from the header: a 20 kB file can ask for gigabytes

Value = str | Path | bytes | Mapping[str, Any]


class BrokenImage(ValueError):
    """Why an image cannot be used, without the image's name."""


def open_image(value: Value, base: Path | None = None, least: int = 0) -> "Image":
    """The image in RGB, upright by its EXIF orientation; the first frame if it has several.

    Transparent pixels are shown on white; 16-bit grey is scaled to 8. Relative paths start from `base`. With
    `least` a JPEG may be decoded at a fraction of its size, its short side not under so many pixels.
    Raises WarmstartError (code "broken-image") that names the file.
    """
    with without_warnings():
        return opened(value, base, least)


def opened(value: Value, base: Path | None = None, least: int = 0) -> "Image":
    """The same for threads: the caller silences PIL's warnings, which are process-wide."""
    try:
        return decode(source_of(value, base), least)
    except BrokenImage as error:
        raise WarmstartError(f"{name_of(value)}: {error}", "replace or remove it", "broken-image") from None


@contextmanager
def without_warnings() -> Iterator[None]:
    """PIL warns of odd metadata and of large images; what cannot be used ends in an error here anyway."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def name_of(value: Value) -> str:
    """What to call an image in a message."""
    if isinstance(value, Mapping):
        return str(value.get("path") or "an image in the table")
    return f"an image of {len(value):,} bytes" if isinstance(value, bytes) else str(value)


def is_file(path: Path) -> bool:
    """Is there such a file? A name that no file can have (too long, with NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def source_of(value: Value, base: Path | None = None) -> Path | bytes:
    """The bytes or the existing file that a value stands for; raises BrokenImage."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path") or b""
    if isinstance(value, (bytes, bytearray, memoryview)):
        if not len(value):
            raise BrokenImage("it has zero bytes")
        return bytes(value)
    if "://" in str(value):
        raise BrokenImage("it is a web address; download the image and name the file")
    path = Path(base, value) if base else Path(value)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise BrokenImage("it is not a file")
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise BrokenImage("there is no such file" if missing else "the file cannot be opened") from None
    if not size:
        raise BrokenImage("it has zero bytes")
    return path


def decode(source: Path | bytes, least: int = 0) -> "Image":
    """The image of `source` as `open_image` gives it; raises BrokenImage."""
    return decoded(source, least)[0]


def decoded(source: Path | bytes, least: int = 0) -> tuple["Image", tuple[int, int]]:
    """The same, and the width and height in the file, of which `least` may leave a fraction."""
    from PIL import Image, UnidentifiedImageError

    Image.init()  # all formats are registered once, not in the middle of threads
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as image:
            _refuse_bombs(image.size)
            width, height = image.size
            if least:
                image.draft("RGB", (least, least))
            image.load()
            return to_rgb(_upright(image)), (width, height)
    except BrokenImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BrokenImage(f"it has more than {MOST_PIXELS / 1e6:.0f} million pixels") from None
    except UnidentifiedImageError:
        raise BrokenImage(f"it is none of {', '.join(FORMATS)}") from None
    except PermissionError:
        raise BrokenImage("the file cannot be opened") from None
    except (
        Exception
    ):  # decoders of damaged files raise what they like: struct.error, SyntaxError, ZeroDivisionError
        raise BrokenImage("it is damaged or cut short") from None


def _upright(image: "Image") -> "Image":
    """Turned as its EXIF data say; data that cannot be read say nothing about the pixels."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # struct.error, SyntaxError, TypeError, ... from damaged metadata
        return image


def _refuse_bombs(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise BrokenImage(
            f"it has {width:,} x {height:,} pixels; at most {MOST_PIXELS / 1e6:.0f} million are decoded"
        )


def to_rgb(image: "Image") -> "Image":
    """Any mode as RGB: transparency on white, 16-bit grey cut to 8; raises BrokenImage for float pixels."""
    from PIL import Image

    if image.mode == "RGB":
        return image
    if image.mode == "F":
        raise BrokenImage("its pixels are floating-point numbers without a range")
    if image.mode.startswith("I"):
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: "Image") -> "Image":
    """PIL clips 16-bit grey at 255, which turns nearly every such image white; scale it instead."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(image)
    bits = 8 if pixels.max(initial=0) < 256 else 16 if pixels.max(initial=0) < 65536 else 32
    return Image.fromarray((pixels.clip(0).astype(np.int64) >> (bits - 8)).astype(np.uint8))
