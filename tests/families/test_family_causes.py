"""One contract for every cause of overfitting: a new file in the folder is tested by existing."""

import json
from dataclasses import is_dataclass, replace

import numpy as np
import pytest
from cause_worlds import case, looks

from warmstart.base.tables import to_table
from warmstart.base.types import Cause, Finding
from warmstart.evaluate.causes import CAUSES


@pytest.fixture(params=CAUSES.names())
def cause(request):
    return CAUSES.get(request.param)()


CASES = {
    "plain": lambda: case(),
    "turned": lambda: case(history=looks([0.0, 0.2, 0.4])),
    "worse from the start": lambda: case(history=looks([0.5, 0.6], train=[2.0, 1.0])),
    "few": lambda: case(per_class=2.0, rows=6),
    "repeated": lambda: case(findings=(Finding("effective_rows", "warning", "", "", 180),)),
    "relabelled": lambda: case(validation=0.7),
    "no gap": lambda: case(train=0.8, test=0.8),
    "one row": lambda: case(sizes=(1, 1, 1)),
    "no history": lambda: case(history=()),
    "alone": lambda: replace(case(), others={}),
}


@pytest.mark.parametrize("world", CASES)
def test_a_cause_is_nothing_or_has_reasons_numbers_a_strength_and_advice(cause, world):
    assert is_dataclass(cause)
    found = cause.look(CASES[world]())
    if found is None:
        return
    assert isinstance(found, Cause)
    assert 0 <= found.strength <= 1
    assert found.name and found.why and found.do
    assert all(np.isfinite(list(found.seen.values())))
    json.dumps(to_table(found), allow_nan=False)


def test_the_same_case_gives_the_same_cause(cause):
    for world in CASES.values():
        assert cause.look(world()) == cause.look(world())
