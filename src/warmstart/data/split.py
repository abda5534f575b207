"""Three splits: stratified by label, groups and near-duplicates never on two sides, blind to row order."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.data.draft import DIGEST, Draft, count
from warmstart.data.labels import in_order
from warmstart.data.limit import limited
from warmstart.data.names import flag
from warmstart.data.near import components
from warmstart.data.pick import Unit, pick

TEST = 0.2  # of all rows
VALIDATION = 0.2  # of the rest


@dataclass(frozen=True)
class Splits:
    """Row numbers of the draft, ascending; rows beyond the limit are in none."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


def split(draft: Draft, seed: int, limit: int | None = None) -> Splits:
    """Honour the splits that the user brought and make the missing ones from the rest.

    Test first: 20 % of all rows. Then at most `limit` rows are kept for train and validation together,
    stratified, and 20 % of those that are in no split yet become validation. Every class is in every split
    that is made, where its rows allow. Raises WarmstartError where the groups or the limit do not.
    """
    parts = _Parts(draft, seed, units_of(draft))
    train = [row for row, inside in enumerate(draft.pool) if inside]
    validation, test = parts.brought("validation"), parts.brought("test")
    if not train:
        raise WarmstartError(
            f"{draft.source} has no rows for training (all are {' or '.join(sorted(draft.brought))})",
            "name the training file, and this one with --test",
            "no-training-rows",
        )
    if not test:
        apart = {parts.units[row] for row in validation}  # a group that is there cannot be in test as well
        free = [row for row in train if parts.units[row] not in apart]
        test = parts.take(free, TEST, "test", leave=1 if validation else 2)
        train = _without(train, test)
    if limit is not None:
        kept = limited(draft, parts.units, train + validation, limit, seed)
        train, validation = [r for r in train if r in kept], [r for r in validation if r in kept]
    if not validation:
        validation = parts.take(train, VALIDATION, "validation", leave=1)
        train = _without(train, validation)
    return Splits(tuple(train), tuple(validation), tuple(test))


def _without(rows: list[int], taken: list[int]) -> list[int]:
    gone = set(taken)
    return [row for row in rows if row not in gone]


def units_of(draft: Draft) -> list[int]:
    """For each row the number of the unit it cannot be parted from: its group and its near-duplicates."""
    import numpy as np

    pairs = draft.near_rows()
    if "group" in draft.roles:
        first: dict[str, int] = {}
        groups = [
            (first.setdefault(g, row), row) for row, g in enumerate(draft.values("group")) if g and g.strip()
        ]
        pairs = np.concatenate([pairs, np.array(groups, np.int64).reshape(-1, 2)])
    return list(map(int, components(len(draft), pairs)))


class _Parts:
    """The rows of a draft as units that are given to one split or another."""

    def __init__(self, draft: Draft, seed: int, units: list[int]) -> None:
        self.draft, self.seed, self.units = draft, seed, units
        self.labels: list[str] = draft.values("label")
        self.digests: list[bytes] = draft.column(DIGEST)
        self.splits = draft.splits

    def brought(self, name: str) -> list[int]:
        return [row for row, split_name in enumerate(self.splits) if split_name == name]

    def take(self, rows: list[int], share: float, name: str, leave: int) -> list[int]:
        """The rows of units with about `share` of `rows`, class by class; `leave` units of each stay."""
        members: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            members[self.units[row]].append(row)
        if "group" in self.draft.roles:
            self._refuse_few_groups(members.values(), leave + 1)
        made = [self._unit(inside) for inside in members.values()]

        def order(attempt: int) -> list[Unit]:
            return sorted(made, key=lambda unit: stream(self.seed, "split", name, attempt, unit.key.hex()))

        taken = sorted(row for unit in pick(order, share, leave) for row in unit.rows)
        self._refuse_missing(rows, taken, name)
        return taken

    def _unit(self, rows: list[int]) -> Unit:
        classes: dict[str, int] = {}
        for row in rows:
            classes[self.labels[row]] = classes.get(self.labels[row], 0) + 1
        return Unit(min(self.digests[row] for row in rows), classes, tuple(rows))

    def _refuse_few_groups(self, units: Iterable[list[int]], needed: int) -> None:
        """A class whose rows lie in too few groups cannot be in every split."""
        number = Counter(label for rows in units for label in {self.labels[row] for row in rows})
        for name in in_order(number):
            if number[name] < needed:
                self._refuse(name, f"it is in {count(number[name], 'group')}, and {needed} are needed")

    def _refuse_missing(self, rows: list[int], taken: list[int], name: str) -> None:
        if not taken:
            raise WarmstartError(
                f"{self.draft.source}: no rows can be set apart for {name}, as no class has rows to spare",
                f"add rows, or bring a {name} split: {flag(name, 'FILE')}",
                "class-too-small",
            )
        missing = {self.labels[row] for row in rows} - {self.labels[row] for row in taken}
        if missing and "group" in self.draft.roles:
            why = f"no choice of whole groups puts it in {name} and leaves some of it elsewhere"
            self._refuse(in_order(missing)[0], why)

    def _refuse(self, label: str, why: str) -> None:
        group = self.draft.roles["group"]
        raise WarmstartError(
            f"{self.draft.source}: class {label!r} cannot be in every split while rows of the same {group!r} "
            f"stay together: {why}",
            "bring splits of your own (--test FILE, --set validation=FILE), or ignore groups: --group none",
            "groups-too-few",
        )
