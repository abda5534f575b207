"""What is wrong with mode, guards or edits is said before anything is read."""

import pytest

from warmstart import process
from warmstart.base.errors import WarmstartError

WRONG = {
    "mode=unsupervised": "no-such-mode",
    "guards=[{name: early_stopp}]": "no-such-guard",
    "guards.0.patience=0": "wrong-value",
    "guards.0.patiance=3": "unknown-key",
    "edits=[{name: newhead}]": "no-such-edit",
    "edits=[{name: drop_layers, kep: 3}]": "unknown-key",
}


@pytest.mark.parametrize("setting", WRONG)
def test_a_part_that_cannot_be_built_is_refused_before_the_data_are_read(setting, tmp_path):
    with pytest.raises(WarmstartError) as refused:
        process.run(tmp_path / "not-there.csv", runs=tmp_path, settings=(setting,))
    assert refused.value.code == WRONG[setting]
    assert not list(tmp_path.iterdir())


def test_parts_that_only_the_plan_knows_are_refused_before_anything_is_trained(world, tmp_path):
    with pytest.raises(WarmstartError) as refused:
        process.run(
            world / "reviews.csv", runs=tmp_path, models=(str(world / "text-model"),), strategy="frozen",
            settings=("edits.0.name=newhead",),
        )  # fmt: skip
    assert refused.value.code == "no-such-edit"
    assert not list(tmp_path.rglob("training"))
