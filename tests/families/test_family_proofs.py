"""One contract for every proof: a new file in the folder is tested by existing."""

import json
from dataclasses import is_dataclass, replace

import pytest

import proof_worlds
from warmstart.base.tables import to_table
from warmstart.base.types import Proof
from warmstart.street.proofs import PROOFS
from warmstart.street.proofs._ledger import Ledger
from warmstart.street.proofs._tick import Tick

MOMENTS = ("begun", "learned", "shipped")


@pytest.fixture(params=PROOFS.names())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def here(world, tmp_path_factory):
    return proof_worlds.stage(world, tmp_path_factory.mktemp("proofs"), "reviews.csv", "text-model")


@pytest.fixture(scope="module")
def run(here):
    return here.train("full")


def test_a_proof_says_what_is_promised_and_what_to_do(name):
    part = PROOFS.get(name)
    assert is_dataclass(part()) and issubclass(part, Tick)
    assert part.claim[0].isupper() and ": " not in part.claim and not part.claim.endswith(".")
    assert len(part.do) > 20
    assert any(getattr(part, moment) is not getattr(Tick, moment) for moment in MOMENTS)


def test_no_two_proofs_have_the_same_place():
    places = [PROOFS.get(name).order for name in PROOFS.names()]
    assert len(set(places)) == len(places)


def test_a_proof_is_settled_once_by_a_clean_training_and_does_not_fail(name, run):
    (found,) = (proof for proof in run.ticks if proof.name == name)
    assert isinstance(found, Proof) and found.holds is not False
    assert found.what.startswith(f"{PROOFS.get(name).claim}: ")
    assert (found.seen is None) == (found.bound is None) == (found.holds is None)
    json.dumps(to_table(found), allow_nan=False)


def test_the_same_training_gives_the_same_proofs(here, run):
    assert here.train("another").ticks == run.ticks


def test_a_plan_that_trains_nothing_asks_only_what_is_not_of_training(name, here):
    ledger = Ledger("base")
    ledger.at("begun", replace(here.scene(), plan=here.planned(phases=())))
    part = PROOFS.get(name)
    assert (name in ledger.settled) == (part.learns or part.begun is not Tick.begun)
    if part.learns:
        assert "nothing is trained" in ledger.settled[name].what
