"""The zoo: what its pictures are, that they can be drawn again, that its models are what their cards say."""

from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from warmstart.base.seeds import generator
from warmstart.models.card import candidate

SCRIPTS = Path(__file__).parents[2] / "scripts"
ZOO = Path(str(files("warmstart.models.zoo")))
NAMES = ("letters", "textures", "shuffled")


@pytest.fixture(scope="module", autouse=True)
def scripts():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield


@pytest.fixture(scope="module")
def letters():
    """Class name -> six letters."""
    drawn = import_module("zoo_pictures").draw("letters", "train", 6, 0)
    return {name: [p for n, p in drawn if n == name] for name, _ in drawn}


@pytest.fixture(scope="module")
def digits():
    return [np.round(scan * (255 / 16)).astype(np.uint8) for scan in load_digits().images]


def loaded(name):
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(ZOO / name, local_files_only=True).eval()
    return model, AutoImageProcessor.from_pretrained(ZOO / name, local_files_only=True)


def run(name, pictures):
    """Class names that a zoo model gives to pictures, and its pooled features N x D."""
    import torch

    model, prepare = loaded(name)
    images = prepare([Image.fromarray(p) for p in pictures], return_tensors="pt")["pixel_values"]
    with torch.inference_mode():
        features = torch.cat([model.base_model(part).pooler_output.flatten(1) for part in images.split(256)])
        answers = model.classifier(features[:, :, None, None]).argmax(1)
    return [model.config.id2label[int(a)] for a in answers], features.numpy()


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


@pytest.mark.parametrize("source", NAMES)
def test_the_same_seed_draws_the_same_files_and_another_seed_others(source, tmp_path):
    write = import_module("zoo_pictures").write_pictures
    one, again, other = (
        contents(write(source, tmp_path / n, 2, s)) for n, s in (("a", 0), ("b", 0), ("c", 1))
    )
    assert one == again
    assert len(other) == len(one)
    assert sum(one.get(path) == data for path, data in other.items()) < 0.05 * len(one)


def test_no_picture_of_one_split_is_in_another(tmp_path):
    write = import_module("zoo_pictures").write_pictures
    pictures = contents(write("letters", tmp_path, 10, 0))
    splits = {s: {d for p, d in pictures.items() if p.startswith(s)} for s in ("train", "validation", "test")}
    assert [len(splits[s]) for s in ("train", "validation", "test")] == [370, 37, 74]
    assert not splits["train"] & splits["test"] and not splits["validation"] & splits["test"]


def test_the_letters_are_letters_only(letters):
    assert {name[-1] for name in letters} >= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for name in letters:
        case, character = name.split("_")
        assert len(character) == 1 and character.isascii() and character.isalpha(), name
        assert character.isupper() == (case == "letter"), name
    assert len({name.lower() for name in letters}) == len(letters)  # folders, where case is not told apart


def test_letters_have_the_grey_levels_of_the_digit_scans(letters, digits):
    drawn = np.stack([p for pictures in letters.values() for p in pictures])
    assert drawn.shape[1:] == (8, 8) and drawn.dtype == np.uint8
    assert set(np.unique(drawn)) == set(np.unique(digits)) and len(np.unique(drawn)) == 17


def test_letters_lie_and_weigh_like_the_digit_scans(letters, digits):
    drawn = np.stack([p for pictures in letters.values() for p in pictures]).astype(float)
    scans = np.stack(digits).astype(float)
    assert drawn.mean() == pytest.approx(scans.mean(), rel=0.05)
    columns = drawn.mean((0, 1)), scans.mean((0, 1))
    assert np.abs(columns[0] - columns[1]).max() < 0.15 * 255
    assert columns[0][[0, -1]].max() < 0.02 * 255


def test_no_letter_is_empty_and_no_two_draws_are_equal(letters):
    for name, pictures in letters.items():
        ink = [p.mean() / 255 for p in pictures]
        assert min(ink) > 0.15 and max(ink) < 0.45, name
        assert len({p.tobytes() for p in pictures}) == len(pictures), name


def test_every_texture_shows_something():
    for name, picture in import_module("zoo_pictures").draw("textures", "train", 3, 0):
        assert picture.shape == (32, 32) and picture.dtype == np.uint8
        assert np.quantile(picture, 0.95) - np.quantile(picture, 0.05) > 60, name


def test_shuffling_keeps_pictures_and_names_but_not_their_bond():
    zoo_pictures = import_module("zoo_pictures")
    pictures = zoo_pictures.draw("letters", "test", 4, 0)
    dealt = zoo_pictures.shuffled(pictures, generator(0, "test"))
    assert [p.tobytes() for _, p in dealt] == [p.tobytes() for _, p in pictures]
    assert sorted(name for name, _ in dealt) == sorted(name for name, _ in pictures)
    assert np.mean([a == b for (a, _), (b, _) in zip(dealt, pictures, strict=True)]) < 0.15


@pytest.mark.parametrize("name", NAMES)
def test_a_zoo_folder_is_small_complete_and_loads_as_float32(name):
    kept = {"README.md", "config.json", "model.safetensors", "preprocessor_config.json"}
    assert {p.name for p in (ZOO / name).iterdir()} == kept
    assert sum(p.stat().st_size for p in (ZOO / name).iterdir()) < 1_000_000
    model, _ = loaded(name)
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    classes = {n for n, _ in import_module("zoo_pictures").draw(name, "test", 1, 0)}
    assert set(model.config.id2label.values()) == set(model.config.label2id) == classes
    known = candidate(f"zoo:{name}")
    assert known.licence == "apache-2.0"
    assert known.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_the_accuracy_on_the_card_holds_on_pictures_drawn_now(name):
    pictures = import_module("zoo_pictures").draw(name, "test", 8, seed=99)
    answers, _ = run(name, [p for _, p in pictures])
    right = sum(a == truth for a, (truth, _) in zip(answers, pictures, strict=True))
    low, high = binom.interval(0.9999, len(pictures), candidate(f"zoo:{name}").source_accuracy)
    assert low <= right <= high


def test_letters_carry_to_digits_better_than_textures_and_shuffled_names(digits):
    truth = load_digits().target
    few = StratifiedShuffleSplit(3, train_size=50, test_size=1700, random_state=0)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    accuracy = {n: cross_val_score(probe, run(n, digits)[1], truth, cv=few).mean() for n in NAMES}
    assert accuracy["letters"] > 0.88
    assert accuracy["letters"] > max(accuracy["textures"], accuracy["shuffled"]) + 0.08


def test_a_zoo_model_can_be_built_again_to_the_last_bit(tmp_path):
    build_zoo = import_module("build_zoo")
    built = []
    for out in (tmp_path / "one", tmp_path / "two"):
        build_zoo.build("letters", out, 3, build_zoo.Recipe(per_class=2, epochs=1))
        built.append({p.name: p.read_bytes() for p in out.iterdir()})
    assert built[0] == built[1]
    assert set(built[0]) == {p.name for p in (ZOO / "letters").iterdir()}
