"""Trainings that overfit by design, each for one known reason, and trainings that do not; on real rows.

Labels are few; or what looks like many rows is a few of them, nearly repeated; or three labels in ten are
wrong; or the rate undoes what the weights knew; or fresh weights learn on long after the validation rows have
turned. Those that do not overfit learn little from many rows: a head, or an epoch or two.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.decisions.worlds import Item, items, world
from warmstart.base.seeds import generator

MOBILENET, MINILM, LETTERS = "mobilenet_v1_0.25_128", "minilm-l2-small", "zoo:letters"
LLAMA = "stories260k_llama"
PROVING = 400  # test rows at most
REPEATS = 10  # times that a repeated row stands there
FEW = 60  # rows up to which each class has the same number of them
WRONG = 0.3  # share of wrong labels
TO_THE_END = ("guards=[]",)  # the last weights are kept
NONE = ""


@dataclass(frozen=True)
class Trained:
    """One training: on which rows of a set, by which plan, and why it overfits ("": it does not)."""

    name: str
    cause: str
    world: str
    model: str
    rows: int  # that teach, different ones
    strategy: str
    settings: tuple[str, ...]
    choosing: int = 0  # validation rows; 0: a quarter of those that teach
    spoiled: str = ""  # "repeated" or "relabelled"


def tuned(epochs: int, *more: str) -> tuple[str, ...]:
    """The third phase of a plan that tunes everything: so many epochs, to the end."""
    return (f"phases.2.epochs={epochs}", *more, *TO_THE_END)


def fresh(epochs: int) -> tuple[str, ...]:
    return (f"phases.0.epochs={epochs}", *TO_THE_END)


OVERFIT = (
    Trained("few trashnet", "few labels", "trashnet", MOBILENET, 18, "full", tuned(40), 12),
    Trained("few banking", "few labels", "banking12", MINILM, 36, "full", tuned(40), 24),
    Trained(
        "repeated sign digits", "duplicates", "sign_digits", MOBILENET, 30, "full", tuned(10), 20, "repeated"
    ),
    Trained("repeated snips", "duplicates", "snips_intents", MINILM, 28, "full", tuned(10), 20, "repeated"),
    Trained(
        "relabelled snips", "label noise", "snips_intents", MINILM, 400, "full", tuned(25), 0, "relabelled"
    ),
    Trained(
        "relabelled mnist", "label noise", "mnist_small", MOBILENET, 400, "full", tuned(30), 0, "relabelled"
    ),
    Trained("fast amazon", "rate too high", "amazon", MINILM, 300, "full", tuned(20, "phases.2.lr=0.003")),
    Trained(
        "fast trashnet", "rate too high", "trashnet", MOBILENET, 240, "full", tuned(25, "phases.2.lr=0.006")
    ),
    Trained("long amazon", "too long", "amazon", MINILM, 400, "scratch", fresh(25)),
    Trained("long llama", "too long", "amazon", LLAMA, 400, "scratch", fresh(25)),
)
ONCE = ("phases.2.epochs=1",)


def steps(epochs: int, rate: float) -> tuple[str, ...]:
    """The head by steps instead of to its optimum: so many epochs."""
    return ("phases.0.solver=adamw", f"phases.0.epochs={epochs}", f"phases.0.lr={rate:g}")


SOUND = (
    Trained("an epoch of snips", NONE, "snips_intents", MINILM, 2000, "full", ONCE),
    Trained("an epoch of spam", NONE, "sms_spam", MINILM, 2000, "full", ONCE),
    Trained("steps on digits", NONE, "digits", LETTERS, 800, "frozen", steps(1, 0.003)),
    Trained("steps on snips", NONE, "snips_intents", MINILM, 2000, "frozen", steps(2, 0.003)),
    Trained("steps on spam", NONE, "sms_spam", MINILM, 2000, "frozen", steps(2, 0.003)),
    Trained("steps on amazon", NONE, "amazon", MINILM, 400, "frozen", steps(2, 0.001)),
    Trained("steps on yelp", NONE, "yelp", MINILM, 400, "frozen", steps(1, 0.001)),
    Trained("steps on mnist", NONE, "mnist_small", MOBILENET, 700, "frozen", steps(1, 0.001)),
    Trained("steps on sign digits", NONE, "sign_digits", MOBILENET, 450, "frozen", steps(1, 0.0005)),
    Trained("steps on trashnet", NONE, "trashnet", MOBILENET, 450, "frozen", steps(1, 0.0003)),
)
EVERY = (*OVERFIT, *SOUND)


@dataclass(frozen=True)
class Parted:
    """Rows by what they are for."""

    teaching: Sequence[Item]
    choosing: Sequence[Item]
    proving: Sequence[Item]


def parted(case: Trained, seed: int) -> Parted:
    """Drawn by chance, few rows of the classes in turn; the published test rows prove, as far as they go."""
    chosen = world(case.world)
    found = drawn(items(chosen, "train"), seed, case.world, case.rows <= FEW)
    count = case.choosing or case.rows // 4
    teaching, choosing, spare = (
        found[: case.rows],
        found[case.rows : case.rows + count],
        found[case.rows + count :],
    )
    tests = drawn(items(chosen, "test"), seed, f"{case.world} test")
    return Parted(teaching, choosing, [*tests, *spare][:PROVING])


def drawn(rows: Sequence[Item], seed: int, name: str, even: bool = False) -> list[Item]:
    """By chance; where they are to be `even`, of the classes in turn for as long as they last."""
    order = generator(seed, "overfits", name).permutation(len(rows))
    turn: dict[str, int] = defaultdict(int)
    placed: list[tuple[int, int, Item]] = []
    for place in order:
        turn[rows[place].label] += 1
        placed.append((turn[rows[place].label] if even else 0, len(placed), rows[place]))
    return [item for *_, item in sorted(placed, key=lambda entry: entry[:2])]


def write(case: Trained, seed: int, place: Path) -> Path:
    """rows.csv of a training, spoiled as it asks for; its splits are named."""
    parts = parted(case, seed)
    if case.spoiled == "relabelled":
        parts = replace(
            parts,
            teaching=relabelled(parts.teaching, seed, "teaching"),
            choosing=relabelled(parts.choosing, seed, "choosing"),
        )
    kind = world(case.world).kind
    place.mkdir(parents=True, exist_ok=True)
    with (place / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow([kind, "label", "split"])
        for item in parts.teaching:
            copies = repeated(item, kind, place) if case.spoiled == "repeated" else [item.value]
            table.writerows([value, item.label, "train"] for value in copies)
        table.writerows([item.value, item.label, "validation"] for item in parts.choosing)
        table.writerows([item.value, item.label, "test"] for item in parts.proving)
    return place / "rows.csv"


def relabelled(rows: Sequence[Item], seed: int, name: str) -> list[Item]:
    """Three labels in ten are another class's, whichever the row."""
    rng, labels = generator(seed, "relabelled", name), sorted({item.label for item in rows})
    wrong = set(rng.permutation(len(rows))[: round(WRONG * len(rows))].tolist())
    return [
        replace(item, label=str(rng.choice([c for c in labels if c != item.label]))) if i in wrong else item
        for i, item in enumerate(rows)
    ]


def repeated(item: Item, kind: str, place: Path) -> list[str]:
    """The row and nine that are nearly the same: a text spelled otherwise, a picture saved once more."""
    return [*texts(item.value)] if kind == "text" else [*pictures(Path(item.value), place)]


def texts(text: str) -> Iterator[str]:
    plain = text.strip().rstrip(".!?")
    for number in range(REPEATS):
        shape = (plain, plain.upper(), plain.capitalize(), plain.lower(), plain.title())[number % 5]
        yield shape if number < 5 else f"{shape} !"


def pictures(path: Path, place: Path) -> Iterator[str]:
    """Saved again with another quality and brightness."""
    from PIL import Image, ImageEnhance

    for number in range(REPEATS):
        there = place / "pictures" / f"{path.parent.name}-{path.stem}-{number}.jpg"
        there.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            bright = ImageEnhance.Brightness(image.convert("RGB")).enhance(0.97 + 0.006 * number)
            bright.save(there, quality=95 - 2 * number)
        yield str(there.resolve())
