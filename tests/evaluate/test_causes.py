"""Each cause of overfitting, planted: it is named first, with numbers and what to do; and not without it."""

from dataclasses import replace

import numpy as np
import pytest
from cause_worlds import USUAL, case, looks, measure, spread_sure

from warmstart.base.probed import Growth, LabelBudget, Worth
from warmstart.base.types import Finding
from warmstart.evaluate.causes.few_labels import FewLabels
from warmstart.evaluate.causes.label_noise import LabelNoise
from warmstart.evaluate.causes.rate_too_high import RateTooHigh, setbacks
from warmstart.evaluate.causes.shift import Shift
from warmstart.evaluate.causes.too_long import TooLong
from warmstart.evaluate.explain import causes, explained
from warmstart.evaluate.overfit import overfitting


def names(found):
    return [cause.name for cause in causes(found)]


def budget(*worth):
    return LabelBudget("full", 300, Growth(()), worth=worth)


def test_nothing_planted_is_not_explained():
    assert names(case(validation=0.7)) == []
    told = explained(overfitting(case().run, 300), case(validation=0.7))
    assert told.sentence.endswith("; why cannot be told from this run")
    assert told.causes == ()


def test_a_run_without_a_gap_needs_no_cause():
    sound = case(train=0.8, test=0.8, per_class=2.0)
    seen = overfitting(sound.run, 300)
    assert seen.verdict == "none seen"
    assert explained(seen, sound) == seen


# few labels


def test_a_handful_of_rows_is_few_labels():
    found = case(per_class=3.0, rows=9, validation=0.7)
    assert names(found)[0] == "few labels"
    told = explained(overfitting(found.run, 9), found)
    assert told.sentence.endswith("; likeliest cause: few labels (3 training rows in the median class)")
    assert "warmstart prove --probe labels" in told.causes[0].do


def test_ten_rows_a_class_are_one_half_and_many_are_none():
    strengths = [FewLabels().look(case(per_class=n)).strength for n in (1.0, 10.0, 100.0, 1000.0)]
    assert strengths[1] == pytest.approx(0.5)
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[-1] < 0.2


def test_a_frozen_head_that_does_as_well_speaks_for_it():
    plain, as_well = (FewLabels().look(case(per_class=20.0, frozen=share)) for share in (0.5, 0.9))
    assert as_well.strength == pytest.approx(plain.strength + 0.1)
    assert "a frozen head does as well" in as_well.why
    assert "--strategy frozen" in as_well.do


def test_the_learning_curve_overrules_the_number_of_rows():
    helps = replace(case(), labels=budget(Worth(300, measure(0.04, 0.02, 0.06))))
    useless = replace(case(per_class=10.0), labels=budget(Worth(300, measure(0.001, -0.003, 0.005))))
    found = FewLabels().look(helps)
    assert found.strength == pytest.approx(0.7)
    assert "4.0 points (2.0 to 6.0) for 300 more" in found.why
    assert FewLabels().look(useless).strength == pytest.approx(0.25)


# duplicates


def test_repeated_rows_are_named_before_anything_else():
    finding = Finding("effective_rows", "warning", "", "", 270)
    found = case(per_class=30.0, findings=(finding,))
    assert names(found)[0] == "duplicates"
    first_cause = causes(found)[0]
    assert first_cause.seen["different rows"] == 30
    assert first_cause.strength == pytest.approx(0.9)


def test_a_few_repeated_rows_are_not():
    assert "duplicates" not in names(case(findings=(Finding("effective_rows", "note", "", "", 30),)))


# label noise


def with_validation(found, right):
    said = spread_sure(right)
    run, rival = (
        replace(one, predictions={**one.predictions, "validation": said})
        for one in (found.run, found.others["frozen"])
    )
    return replace(found, run=run, others={"frozen": rival})


def test_rows_that_are_surely_told_and_labelled_otherwise_are_label_noise():
    """Three in ten are wrong, however sure the answer."""
    rng = np.random.default_rng(1)
    found = with_validation(case(), rng.random(200) > 0.3)
    cause = LabelNoise().look(found)
    assert cause.seen["share of wrong labels"] == pytest.approx(0.3, abs=0.1)
    assert names(found)[0] == "label noise"


def test_rows_that_are_merely_hard_are_not_label_noise():
    """As many are wrong, but all of them where the model is least sure."""
    found = case()
    said = spread_sure(np.ones(200, bool))
    least = np.argsort(said.probabilities.max(1))[:60]
    right = np.ones(200, bool)
    right[least] = False
    rng_alike = spread_sure(right)  # the same draw, so the same rows are least sure
    assert (np.argsort(rng_alike.probabilities.max(1))[:60] == least).all()
    assert LabelNoise().look(with_validation(found, right)) is None


