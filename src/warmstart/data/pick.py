"""Choosing whole units of rows so that every class comes near its share and none is left out on any side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

ATTEMPTS = 20  # orders that are tried when units of several classes get in each other's way
LOOK_AHEAD = 50  # units that are weighed when a class needs its first


@dataclass(frozen=True)
class Unit:
    """Rows that stay together; `key` is a digest of their content."""

    key: bytes
    classes: dict[str, int]  # class -> rows
    rows: tuple[int, ...]


def pick(order: Callable[[int], Sequence[Unit]], share: float, keep: int) -> list[Unit]:
    """Units with about `share` of each class's rows, at least one; `keep` units of each class are left over.

    `order(attempt)` gives the units in the order of chance. Of several attempts the first that leaves out no
    class is taken, else the one that leaves out the fewest; with units of one class the first succeeds.
    Classes of `keep` units or fewer are left out and not counted.
    """
    best: list[Unit] = []
    fewest = -1
    for attempt in range(ATTEMPTS):
        picked, missing = _attempt(order(attempt), share, keep)
        if fewest < 0 or missing < fewest:
            best, fewest = picked, missing
        if not missing:
            break
    return best


class _State:
    """How much of each class is taken, and in how many units the rest lies."""

    def __init__(self, units: Sequence[Unit], share: float, keep: int) -> None:
        total: dict[str, int] = {}
        self.left: dict[str, int] = {}
        for unit in units:
            for name, rows in unit.classes.items():
                total[name] = total.get(name, 0) + rows
                self.left[name] = self.left.get(name, 0) + 1
        self.possible = [name for name, units_of_it in self.left.items() if units_of_it > keep]
        self.goal = {name: share * rows for name, rows in total.items()}
        self.taken = dict.fromkeys(total, 0)
        self.keep = keep

    def may(self, unit: Unit) -> bool:
        return all(self.left[name] > self.keep for name in unit.classes)

    def change(self, unit: Unit) -> float:
        """By how much taking the unit moves the classes away from their shares (below 0: towards)."""
        return sum(
            n * (n + 2 * (self.taken[name] - self.goal[name])) / self.goal[name]
            for name, n in unit.classes.items()
        )

    def take(self, unit: Unit) -> None:
        for name, rows in unit.classes.items():
            self.taken[name] += rows
            self.left[name] -= 1


def _attempt(units: Sequence[Unit], share: float, keep: int) -> tuple[list[Unit], int]:
    """The units taken in this order, and how many classes have none."""
    state = _State(units, share, keep)
    picked = _first_of_each(units, state)
    for number, unit in enumerate(units):
        if number not in picked and state.may(unit) and state.change(unit) < 0:
            state.take(unit)
            picked.add(number)
    return [units[number] for number in sorted(picked)], sum(not state.taken[name] for name in state.possible)


def _first_of_each(units: Sequence[Unit], state: _State) -> set[int]:
    """One unit for each class, the rarest first; of the next few the one that disturbs the shares least."""
    holding: dict[str, list[int]] = {name: [] for name in state.goal}
    for number, unit in enumerate(units):
        for name in unit.classes:
            holding[name].append(number)
    picked: set[int] = set()
    for name in sorted(holding, key=lambda n: (len(holding[n]), n)):
        if state.taken[name]:
            continue
        able = [number for number in holding[name] if state.may(units[number])][:LOOK_AHEAD]
        if able:
            number = min(able, key=lambda n: state.change(units[n]))
            state.take(units[number])
            picked.add(number)
    return picked
