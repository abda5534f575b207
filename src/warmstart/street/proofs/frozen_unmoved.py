"""Frozen groups did not move: hashes of what no phase lets learn, before and after."""

from dataclasses import dataclass, field
from typing import ClassVar

from warmstart.base.types import Proof
from warmstart.models.anatomy import Anatomy
from warmstart.models.inputs import bytes_of, digest
from warmstart.street.proofs._tick import Scene, Tick, absent, compared, job_of
from warmstart.tune.trunk import unmoving


@dataclass
class FrozenUnmoved(Tick):
    """The loop proves the same of every phase; here what guards do to the weights at the end is seen too."""

    order: ClassVar[int] = 10
    claim: ClassVar[str] = "Frozen groups did not move"
    do: ClassVar[str] = "do not believe this run; a guard or a plugin moves what the plan lets rest"
    stops: ClassVar[bool] = True
    before: dict[str, str] = field(default_factory=dict, init=False)

    def begun(self, scene: Scene) -> Proof | None:
        job = job_of(scene)
        still = set.intersection(*(set(unmoving(job, phase)) for phase in scene.plan.phases))
        if not still:
            return absent("no group is frozen in all phases")
        self.before = hashes(scene.model.anatomy, still)
        return None

    def learned(self, scene: Scene) -> Proof:
        after = hashes(scene.model.anatomy, self.before)
        moved = sum(after[name] != known for name, known in self.before.items())
        what = f"{len(self.before):,} tensors that never learn, hashed before and after; those that differ"
        return compared(what, moved, 0)


def hashes(anatomy: Anatomy, names: object) -> dict[str, str]:
    """A hash of each of these tensors."""
    state = anatomy.model.state_dict()
    return {name: digest(bytes_of(state[name])) for name in names}  # type: ignore[attr-defined]


PROOF = FrozenUnmoved
