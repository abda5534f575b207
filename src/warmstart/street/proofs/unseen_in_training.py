"""No test row was seen in training: rows as they were fed, compared by a hash of what the model reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import ClassVar
from weakref import WeakKeyDictionary

from torch import Tensor

from warmstart.base.types import Bundle, Proof
from warmstart.data.prints import text_digest
from warmstart.models.inputs import Inputs, Some, bytes_of
from warmstart.street.proofs._tick import Scene, Tick, compared
from warmstart.tasks._classification import Cells

TAUGHT = ("train", "validation")
COPIES = ("duplicates", "near_duplicates", "leaks", "conflicts")  # checks that know of equal rows
LEFT = ("kept as you brought", "kept, as you brought")  # how they say that such rows stayed

MARKS: WeakKeyDictionary[Inputs, list[bytes]] = WeakKeyDictionary()  # while the rows are in memory
Place = tuple[str, int]  # a split, and the place of a row in it


@dataclass
class UnseenInTraining(Tick):
    """Numbers of rows are disjoint, and so is their content: token numbers, or pixels.

    Texts that only read alike, being cut or of words that the model does not know, are told and do not count.
    """

    order: ClassVar[int] = 80
    claim: ClassVar[str] = "No test row was seen in training"
    do: ClassVar[str] = "take the test rows that also teach out of the training rows, and run anew"

    def begun(self, scene: Scene) -> Proof:
        splits = {name: scene.ready.splits[name].inputs for name in (*TAUGHT, "test")}
        taught = {mark: (name, i) for name in TAUGHT for i, mark in enumerate(known(splits[name]))}
        pairs = [(i, taught[m]) for i, m in enumerate(known(splits["test"])) if m in taught]
        alike = only_alike(scene, pairs)
        numbers = {name: set(scene.ready.numbers[name]) for name in splits}
        shared = len(numbers["test"] & (numbers["train"] | numbers["validation"]))
        copies = max(len(pairs) - alike, shared)
        left = min(copies, left_by_checks(scene.bundle))
        what = f"{len(splits['test']):,} test rows, and {len(taught):,} that taught or chose; those in both"
        what += f"; {left:,} more are copies that the findings report" if left else ""
        what += f"; {alike:,} others only read alike to this model" if alike else ""
        return compared(what, copies - left, 0)


def known(inputs: Inputs) -> list[bytes]:
    """The same, once for all trainings that are fed from these rows."""
    if inputs not in MARKS:
        MARKS[inputs] = list(marks(inputs))
    return MARKS[inputs]


def marks(inputs: Inputs) -> Iterator[bytes]:
    """A hash of each row as it is fed, without padding."""
    for row in range(len(inputs)):
        mark = blake2b(digest_size=16)
        for name, value in sorted(inputs.batch([row]).items()):
            assert isinstance(value, Tensor)
            mark.update(f"{name} {tuple(value.shape)}".encode())
            mark.update(bytes_of(value))
        yield mark.digest()


def only_alike(scene: Scene, pairs: Sequence[tuple[int, Place]]) -> int:
    """Of pairs of a test row and one that taught: texts that differ, and are read as they should be."""
    if scene.task.modality != "text":
        return 0
    numbers = scene.ready.numbers
    differ = [place for test, place in pairs if content(scene, "test", test) != content(scene, *place)]
    if not differ:
        return 0
    fed = [next(marks(Some(scene.ready.splits[name].inputs, [i]))) for name, i in differ]
    read, _ = scene.task.inputs(scene.model, scene.bundle, [numbers[name][i] for name, i in differ], None)
    return sum(one == other for one, other in zip(fed, marks(read), strict=True))


def content(scene: Scene, name: str, place: int) -> bytes:
    """What the user wrote in a row, as the checks know it."""
    cells = Cells(scene.bundle, scene.task.roles[0], scene.ready.numbers[name])
    return text_digest(str(cells[place]))


def left_by_checks(bundle: Bundle) -> int:
    """Rows that checks found to be copies, and left since the user brought them so."""
    return sum(f.count for f in bundle.findings if f.check in COPIES and f.do.startswith(LEFT))


PROOF = UnseenInTraining
