"""EMA: what is looked at, kept and shipped is the average of the weights on their way."""

import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.optim.optimizer import register_optimizer_step_post_hook

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.tune.guards import GUARDS

PHASES = (worlds.phase(("head",), lr=1e-2, epochs=1), worlds.phase(lr=5e-3, epochs=3))


def watched(*guards, phases=PHASES, **options):
    """The model, what tune returned, and the weights after each step."""
    model = guarded.calm()
    steps = []
    hook = register_optimizer_step_post_hook(lambda *given: steps.append(worlds.state(model)))
    try:
        model, trained = worlds.run("bert", worlds.plan(*phases, guards=guards, **options), model)
    finally:
        hook.remove()
    return model, trained, steps


def averages(begun, steps, decay):
    """The oracle: the formula in double precision, from where the phase began."""
    average, found = {n: t.double() for n, t in begun.items()}, []
    for t, weights in enumerate(steps):
        d = min(decay, (1 + t) / (10 + t))
        average = {n: d * a + (1 - d) * weights[n].double() for n, a in average.items()}
        found.append(average)
    return found


def loss_of(weights, split):
    model = guarded.calm()
    model.module.load_state_dict(weights)
    with torch.no_grad():
        logits = model.module(**split.inputs.batch(range(len(split)))).logits.double()
    return float(cross_entropy(logits, split.targets))


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_it_ends_with_the_average_and_each_look_is_at_the_average(decay):
    model, trained, steps = watched({"name": "ema", "decay": decay})
    plain, _, way = watched()
    assert all(worlds.equal(a, b) for a, b in zip(steps, way, strict=True))  # the way itself is the same
    assert not worlds.equal(worlds.state(model), worlds.state(plain))
    expected = averages(steps[2], steps[3:], decay)
    assert worlds.largest_difference(worlds.state(model), expected[-1]) < 1e-6
    validation = worlds.splits("bert")["validation"]
    for epoch, look in enumerate(trained.history[2:]):
        weights = {n: t.float() for n, t in expected[3 * epoch + 2].items()}
        assert look["validation_loss"] == pytest.approx(loss_of(weights, validation), rel=1e-5)


def test_early_stopping_keeps_the_best_average():
    ruin = (*PHASES, worlds.phase(lr=0.1, epochs=3, schedule="constant"))
    guards = ({"name": "early_stop"}, {"name": "ema", "decay": 0.5})
    model, trained, _ = watched(*guards, phases=ruin)
    losses = [look["validation_loss"] for look in trained.history]
    assert trained.proofs["kept_look"] == losses.index(min(losses)) < len(losses) - 1
    assert loss_of(worlds.state(model), worlds.splits("bert")["validation"]) == pytest.approx(min(losses))


def test_a_head_that_is_solved_at_the_end_has_no_average():
    phases = (worlds.phase(lr=1e-3, epochs=1), worlds.phase(("head",), solver="logistic"))
    plain, _, _ = watched(phases=phases)
    model, _, _ = watched({"name": "ema"}, phases=phases)
    assert worlds.equal(worlds.state(plain), worlds.state(model))


def test_weights_of_the_way_come_back_after_a_look_whatever_happens_in_it():
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "ema", "decay": 0.5})
    guarded.moved(model)
    guard.moved(job, None)
    before = worlds.state(model)
    with pytest.raises(KeyError), guard.shown(job):
        assert not worlds.equal(worlds.state(model), before)
        raise KeyError
    assert worlds.equal(worlds.state(model), before)


def test_what_is_kept_for_a_resumed_run_does_not_change_while_the_training_goes_on():
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "ema"})
    numbers, tensors = guard.state()
    kept = {n: t.clone() for n, t in tensors.items()}
    guarded.moved(model)
    guard.moved(job, None)
    assert worlds.equal(tensors, kept)
    again = GUARDS.build({"name": "ema"})
    again.restore(*guard.state())
    again.enter(job)
    assert again.count == 1
    assert worlds.equal(again.average, guard.average)


def test_fresh_norms_are_measured_for_the_average_that_is_looked_at():
    """From scratch norm statistics are measured anew at a look: of the weights that are looked at then."""
    plan = worlds.plan(
        worlds.phase(lr=1e-2, epochs=2), norm_statistics="learn", pretrained=False,
        guards=({"name": "ema", "decay": 0.5},),
    )  # fmt: skip
    model, trained = worlds.run("resnet-basic", plan)
    split = worlds.splits("resnet-basic")["validation"]
    with torch.no_grad():
        logits = model.module(**split.inputs.batch(range(len(split)))).logits.double()
    loss = float(cross_entropy(logits, split.targets))
    assert loss == pytest.approx(trained.history[-1]["validation_loss"], rel=1e-5)
