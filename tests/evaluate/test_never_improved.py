"""What tuning did not do is said: no step beyond its frozen head, no better than a guess."""

from dataclasses import replace

import pytest
from evaluate_worlds import LABELS, first, run, world

from warmstart.base.types import Phase
from warmstart.evaluate.overfit import overfitting
from warmstart.evaluate.roles import never_improved
from warmstart.evaluate.weigh import weigh

HEAD, BODY = Phase(("head",), 1e-3, 1, solver="logistic"), Phase(("*",), 1e-5, 3)
STOP = ({"name": "early_stop", "patience": 5},)


def tuned(name, share, losses, phases=(HEAD, HEAD, BODY), guards=STOP, validation=300):
    """A run of two solved heads and a body; `losses` are its looks: untrained, heads, epochs of the body."""
    places = (0, 1, 2, 3, 3, 3)
    looks = tuple(
        {"phase": p, "epoch": 1, "step": i, "validation_loss": loss, "train_loss": 1.0}
        for i, (p, loss) in enumerate(zip(places, losses, strict=False))
    )
    rights = {"train": first(300, 1.0), "validation": first(validation, share), "test": first(600, share)}
    made = run(name, rights, history=looks)
    return replace(made, plan=replace(made.plan, phases=phases, guards=guards))


NEVER, BETTER = (1.1, 0.5, 0.9, 0.8, 0.6, 0.5), (1.1, 0.5, 0.9, 0.8, 0.6, 0.4)


def test_a_run_whose_best_look_was_at_its_head_never_improved():
    assert never_improved(tuned("full", 0.9, NEVER))
    assert not never_improved(tuned("full", 0.9, BETTER))
    assert not never_improved(tuned("full", 0.9, NEVER, guards=())), "the last weights are kept"
    assert not never_improved(tuned("frozen", 0.9, (1.1, 0.5), phases=(HEAD,)))
    assert not never_improved(tuned("full", 0.9, (1.1, 0.5, 0.6), phases=(BODY, BODY)))


def test_the_headline_says_so_of_the_recommended_and_of_the_planned_run():
    rivals = world({"scratch": 0.6})
    said = weigh("full", {"full": tuned("full", 0.9, NEVER), **rivals}, LABELS).headline
    assert said.endswith("; its tuning never improved on its frozen head.")
    planned = {"full": tuned("full", 0.85, NEVER), **world({"frozen": 0.9, "scratch": 0.6})}
    found = weigh("full", planned, LABELS)
    assert "the planned full run, whose tuning never improved on its frozen head, " in found.headline
    assert "full: tuning never improved on its frozen head" in found.why.so


def test_a_run_that_improved_is_not_spoken_ill_of():
    found = weigh("full", {"full": tuned("full", 0.9, BETTER), **world({"scratch": 0.6})}, LABELS)
    assert "never improved" not in found.headline + found.why.so


def test_no_fact_stands_twice_in_the_headline():
    found = weigh("scratch", world({"frozen": 0.9, "scratch": 0.6}), LABELS)
    assert found.headline.count("points") == 1


def test_a_run_that_a_guess_may_equal_is_told_so_once():
    above, below = right(0.35), {**right(0.2), "validation": first(300, 0.3)}
    said = weigh("full", {"full": run("full", above), "scratch": run("scratch", below)}, LABELS).headline
    assert "more than always giving the most frequent class" in said
    assert said.count("most frequent class") == 1
    said = weigh("full", {"full": run("full", above), "scratch": run("scratch", above)}, LABELS).headline
    assert said.endswith("; it is not shown to beat always giving the most frequent class (33.3 %).")
    assert said.count("most frequent class") == 1


def right(share):
    return {"train": first(300, 1.0), "validation": first(300, share), "test": first(600, share)}


def test_few_validation_rows_recommend_scratch_only_where_it_is_clearly_ahead():
    def chosen(n, scratch):
        worlds = world({"frozen": 0.75, "scratch": scratch}, validation=n)
        return weigh("frozen", worlds, LABELS)

    assert chosen(20, 0.9).recommended == "frozen"
    assert "only 20 validation rows" in chosen(20, 0.9).why.so
    assert chosen(20, 1.0).recommended == "scratch"
    assert chosen(60, 0.9).recommended == "scratch"


def test_looks_that_patience_waited_for_are_no_sign_of_overfitting():
    """The weights of the best look are kept, so that what came after it says nothing of them."""
    late = (1.1, 0.9, 0.9, 0.5, 0.6, 0.7)
    found, kept_last = (overfitting(tuned("full", 0.85, late, guards=g)) for g in (STOP, ()))
    assert (found.verdict, kept_last.verdict) == ("some", "strong")
    assert "above its minimum" not in found.sentence
    assert "above its minimum" in kept_last.sentence


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "strong"), (0.9, "some")])
def test_a_very_wide_gap_is_strong_by_itself(share, verdict):
    assert overfitting(tuned("full", share, BETTER)).verdict == verdict


def test_a_wide_gap_that_few_rows_leave_open_is_called_so():
    rights = {"train": first(10, 1.0), "validation": first(9, 0.8), "test": first(10, 0.8)}
    found = overfitting(run("full", rights))
    assert found.verdict == "none seen"
    assert found.sentence.endswith("; so few rows leave open whether that is chance")
