"""The demo's data: scikit-learn's scans of handwritten digits (Alpaydin and Kaynak 1998) as class folders."""

from __future__ import annotations

from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import generator

MOST_FOR_VALIDATION = 20  # rows per class


def write_digits(folder: Path, per_class: int, seed: int) -> Path:
    """Write the 1,797 scans to folder/{train,validation,test}/<digit>/<row>.png and return `folder`.

    train gets `per_class` scans of each digit, validation as many but at most 20, test all the rest; the seed
    decides which. Pictures are 8 x 8 and grey, 255/16 per grey level; <row> is the place in `load_digits`.
    Raises WarmstartError if `per_class` leaves a digit without test rows or the folder is not empty.
    """
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    scans = load_digits()
    validation = min(per_class, MOST_FOR_VALIDATION)
    most = int(np.bincount(scans.target).min()) - MOST_FOR_VALIDATION - 1
    if not 1 <= per_class <= most:
        raise WarmstartError(
            f"{per_class} digits per class", f"choose 1 to {most}: the rest proves", "wrong-value"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WarmstartError(f"{folder} is not empty", "give a new folder", "folder-not-empty")
    for digit in range(10):
        rows = generator(seed, "digits", digit).permutation(np.flatnonzero(scans.target == digit))
        parts = np.split(rows, [per_class, per_class + validation])
        for split, part in zip(("train", "validation", "test"), parts, strict=True):
            place = folder / split / str(digit)
            place.mkdir(parents=True)
            for row in part:
                picture = np.round(scans.images[row] * (255 / 16)).astype(np.uint8)
                Image.fromarray(picture).save(place / f"{row:04}.png")
    return folder
