"""--set: a dotted path and a value, strictly."""

import pytest
from decide_facts import TEXT

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Reason
from warmstart.decide.choose import plan_for
from warmstart.decide.plan_file import apply_settings

PLAN = plan_for("full", TEXT, "models/m")
COUNT = len(PLAN.phases)


def changed(*settings):
    return apply_settings(PLAN, settings)


def test_without_settings_the_plan_is_the_same():
    assert changed() == PLAN


def test_settings_change_their_value_alone():
    plan = changed("phases.1.lr=1e-4", "batch=8", "phases.0.learn=[head, pooler]", "model=other/m")
    assert plan.phases[1].lr == 1e-4
    assert (plan.batch, plan.model, plan.phases[0].learn) == (8, "other/m", ("head", "pooler"))
    assert plan.phases[1].epochs == PLAN.phases[1].epochs
    assert (plan.edits, plan.guards, plan.seed) == (PLAN.edits, PLAN.guards, PLAN.seed)


def test_parts_take_settings_that_they_do_not_spell_out():
    plan = changed("guards.0.patience=9", "guards.0.after=2", "edits=[{name: new_head}, {name: mean_pool}]")
    assert plan.guards == ({"name": "early_stop", "patience": 9, "sure": 2.0, "after": 2},)
    assert plan.edits == ({"name": "new_head"}, {"name": "mean_pool"})
    assert PLAN.guards == ({"name": "early_stop", "patience": 5, "sure": 2.0},)


def test_the_later_of_two_settings_holds():
    assert changed("batch=8", "batch=4").batch == 4


def test_an_empty_value_is_nothing():
    assert changed("model=").model is None


def test_what_was_set_by_hand_is_said():
    *before, last = changed("batch=8").reasons
    assert tuple(before) == PLAN.reasons
    assert last == Reason("batch: set by hand", "batch was 16", "it is 8")


@pytest.mark.parametrize(
    ("setting", "wrong", "do"),
    [
        ("batch", "--set batch has no value", "--set batch=8"),
        ("=8", "--set =8 has no name", "--set batch=8"),
        ("bach=8", "plan has no setting 'bach'", "'batch'"),
        ("phase.0.lr=1", "plan has no setting 'phase'", "'phases'"),
        ("phases.0.lrr=1", "plan.phases.0 has no setting 'lrr'", "'lr'"),
        ("phases.9.lr=1", f"phases has {COUNT} entries and no '9'", f"phases.0 to phases.{COUNT - 1}"),
        ("phases.-1.lr=1", f"phases has {COUNT} entries and no '-1'", f"phases.0 to phases.{COUNT - 1}"),
        ("phases.lr=1", f"phases has {COUNT} entries and no 'lr'", f"phases.0 to phases.{COUNT - 1}"),
        ("batch.size=8", "plan.batch is 16, which has no setting 'size'", "set batch itself"),
        ("guards.0.patience.x=1", "plan.guards.0.patience is 5, which", "set guards.0.patience itself"),
        ("phases.0.lr=fast", "phases.0: lr = 'fast'", "number"),
        ("phases.0.lr=0", "phases.0: lr = 0.0", "above 0"),
        ("phases.0.epochs=1.5", "phases.0: epochs = 1.5", "integer"),
        ("phases.0.schedule=cos", "phases.0: schedule = 'cos'", "cosine"),
        ("phases.0=3", "phases.0 is 3", "table"),
        ("phases=[]", "phases = ()", "at least one"),
        ("guards.0.name=[1]", "guards.0 is {'name': [1]", "name"),
        ("reasons=[]", "plan has no setting 'reasons'", "did you mean"),
        ("batch=[", "--set batch=[", "YAML"),
        ("batch=*b", "an alias", "in quotes"),
    ],
)
def test_a_wrong_setting_is_refused_with_the_nearest(setting, wrong, do):
    with pytest.raises(WarmstartError) as caught:
        changed(setting)
    assert wrong in caught.value.wrong
    assert do in caught.value.do
    assert caught.value.wrong.startswith(f"--set {setting}")
