"""Real rows with faults planted in them, of which it is known which they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.street import ASSETS
from warmstart.base.seeds import generator
from warmstart.models.features import pooled_features
from warmstart.models.load import load
from warmstart.tasks import TASKS

TEXTS = ("snips_intents", "sms_spam", "banking77")
IMAGES = ("mnist_small", "sign_digits", "trashnet")
SETS = (*TEXTS, *IMAGES)
MODELS = {"text": "all-MiniLM-L6-v2", "image": "mobilenet_v2_1.0_224"}
POOL = 2000  # rows of a set that are drawn from
ONE_FROM, TWO_FROM = 8, 12  # words of a text in which one, or two, are changed
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Pool:
    """Rows of one set: texts, or paths of pictures, with their labels."""

    name: str
    values: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "image" if self.name in IMAGES else "text"

    def draw(self, rows: int, seed: int, what: str) -> NDArray[np.int64]:
        """Numbers of so many different rows, or of all if there are no more, in random order."""
        return generator(seed, "faults", what, self.name).permutation(len(self.values))[:rows]


def pool(name: str) -> Pool:
    """At most POOL training rows of a set, by chance, always the same."""
    place = ASSETS / "data" / name
    if name in TEXTS:
        with (place / "train.csv").open(encoding="utf-8", newline="") as file:
            rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    else:
        files = sorted(p for p in (place / "train").glob("*/*") if p.suffix in (".jpg", ".png"))
        rows = [(str(path.resolve()), path.parent.name) for path in files]
    chosen = generator(0, "pool", name).permutation(len(rows))[:POOL]
    return Pool(name, *zip(*(rows[i] for i in chosen), strict=True))


def features(rows: Pool, out: Path) -> NDArray[np.float32]:
    """N x D features that the ranking would score, computed once; kept in `out`."""
    path = out / f"features-{rows.name}.npy"
    if path.is_file():
        return np.asarray(np.load(path))
    model = load(str(ASSETS / "weights" / MODELS[rows.kind]), rows.kind)
    inputs, _ = TASKS.get(f"{rows.kind}_classification")().encode(model, rows.values, None)
    found = dict(pooled_features(model.anatomy, inputs))
    if rows.kind == "text":
        layers = [v for name, v in found.items() if name.startswith(("embeddings", "layer."))]
        read_ND = np.mean(layers, axis=0, dtype=np.float32)
    else:
        read_ND = list(found.values())[-1]
    np.save(path, read_ND)
    return np.asarray(read_ND)


def mislabelled(
    labels_N: NDArray[np.int64], number: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The labels with so many of them replaced by others, by chance; and which these are."""
    random, classes = generator(seed, "mislabel"), int(labels_N.max()) + 1
    wrong = random.choice(len(labels_N), number, replace=False)
    again_N = labels_N.copy()
    again_N[wrong] = (labels_N[wrong] + 1 + random.integers(classes - 1, size=number)) % classes
    return again_N, wrong


Copy = tuple[str | bytes, str]  # the copy, and how it was made


def text_copy(text: str, strange: Sequence[str], random: np.random.Generator, words: int) -> Copy:
    """A text nearly the same: `words` words replaced by others of the set, other case, other punctuation."""
    found = list(WORD.finditer(text))
    chosen = {int(i) for i in random.choice(len(found), words, replace=False)} if words else set()
    parts, end = [], 0
    for number, match in enumerate(found):
        parts.append(text[end : match.start()])
        parts.append(str(random.choice(strange)) if number in chosen else match.group())
        end = match.end()
    again = "".join([*parts, text[end:]])
    how = int(random.integers(3))
    made = (again.upper(), f"{again} !!", again.replace(" ", ", ", 1))[how]
    return made, ("one word", "two words")[words - 1] if words else "case, punctuation"


def image_copy(path: str, random: np.random.Generator) -> Copy:
    """A picture nearly the same: stored again as JPEG, 5 % smaller, or 3 % brighter."""
    from PIL import Image, ImageEnhance

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    made = ("JPEG", "5 % smaller", "3 % brighter")[int(random.integers(3))]
    if made == "5 % smaller":
        image = image.resize((round(image.width * 0.95), round(image.height * 0.95)))
    if made == "3 % brighter":
        image = ImageEnhance.Brightness(image).enhance(1.03)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60 if made == "JPEG" else 90)
    return buffer.getvalue(), made


def copies(rows: Pool, numbers: Sequence[int], seed: int, short: bool = False) -> list[Copy]:
    """A near-duplicate of each of these rows; with `short` a word of however short texts is changed."""
    random = generator(seed, "copies", rows.name, short)
    if rows.kind == "image":
        return [image_copy(rows.values[i], random) for i in numbers]
    strange = sorted({word for text in rows.values[:300] for word in WORD.findall(text)})
    return [text_copy(rows.values[i], strange, random, changed_words(rows.values[i], short)) for i in numbers]


def changed_words(text: str, short: bool) -> int:
    """How many words of a copy are others."""
    words = len(WORD.findall(text))
    if short:
        return min(1, words)
    return 2 if words >= TWO_FROM else 1 if words >= ONE_FROM else 0


def shifted(rows: Pool, numbers: Sequence[int], seed: int) -> list[str | bytes]:
    """The rows as they come from elsewhere: every second text with a greeting, pictures a fifth darker."""
    from PIL import Image, ImageEnhance

    random = generator(seed, "shifted", rows.name)
    if rows.kind == "text":
        return [("hello there, " if random.random() < 0.5 else "") + rows.values[i] for i in numbers]
    made: list[str | bytes] = []
    for i in numbers:
        with Image.open(rows.values[i]) as opened:
            dark = ImageEnhance.Brightness(opened.convert("RGB")).enhance(0.8)
        buffer = io.BytesIO()
        dark.save(buffer, "PNG")
        made.append(buffer.getvalue())
    return made


def write(
    folder: Path, rows: Pool, sides: dict[str, Sequence[tuple[str | bytes, str, dict[str, Any]]]]
) -> Path:
    """Rows of each side ("train", "test") as (value, label, other columns), where warmstart reads them.

    Texts as <side>.csv; pictures as <side>/<class>/<number>, so that their places have their numbers.
    """
    folder.mkdir(parents=True)
    make: Callable[..., None] = _table if rows.kind == "text" else _pictures
    for side, given in sides.items():
        make(folder, side, given)
    return folder


def _table(folder: Path, side: str, rows: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    with (folder / f"{side}.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("text", "label", *rows[0][2]))
        table.writerows((value, label, *more.values()) for value, label, more in rows)


def _pictures(folder: Path, side: str, rows: Sequence[tuple[str | bytes, str, dict[str, Any]]]) -> None:
    for number, (value, label, _) in enumerate(rows):
        place = folder / side / label
        place.mkdir(parents=True, exist_ok=True)
        content = value if isinstance(value, bytes) else Path(value).read_bytes()
        (place / f"{number:05}.jpg").write_bytes(content)
