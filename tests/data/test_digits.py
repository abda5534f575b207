"""The demo's digits: real scans in three splits that share no row."""

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from warmstart.base.errors import WarmstartError
from warmstart.data.digits import write_digits


def rows(folder):
    """Split -> list of (row, digit) as the files' names say."""
    return {
        split.name: [(int(p.stem), int(p.parent.name)) for p in sorted(split.glob("*/*.png"))]
        for split in folder.iterdir()
    }


@pytest.mark.parametrize(("per_class", "validation"), [(5, 5), (20, 20), (100, 20)])
def test_each_split_has_the_right_number_of_each_digit(per_class, validation, tmp_path):
    splits = rows(write_digits(tmp_path / "digits", per_class, 0))
    counts = {name: np.bincount([digit for _, digit in split]) for name, split in splits.items()}
    assert (counts["train"] == per_class).all() and (counts["validation"] == validation).all()
    assert (sum(counts.values()) == np.bincount(load_digits().target)).all()


def test_no_row_is_in_two_splits_and_each_file_is_the_row_that_its_name_says(tmp_path):
    folder = write_digits(tmp_path / "digits", 5, 0)
    splits = rows(folder)
    everywhere = sum(splits.values(), [])
    assert len(everywhere) == len({row for row, _ in everywhere}) == 1797
    scans = load_digits()
    assert all(scans.target[row] == digit for row, digit in everywhere)
    for path in folder.glob("train/*/*.png"):
        picture = Image.open(path)
        assert picture.mode == "L" and picture.size == (8, 8)
        assert (np.round(np.asarray(picture) * (16 / 255)) == scans.images[int(path.stem)]).all()
        assert np.asarray(picture).max() <= 255


def test_the_seed_alone_decides_which_rows_teach(tmp_path):
    one, again, other = (rows(write_digits(tmp_path / n, 5, s)) for n, s in (("a", 0), ("b", 0), ("c", 1)))
    assert one == again
    assert set(one["train"]) != set(other["train"])


@pytest.mark.parametrize("per_class", [0, 154, 1000])
def test_a_number_that_leaves_no_rows_to_prove_with_is_refused(per_class, tmp_path):
    with pytest.raises(WarmstartError, match="choose 1 to 153"):
        write_digits(tmp_path / "digits", per_class, 0)
    assert not (tmp_path / "digits").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(WarmstartError, match="not empty"):
        write_digits(tmp_path, 5, 0)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
