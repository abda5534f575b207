"""What the second stop hands to the scores: features of every group, and what a trained head answers."""

import pytest

import street_world
from warmstart import process
from warmstart.base.errors import WarmstartError


@pytest.fixture(scope="module")
def headed(tmp_path_factory):
    """A text model that comes with a head for five classes of its own."""
    place = tmp_path_factory.mktemp("headed") / "headed"
    return street_world.text_model(place, seed=2, classes=tuple("abcde"))


def ranking_of(world, tmp_path, *models, score):
    return process.rank(world / "reviews.csv", runs=tmp_path, models=models, score=score)


def test_leep_ranks_a_model_with_a_trained_head_before_one_without(world, headed, tmp_path):
    found = ranking_of(world, tmp_path, world / "text-model", headed, score="leep")
    assert [s.candidate.name for s in found.scored] == ["headed", "text-model"]
    first, last = (s.score for s in found.scored)
    assert -0.7 < first.value < 0 and first.n > 0  # no less than the entropy of two classes
    assert last.n == 0 and last.how == "not measured: it has no trained head"
    assert [r.so for r in found.reasons if r.rule == "absent score"]
    assert "answers" not in found.best.depths and "head" not in found.best.depths


def test_without_any_trained_head_leep_is_refused_with_advice(world, tmp_path):
    with pytest.raises(WarmstartError, match="no trained head") as refusal:
        ranking_of(world, tmp_path, world / "text-model", score="leep")
    assert "logistic_probe" in refusal.value.do


def test_the_default_order_is_the_same_with_a_head_that_nobody_reads(world, headed, tmp_path):
    found = ranking_of(world, tmp_path, world / "text-model", headed, score="logistic_probe")
    assert all(set(s.opinions) == {"logme", "knn", "h_score"} for s in found.scored)
    assert not [r for r in found.reasons if r.rule in ("absent score", "caution")]


@pytest.mark.parametrize("score", ["nleep", "ncti", "sfda", "transrate"])
def test_each_new_score_can_be_asked_for(world, tmp_path, score):
    found = ranking_of(world, tmp_path, world / "text-model", world / "text-model-2", score=score)
    assert found.score == score and all(s.score.n > 0 for s in found.scored)
    assert [r for r in found.reasons if r.rule == "caution"]


@pytest.mark.parametrize("score", ["ridge", "bits_per_byte"])
def test_a_score_of_other_things_than_classes_is_refused_before_anything_is_read(score, tmp_path):
    with pytest.raises(WarmstartError) as refusal:
        process.rank(tmp_path / "not-there.csv", runs=tmp_path, score=score)
    assert refusal.value.code == "unfit-score"
    assert not list(tmp_path.iterdir())


def test_no_precision_is_timed_for_a_ranking_which_is_the_same_the_next_time(world, tmp_path):
    models = world / "text-model", world / "text-model-2"
    one, again = (
        ranking_of(world, tmp_path / name, *models, score="logistic_probe") for name in ("one", "again")
    )
    assert not list(tmp_path.rglob("precision.json"))
    assert [s.score for s in one.scored] == [s.score for s in again.scored]