def test_a_model_that_can_hardly_tell_the_classes_apart_knows_no_wrong_label():
    assert LabelNoise().look(with_validation(case(), np.random.default_rng(0).random(200) > 0.6)) is None


def test_wrong_labels_that_were_not_learned_explain_no_gap():
    rng = np.random.default_rng(1)
    found = with_validation(case(train=0.6, test=0.5), rng.random(200) > 0.3)
    assert LabelNoise().look(found) is None


def test_a_finding_of_suspect_labels_counts_first():
    found = case(findings=(Finding("label_noise", "warning", "", "", 60),))
    cause = LabelNoise().look(found)
    assert cause.seen["share of wrong labels"] == pytest.approx(0.2)
    assert cause.why == "60 of 300 training rows have suspect labels"
    few = case(rows=3000, findings=(Finding("label_noise", "warning", "", "", 60),))
    assert LabelNoise().look(replace(few, looked=200)).seen["share of wrong labels"] == pytest.approx(0.3)


def test_suspects_that_chance_explains_are_no_noise_whatever_the_validation_rows_say():
    rng = np.random.default_rng(1)
    found = with_validation(case(), rng.random(200) > 0.3)
    note = (Finding("label_noise", "note", "", "", 60),)
    assert LabelNoise().look(replace(found, findings=note)) is None


# too long


def test_a_loss_that_rose_to_the_end_is_too_long():
    found = case(history=looks([0.0, 0.0, 0.2, 0.5]))
    assert names(found)[0] == "too long"
    cause = causes(found)[0]
    assert "--set phases.1.epochs=2" in cause.do
    share = min(1.0, 0.5 / found.loss_gap)
    assert cause.strength == pytest.approx(0.4 + 0.2 * share)


def test_best_weights_that_were_kept_are_not_too_long():
    found = case(history=looks([0.0, 0.2, 0.5]))
    run = replace(found.run, proofs={"kept_look": 1})
    from warmstart.evaluate.onset import onset

    assert TooLong().look(replace(found, run=run, onset=onset(run))) is None


def test_a_loss_that_rose_while_answers_grew_better_is_not_too_long():
    history = looks([0.0, 0.2, 0.5])
    better = (*history[:-1], {**history[-1], "validation_accuracy": 0.95})
    assert TooLong().look(case(history=history)) is not None
    assert TooLong().look(case(history=better)) is None


# rate too high


def test_an_unusual_rate_that_did_harm_is_too_high():
    found = case(history=looks([0.5, 0.6], train=[2.0, 1.0]), rate=30 * USUAL, frozen=0.95)
    assert names(found)[0] == "rate too high"
    cause = causes(found)[0]
    assert "30 times the usual one" in cause.why
    assert "the training loss from 0.500 to 2.000" in cause.why
    assert cause.do == "--set phases.1.lr=0.0001"


def test_an_unusual_rate_without_harm_is_no_fault():
    assert RateTooHigh().look(case(rate=30 * USUAL)) is None


def test_a_usual_rate_whose_first_epoch_undid_all_is_too_high_too():
    found = RateTooHigh().look(case(history=looks([0.5, 0.6], train=[2.0, 1.0])))
    assert found.do == "--set phases.1.lr=3e-05"
    assert RateTooHigh().look(case(history=looks([0.5, 0.6], train=[0.4, 0.3]))) is None


def test_setbacks_are_epochs_whose_training_loss_rose_again():
    losses = (0.5, 0.3, 0.6, 0.2, 0.21, 0.4)
    assert setbacks([{"train_loss": loss} for loss in (9.0, *losses)]) == pytest.approx(2 / 5)


# shift


def test_test_rows_that_are_worse_than_validation_rows_are_a_shift():
    found = case(train=0.95, validation=0.93, test=0.6, sizes=(300, 300, 400))
    assert names(found)[0] == "shift"
    assert Shift().look(found).seen["share of the gap"] == pytest.approx(0.33 / 0.35)
    known = replace(found, findings=(Finding("shift", "warning", "they differ", "", 9),))
    assert Shift().look(known).why.endswith("; they differ")


def test_validation_rows_that_are_as_bad_are_none():
    assert Shift().look(case(train=1.0, validation=0.72, test=0.7)) is None


def test_causes_are_in_the_order_of_their_strength():
    repeated = Finding("effective_rows", "warning", "", "", 270)
    found = case(per_class=12.0, history=looks([0.0, 0.2, 0.5]), findings=(repeated,))
    strengths = [cause.strength for cause in causes(found)]
    assert len(strengths) > 2
    assert strengths == sorted(strengths, reverse=True)
    assert min(strengths) >= 0.2
