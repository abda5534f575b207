"""What identifies each input, computed once: a digest; of images also what is wrong, a dHash, a thumbnail."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warmstart.data.draft import DHASH, DIGEST, HEIGHT, PROBLEM, THUMB, WIDTH, Draft
from warmstart.data.images import BrokenImage, decoded, source_of, without_warnings
from warmstart.data.labels import plain

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 16  # of a thumbnail
MARGIN = 2  # grey levels


@dataclass(frozen=True)
class Print:
    """What one look at an image gave; `problem` is None for an image that can be used."""

    problem: str | None = None
    digest: bytes | None = None
    dhash: int = 0
    thumb: bytes | None = None
    size: tuple[int, int] | None = None  # width and height, in pixels


def with_prints(draft: Draft) -> Any:
    """The draft's table with the hidden columns that checks, splits and the fingerprint read."""
    import pyarrow as pa

    if draft.kind == "text":
        digests = [None if t is None else text_digest(t) for t in draft.values("text")]
        return draft.table.append_column(DIGEST, pa.array(digests, pa.large_binary()))
    prints = look_at(draft.values("image"))
    table = draft.table.append_column(DIGEST, pa.array([p.digest for p in prints], pa.large_binary()))
    table = table.append_column(PROBLEM, pa.array([p.problem for p in prints], pa.large_string()))
    table = table.append_column(DHASH, pa.array([p.dhash for p in prints], pa.uint64()))
    for place, name in enumerate((WIDTH, HEIGHT)):
        numbers = [None if p.size is None else p.size[place] for p in prints]
        table = table.append_column(name, pa.array(numbers, pa.int32()))
    return table.append_column(THUMB, pa.array([p.thumb for p in prints], pa.large_binary()))


def text_digest(text: str) -> bytes:
    """sha256 of a text, blind to outer and doubled blanks and to how accents are composed."""
    return hashlib.sha256(plain(text).encode()).digest()


def look_at(values: Sequence[Any]) -> list[Print]:
    """A Print for every image value; a null is an image that is not there."""
    threads = min(8, os.cpu_count() or 1)  # decoders let go of the interpreter's lock
    with without_warnings(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(_look, values, chunksize=64))


def _look(value: Any) -> Print:
    if value is None:
        return Print("no image is named")
    try:
        source = source_of(value)
        image, size = decoded(source, least=64)
    except BrokenImage as error:
        return Print(str(error))
    return Print(None, _digest(source), dhash(image), thumb(image), size)


def _digest(source: Any) -> bytes:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def dhash(image: "Image") -> int:
    """64 bits: is each of 8 x 8 places brighter than its left neighbour? (Krawetz 2013, "Kind of like that")

    Brighter by more than 2 of 255, so that even areas give 0 also after a JPEG's noise.
    """
    import numpy as np

    grey = np.asarray(shrunk(image.convert("L"), (9, 8)), np.int16)
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1] + MARGIN).tobytes(), "big")


def thumb(image: "Image") -> bytes:
    """16 x 16 x 3 bytes."""
    return shrunk(image, (SIDE, SIDE)).tobytes()


def shrunk(image: "Image", size: tuple[int, int]) -> "Image":
    """Smaller, so that its own size leaves no trace.

    PIL's box filter takes whole pixels, so that a picture of 27 pixels looks other than the same of 28.
    """
    from PIL import Image

    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
