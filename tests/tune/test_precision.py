"""bfloat16 where it pays: chosen by measurement, the same within noise, and the weights stay in float32."""

import time
from dataclasses import replace

import pytest
import torch

import tiny_models
import tune_worlds as worlds
from warmstart.models.anatomy import anatomy_of
from warmstart.models.features import keep_prefix, logits_of
from warmstart.models.precision import BF16, FP32, SMALL, choose
from warmstart.tune.loop import Keeping


def steps(fp32, bf16):
    """A step that takes so many seconds in each precision."""

    def step(precision):
        time.sleep({FP32: fp32, BF16: bf16}[precision])
        return torch.zeros((), requires_grad=True)

    return step


def test_the_faster_precision_is_taken_and_small_models_are_not_measured():
    assert choose(SMALL, steps(0.05, 0.01), 100).precision == BF16
    assert choose(SMALL, steps(0.02, 0.02), 100).precision == FP32
    assert choose(SMALL, steps(0.01, 0.05), 100).precision == FP32
    never = choose(SMALL - 1, lambda precision: pytest.fail("measured"), 100)
    assert (never.precision, never.seconds) == (FP32, {})


def test_few_rows_are_measured_for_a_short_time_only():
    def taken(count):
        asked = []
        choose(SMALL, lambda precision: (asked.append(precision), steps(0.01, 0.005)(precision))[1], count)
        return len(asked)

    assert taken(2) == 4  # one to warm up and one to count, in each precision
    assert taken(100) > taken(2)


@pytest.mark.parametrize("name", [*tiny_models.TEXT, *tiny_models.IMAGE])
def test_a_training_in_bfloat16_ends_near_that_in_float32(name):
    plan = worlds.plan(worlds.phase(lr=1e-5, epochs=2), norm_statistics="frozen")
    data = worlds.splits(name, size=64)
    one, told = worlds.run(name, plan, data=data)
    other, told_half = worlds.run(name, replace(plan, precision=BF16), data=data)
    assert all(t.dtype != torch.bfloat16 for t in worlds.state(other).values())
    assert not worlds.equal(worlds.state(one), worlds.state(other))
    for look, look_half in zip(told.history, told_half.history, strict=True):
        assert look_half["validation_loss"] == pytest.approx(look["validation_loss"], rel=0.25)
    assert other.anatomy.precision == FP32  # it answers in float32 again


def test_a_head_computes_in_float32():
    anatomy = anatomy_of(tiny_models.make("bert").eval())
    anatomy.precision = BF16
    with torch.no_grad():
        state = anatomy.run(tiny_models.batch("bert"), 0, len(anatomy.groups) - 1)
        logits = anatomy.run(tiny_models.batch("bert"))["logits"]
        anatomy.precision = FP32
        exact = anatomy.run(state, len(anatomy.groups) - 1)["logits"]
    assert logits.dtype == torch.float32
    assert torch.equal(logits, exact)


@pytest.mark.parametrize("name", ["bert", "mobilenet_v2"])
def test_activations_kept_in_bfloat16_are_read_as_they_were(tmp_path, name):
    anatomy = anatomy_of(tiny_models.make(name).eval())
    inputs = worlds.splits(name)["train"].inputs
    exact = logits_of(anatomy, inputs)
    anatomy.precision = BF16
    wrong = (logits_of(anatomy, inputs) - exact).norm()
    for cut in range(1, len(anatomy.groups)):
        kept = keep_prefix(anatomy, inputs, cut, tmp_path, 10**9)
        assert (logits_of(anatomy, kept, cut) - exact).norm() < 1.5 * wrong + 1e-3


def test_precisions_do_not_share_what_is_kept(tmp_path):
    anatomy = anatomy_of(tiny_models.make("bert").eval())
    inputs = worlds.splits("bert")["train"].inputs
    keys = set()
    for precision in (FP32, BF16):
        anatomy.precision = precision
        keys.add(keep_prefix(anatomy, inputs, 2, tmp_path, 10**9).key)
    assert len(keys) == 2


def test_a_broken_off_training_in_bfloat16_ends_with_the_same_bits(tmp_path):
    plan = worlds.plan(worlds.phase(lr=1e-3, epochs=3), precision=BF16)

    class Enough(Exception):
        pass

    def stop(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Enough

    keeping = Keeping(checkpoints=tmp_path, save_seconds=0.0)
    with pytest.raises(Enough):
        worlds.run("bert", plan, keeping=keeping, tell=stop)
    resumed, _ = worlds.run("bert", plan, keeping=keeping)
    whole, _ = worlds.run("bert", plan)
    assert worlds.equal(worlds.state(resumed), worlds.state(whole))
