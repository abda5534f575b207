"""Pictures as a processor leaves them, each decoded once, in memory or, where they are many, on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from errno import ENOSPC
from functools import cached_property
from hashlib import sha256
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.data.images import BrokenImage, name_of, open_image, opened, source_of, without_warnings
from warmstart.models.cache import entry, hold, use
from warmstart.models.inputs import digest
from warmstart.models.whole import NO_ROOM, room_for, seal

if TYPE_CHECKING:
    from PIL.Image import Image

IN_MEMORY = 100_000_000  # bytes; more than that goes to disk where there is a folder for it
NARROW = 16  # times as long as wide: fitting the short side would blow the long one up without bound
CLOSE = 2e-6
FILE = "pixels.npy"
AHEAD = 32  # pictures that are read, and then decoded by all threads
WORTH = 0.8  # share of the time in line that threads must come down to
FINER = 3  # times the size that a processor resizes to: so large a JPEG's short side is decoded at least


@dataclass(frozen=True)
class Preparation:
    """How one picture becomes 3 x H x W numbers: by the processor, or by all of it but the scaling.

    Scaling bytes to numbers can wait until they are asked for, and takes four times the room before.
    """

    processor: Any
    scale: NDArray[np.float32]  # a factor and a shift per channel, still to be applied to bytes
    shift: NDArray[np.float32]
    late: bool  # is the scaling left for later?

    @cached_property
    def least(self) -> int:
        """Pixels of a JPEG's short side below which it is not decoded at a fraction of its size; 0: never so.

        The decoder gets a smaller picture from fewer frequencies, nearly for nothing. What the processor then
        makes of it differs by about one step in 255 (EXPERIMENTS.md).
        """
        return FINER * resized_to(self.processor)

    @staticmethod
    def of(processor: Any, value: Any) -> Preparation:
        """Late scaling where, tried on this picture, it gives what the processor gives."""
        nothing = np.zeros(3, np.float32)
        early = Preparation(processor, nothing, nothing, late=False)
        raw = Preparation(processor, nothing, nothing, late=True).prepare(value)
        if raw.dtype != np.uint8:
            return early
        found = Preparation(processor, *scaling(processor, len(raw)), late=True)
        guess = raw * found.scale[:, None, None] + found.shift[:, None, None]
        return found if np.allclose(guess, early.prepare(value), atol=CLOSE, rtol=0) else early

    def prepare(self, value: Any) -> NDArray[Any]:
        """The pixels of one picture. WarmstartError that names it if it cannot be read."""
        with without_warnings():
            return self.prepared(value)[0]

    def prepared(self, value: Any) -> tuple[NDArray[Any], bool]:
        """Its pixels, and whether only its middle was taken. PIL's warnings are the caller's to silence."""
        image, cut = middle(opened(value, least=self.least))
        later = {"do_rescale": False, "do_normalize": False} if self.late else {}
        try:
            return np.asarray(self.processor(image, return_tensors="np", **later)["pixel_values"][0]), cut
        except Exception as error:  # processors raise what they like at odd sizes
            reason = str(error).strip().split("\n")[0][:160]
            raise WarmstartError(
                f"{name_of(value)}: the model's image processor cannot take it ({reason})",
                "replace or remove it",
                "broken-image",
            ) from None


def resized_to(processor: Any) -> int:
    """The most pixels that the processor may give a picture's short side; 0 where that cannot be told."""
    size = getattr(processor, "size", None)
    if size is None or not getattr(processor, "do_resize", False):
        return 0
    known: dict[str, int | None] = dict(size)
    short = known.get("shortest_edge")
    if short:
        return ceil(short / (getattr(processor, "crop_pct", None) or 1))
    sides = [known.get(name) or 0 for name in ("height", "width")]
    return max(sides) if all(sides) else 0


