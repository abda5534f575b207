"""A rival from scratch that did not learn is no rival: the report says so and claims nothing against it."""

from dataclasses import replace

import numpy as np
import pytest
from evaluate_worlds import LABELS, first, run, world

from warmstart.evaluate.roles import did_not_learn
from warmstart.evaluate.weigh import weigh

LOOKS = tuple(
    {"step": 10 * i, "validation_loss": loss} for i, loss in enumerate((1.1, 1.2, 1.3))
)  # the untrained network is the best of them


def scratch(train, history=()):
    rights = {"train": first(300, train), "validation": first(300, 0.33), "test": first(600, 0.33)}
    return run("scratch", rights, history=history)


@pytest.mark.parametrize("idle", [scratch(0.34), scratch(0.9, LOOKS)], ids=["at the floor", "never better"])
def test_no_gain_over_a_rival_that_did_not_learn_is_worth_it(idle):
    runs = world({"frozen": 0.7, "full": 0.9}) | {"scratch": idle}
    found = weigh("full", runs, LABELS)
    assert did_not_learn(idle)
    assert (found.verdict, found.recommended) == ("cannot tell", "full")
    assert "the scratch rival did not learn" in found.headline


def test_one_that_learned_is_a_rival():
    assert not did_not_learn(scratch(0.9))
    assert not did_not_learn(scratch(0.9, LOOKS[::-1]))
    assert not did_not_learn(replace(scratch(0.34), plan=replace(scratch(0.34).plan, pretrained=True)))


def test_one_that_fits_its_rows_and_no_others_did_learn():
    fitting = tuple({**look, "train_loss": loss} for look, loss in zip(LOOKS, (None, 0.6, 0.1), strict=True))
    failing = tuple({**look, "train_loss": loss} for look, loss in zip(LOOKS, (None, 1.0, 0.9), strict=True))
    assert not did_not_learn(scratch(0.34, fitting))
    assert did_not_learn(scratch(0.34, failing))


def test_a_rival_that_did_not_learn_and_is_as_good_still_says_not_worth_it():
    runs = world({"full": 0.34}, test=3000, validation=3000) | {
        "scratch": run("scratch", {n: first(3000, 0.34) for n in ("train", "validation", "test")})
    }
    assert np.isclose(runs["scratch"].predictions["train"].truth.mean(), 1)
    assert weigh("full", runs, LABELS).verdict == "not worth it"
