"""Images that are nearly the same: dHashes within 4 of 64 bits, then the thumbnails compared pixel by pixel.

The hash alone would glue all plain images together, and many drawings on an empty ground: it says only where
an image gets brighter, not by how much.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from warmstart.data.near import distinct, equal_neighbours

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BITS = 4
CORRELATION = 0.99  # of the thumbnails' pixels
DIFFERENCE = 40.0  # largest mean absolute difference of pixels, 0-255
CONTRAST = 4.0  # standard deviation of a colour below which an image is plain and equals only its exact copy
EXACT_UP_TO = 20_000  # images compared each with each
MOST_PAIRS = 4_000_000  # of hashes that are verified
BLOCK = 2_000
PIXELS = 16 * 16  # of a thumbnail


def near_images(hashes: "NDArray[np.uint64]", thumbs: Sequence[bytes]) -> tuple["NDArray[np.int64]", bool]:
    """P x 2 numbers of images that look the same, from N hashes and thumbnails; and if any were skipped."""
    import numpy as np

    pixels = np.frombuffer(b"".join(thumbs), np.uint8).reshape(len(thumbs), PIXELS, 3)
    rich = np.flatnonzero(pixels.std(axis=1).max(axis=1) >= CONTRAST)
    search = _each_with_each if len(rich) <= EXACT_UP_TO else _by_parts
    pairs, capped = search(np.asarray(hashes, np.uint64)[rich])
    found = rich[pairs].reshape(-1, 2)
    blocks = [found[start : start + BLOCK] for start in range(0, len(found), BLOCK)]
    kept = [block[_look_alike(pixels, block)] for block in blocks]
    return np.concatenate([np.empty((0, 2), np.int64), *kept]), capped


def _signs(hashes: "NDArray[np.uint64]") -> "NDArray[np.float32]":
    """N x 64 of -1 and 1: the product of two rows is 64 - 2 * (bits that differ)."""
    import numpy as np

    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(len(hashes), 8), axis=1)
    return bits.astype(np.float32) * 2 - 1


def _each_with_each(hashes: "NDArray[np.uint64]") -> tuple["NDArray[np.int64]", bool]:
    import numpy as np

    signs, found, total = _signs(hashes), [np.empty((0, 2), np.int64)], 0
    for start in range(0, len(hashes), BLOCK):
        close = signs[start : start + BLOCK] @ signs[start:].T >= 64 - 2 * BITS
        pairs = np.argwhere(np.triu(close, 1)) + start
        found.append(pairs)
        total += len(pairs)
        if total > MOST_PAIRS:
            return np.concatenate(found)[:MOST_PAIRS], True
    return np.concatenate(found), False


def _by_parts(hashes: "NDArray[np.uint64]") -> tuple["NDArray[np.int64]", bool]:
    """Two hashes that differ in at most 4 bits agree in one of 5 parts; only those that do are compared."""
    import numpy as np

    found, capped = [], False
    for shift, width in ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12)):
        pairs, cut = equal_neighbours(hashes >> np.uint64(shift) & np.uint64(2**width - 1), few=50)
        found.append(pairs)
        capped |= cut
    pairs, signs = distinct(np.concatenate(found), len(hashes)), _signs(hashes)
    close = [
        (signs[block[:, 0]] * signs[block[:, 1]]).sum(1) >= 64 - 2 * BITS
        for block in np.array_split(pairs, max(1, len(pairs) // 100_000))
    ]
    return pairs[np.concatenate(close)], capped


def _look_alike(pixels: "NDArray[np.uint8]", pairs: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """For each of P pairs: are the thumbnails nearly the same? Each colour is compared about its own mean."""
    import numpy as np

    one, other = pixels[pairs[:, 0]].astype(np.float32), pixels[pairs[:, 1]].astype(np.float32)
    difference = np.abs(one - other).mean((1, 2))
    one, other = one - one.mean(1, keepdims=True), other - other.mean(1, keepdims=True)
    product = (one * other).sum((1, 2)) / np.sqrt((one**2).sum((1, 2)) * (other**2).sum((1, 2)))
    alike: NDArray[np.bool_] = (difference <= DIFFERENCE) & (product >= CORRELATION)
    return alike