def scaling(processor: Any, channels: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor and shift per channel, as the processor's settings say them."""
    factor = processor.rescale_factor if getattr(processor, "do_rescale", False) else 1.0
    normal = getattr(processor, "do_normalize", False)
    mean = np.broadcast_to(np.asarray(processor.image_mean if normal else 0.0, np.float64), channels)
    std = np.broadcast_to(np.asarray(processor.image_std if normal else 1.0, np.float64), channels)
    return (factor / std).astype(np.float32), (-mean / std).astype(np.float32)


def middle(image: Image) -> tuple[Image, bool]:
    """The picture, or the middle of one that is more than NARROW times as long as wide."""
    width, height = image.size
    most = NARROW * min(width, height)
    if max(width, height) <= most:
        return image, False
    left, top = max(0, (width - most) // 2), max(0, (height - most) // 2)
    return image.crop((left, top, left + min(width, most), top + min(height, most))), True


@dataclass(frozen=True)
class Pixels:
    """N x 3 x H x W numbers, and the places of pictures of which only the middle was taken."""

    array: NDArray[Any]
    narrow: list[int]
    lease: object = None  # while it is held nobody takes the file away in which the numbers lie


def pixels_of(preparation: Preparation, values: Sequence[Any], folder: Path | None, source: str) -> Pixels:
    """The pixels of all pictures; where they are many they lie in `folder`, keyed by what made them."""
    first = preparation.prepare(values[0])
    shape, size = (len(values), *first.shape), first.nbytes * len(values)
    if folder is not None and size > IN_MEMORY:
        try:
            return on_disk(preparation, values, folder, source, np.empty((0, *first.shape), first.dtype))
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
    pixels = np.empty(shape, first.dtype)
    return Pixels(pixels, fill(preparation, values, pixels, source))


def on_disk(
    preparation: Preparation, values: Sequence[Any], folder: Path, source: str, like: NDArray[Any]
) -> Pixels:
    """The pixels in a file; OSError where there is no room for it."""
    shape, settings = (len(values), *like.shape[1:]), preparation.processor.to_json_string()
    how = f"pixels {like.dtype} {shape} {preparation.late} {preparation.least} {settings}"
    place = folder / digest(how.encode(), *map(content, values))
    used = use(place)
    if used is not None:
        return Pixels(np.load(place / FILE, mmap_mode="r"), used.facts["narrow"], used.lease)
    with entry(place, prod(shape) * like.itemsize) as draft:
        pixels = room_for(draft / FILE, like.dtype, shape)
        narrow = fill(preparation, values, pixels, source)
        pixels.flush()
        seal(draft, {"narrow": narrow})
    lease = hold(place)
    if lease is None:
        raise OSError(ENOSPC, "another process took the room")
    return Pixels(np.load(place / FILE, mmap_mode="r"), narrow, lease)


def content(value: Any) -> bytes:
    """A hash of the picture's file."""
    try:
        source = source_of(value)
        return sha256(source.read_bytes() if isinstance(source, Path) else source).digest()
    except (BrokenImage, OSError):
        open_image(value)  # which says what is wrong with it
        raise


def fill(preparation: Preparation, values: Sequence[Any], pixels: Any, source: str) -> list[int]:
    """Write the pixels of every picture; returns the numbers of those of which only the middle was taken."""
    narrow = []
    for i, (value, (one, cut)) in enumerate(prepared_all(preparation, values)):
        if one.shape != pixels.shape[1:]:
            raise WarmstartError(
                f"{source}: its processor makes {name_of(values[0])} {pixels.shape[1:]} "
                f"and {name_of(value)} {one.shape}",
                "set a crop or a fixed size in preprocessor_config.json",
                "ragged-images",
            )
        pixels[i] = one
        narrow += [i] if cut else []
    return narrow


def prepared_all(
    preparation: Preparation, values: Sequence[Any]
) -> Iterator[tuple[Any, tuple[NDArray[Any], bool]]]:
    """Every picture with what was prepared of it, in their order; some pictures at a time are read.

    Decoders let go of the interpreter's lock: threads share the work where the first few show that it pays.
    """
    threads, taken, shared = torch.get_num_threads(), {False: 0.0, True: 0.0}, False
    with without_warnings(), ThreadPoolExecutor(max(1, threads)) as pool:
        for number, begin in enumerate(range(0, len(values), AHEAD)):
            some = [values[i] for i in range(begin, min(begin + AHEAD, len(values)))]
            if threads > 1 and number <= 2:  # in line, by threads, then the better of the two
                shared = number == 1 or (number == 2 and taken[True] < WORTH * taken[False])
            started = time.perf_counter()
            done = list((pool.map if shared else map)(preparation.prepared, some))
            taken[shared] = time.perf_counter() - started
            yield from zip(some, done, strict=True)
