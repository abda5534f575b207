"""The proofs of one training, settled one by one as it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from warmstart.base.types import Proof
from warmstart.street.proofs import PROOFS
from warmstart.street.proofs._tick import Scene, Tick, absent
from warmstart.tune.check import check_plan
from warmstart.tune.memory import is_shortage

Moment = Literal["begun", "learned", "shipped"]


class Ledger:
    """Opened before a training begins; holds all proofs once the model is shipped."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.open: dict[str, Tick] = {name: PROOFS.get(name)() for name in PROOFS.names()}
        self.settled: dict[str, Proof] = {}

    def at(self, moment: Moment, scene: Scene) -> None:
        """Let every open proof look. RuntimeError where one fails without which all numbers are wrong."""
        if moment == "begun" and scene.plan.phases:
            check_plan(scene.plan, scene.model.anatomy)  # what a user can cause is said in their words
        for name, tick in list(self.open.items()):
            if tick.learns and not scene.plan.phases:
                found: Proof | None = absent("nothing is trained")
            else:
                found = borne(getattr(tick, moment), scene)
            if found is not None:
                self.settle(name, found)

    def settle(self, name: str, found: Proof) -> None:
        tick = self.open.pop(name)
        proof = replace(found, name=name, what=f"{tick.claim}: {found.what}")
        self.settled[name] = proof
        if proof.holds is False and tick.stops:
            seen = "no number" if proof.seen is None else f"{proof.seen:g}"
            raise RuntimeError(
                f"{self.run}: a proof fails. {proof.what} (seen {seen}, at most {proof.bound:g})"
            )

    @property
    def ticks(self) -> tuple[Proof, ...]:
        """All proofs, in the order in which they are shown."""
        assert not self.open, f"never settled: {', '.join(self.open)}"
        return tuple(self.settled[name] for name in in_order(self.settled))


def in_order(names: object) -> list[str]:
    """Names of proofs as they are shown; those of parts that are gone by now come last."""
    known = {name: PROOFS.get(name).order for name in PROOFS.names()}
    return sorted(names, key=lambda name: (known.get(name, 1000), name))  # type: ignore[call-overload, no-any-return]


def borne(look: Callable[[Scene], Proof | None], scene: Scene) -> Proof | None:
    """What a proof finds; where memory does not suffice for it, the training may still do with less."""
    try:
        return look(scene)
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
    return absent("memory did not suffice to look")
