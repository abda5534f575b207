"""On a graphics processor the same things come out: attention, models, trainings, the whole street."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

import chat_worlds
import tiny_models
import tune_worlds as worlds
from warmstart import process
from warmstart.models import flash
from warmstart.models.anatomy import anatomy_of
from warmstart.models.device import CUDA, choose
from warmstart.models.features import logits_of
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.models.load import Pretrained, load
from warmstart.models.row_attention import attention
from warmstart.models.rows import Layout, Sight
from warmstart.tasks.chat import Chat
from warmstart.tune import loop
from warmstart.tune.loop import Keeping, tune

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no graphics processor, or WARMSTART_GPU=1 is not set"
)

SIGHTS = (Sight(), Sight(causal=True), Sight(causal=True, window=3), Sight(window=3))
LENGTHS = (np.array([5, 1, 17, 17, 3]), np.array([9]), np.arange(1, 33)[::-1].copy(), np.full(8, 8))
PACKING = ("bert", "roberta", "electra", "distilbert", "modernbert", *tiny_models.CAUSAL)
PICTURES = ("resnet-basic", "resnet-bottleneck", "mobilenet_v2", "vit", "convnext", "dinov2")
REPLAYED = {"fp32": PICTURES, "bf16": (*PICTURES, "bert", "roberta", "electra", "distilbert")}
CONVOLUTIONS = (
    *("resnet-basic", "resnet-bottleneck", "mobilenet_v1", "mobilenet_v2"),
    *("convnext", "regnet", "efficientnet", "poolformer"),
)
NEAR = {"fp32": 1e-4, "bf16": 5e-4}  # of a training taken up; without its moments it would be 1.2e-3
SAME = {False: 0.0, True: 5e-3}  # how far weights may be apart, without and with fused attention
EXACT, HALF = {"atol": 2e-5, "rtol": 1e-4}, {"atol": 2e-2, "rtol": 2e-2}


def card():
    return choose(CUDA)


def on_card(model):
    module = copy.deepcopy(model.module).to(card())
    return Pretrained(model.source, module, model.processor, anatomy_of(module), model.modality)


def seen(length, sight):
    window = sight.window or length
    return torch.tensor(
        [[abs(i - j) < window and (j <= i or not sight.causal) for j in range(length)] for i in range(length)]
    )


def each_alone(q, k, v, layout, sight):
    """The oracle: torch's own attention on the processor in double precision, row by row."""
    rows = []
    for start, length in zip(layout.first, layout.lengths, strict=True):
        own = (x[None, start : start + length].transpose(1, 2) for x in (q, k, v))
        out = scaled_dot_product_attention(*own, attn_mask=seen(length, sight), enable_gqa=True)
        rows.append(out[0].transpose(0, 1))
    return torch.cat(rows)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("counts", [(4, 4, 4), (6, 2, 2)], ids=str)
@pytest.mark.parametrize("sight", SIGHTS, ids=str)
@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_attention_is_that_of_each_row_alone_and_so_is_its_gradient(lengths, sight, counts, kind):
    layout, source = Layout(lengths).to(card()), torch.Generator().manual_seed(0)
    given = [torch.randn(layout.size, n, 16, generator=source).to(kind) for n in counts]
    ours = [x.to(card()).requires_grad_() for x in given]
    theirs = [x.double().requires_grad_() for x in given]
    out = attention(*ours, layout, 0.25, 0.0, sight)
    expected = each_alone(*theirs, layout, sight)
    near = EXACT if kind == torch.float32 else HALF
    torch.testing.assert_close(out[: layout.real].cpu().double(), expected, **near)
    weights = torch.randn(expected.shape, generator=source)
    found = torch.autograd.grad((out[: layout.real] * weights.to(card(), kind)).sum(), ours)
    wanted = torch.autograd.grad((expected * weights.to(kind)).sum(), theirs)
    for one, other in zip(found, wanted, strict=True):
        assert torch.isfinite(one).all()
        torch.testing.assert_close(one[: layout.real].cpu().double(), other[: layout.real], **near)
        assert not one[layout.real :].any()


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("lengths", LENGTHS, ids=len)
def test_first_tokens_alone_are_those_of_the_whole(lengths, kind):
    layout, source = Layout(lengths).to(card()), torch.Generator().manual_seed(0)
    given = [torch.randn(layout.size, 4, 16, generator=source).to(kind) for _ in "qkv"]
    ours = [x.to(card()).requires_grad_() for x in given]
    theirs = [x.double().requires_grad_() for x in given]
    first = torch.from_numpy(layout.first)
    out = attention(ours[0].index_select(0, layout.starts), ours[1], ours[2], layout, 0.25, 0.0)
    expected = each_alone(*theirs, layout, Sight()).index_select(0, first)
    near = EXACT if kind == torch.float32 else HALF
    torch.testing.assert_close(out.cpu().double(), expected, **near)
    found, wanted = torch.autograd.grad(out.sum(), ours), torch.autograd.grad(expected.sum(), theirs)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one[: layout.real].cpu().double(), other[: layout.real], **near)
        assert not one[layout.real :].any()


def test_kernels_are_used_where_they_fit():
    q = torch.randn(64, 4, 16, device=card())
    assert flash.kernel(q, q, q, Sight(causal=True), 0.0) is flash.efficient
    assert flash.kernel(q, q, q, Sight(causal=True), 0.1) is None
    assert flash.kernel(q, q, q, Sight(window=3), 0.0) is None
    half = q.bfloat16()
    assert flash.kernel(half, half, half, Sight(window=3), 0.1) is flash.flash
    assert flash.kernel(half[:, :, :5], half[:, :, :5], half[:, :, :5], Sight(), 0.0) is None


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_dropout_keeps_the_mean_and_changes_what_comes_out(kind):
    layout = Layout(np.full(64, 30)).to(card())
    q = torch.zeros(layout.size, 4, 16, device=card(), dtype=kind)  # every token looks at all alike
    v = torch.ones_like(q)
    torch.manual_seed(0)
    out = attention(q, q, v, layout, 0.25, 0.3)[: layout.real]
    assert float(out.float().mean()) == pytest.approx(1.0, abs=0.02)
    assert float(out.float().std()) == pytest.approx((0.3 / 0.7 / 30) ** 0.5, rel=0.2)


def texts(seed=0):
    source = np.random.default_rng(seed)
    return TextInputs(Ragged.of([[2, *source.integers(4, 60, n), 3] for n in (7, 1, 20, 3, 12)]), 0)


@pytest.mark.parametrize("name", tiny_models.NAMES)
def test_a_model_answers_and_learns_as_on_the_processor(name):
    model = worlds.pretrained(name)
    model.module.eval()
    inputs, twin = worlds.split(name, 6, 1, size=64).inputs, on_card(model)
    found = []
    for one in (model, twin):
        anatomy = one.anatomy
        state = inputs.on(next(one.module.parameters()).device, range(6), anatomy.packs)
        logits = anatomy.logits(state)
        logits.square().sum().backward()
        grads = {n: p.grad.cpu() for n, p in one.module.named_parameters() if p.grad is not None}
        found.append((logits.detach().cpu(), grads))
    torch.testing.assert_close(found[1][0], found[0][0], atol=1e-4, rtol=1e-3)
    assert found[0][1].keys() == found[1][1].keys()
    for parameter, gradient in found[0][1].items():
        scale = float(gradient.abs().max()) + 1e-3
        torch.testing.assert_close(
            found[1][1][parameter] / scale, gradient / scale, atol=2e-3, rtol=1e-2, msg=parameter
        )


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("name", "calm"),
    [("bert", worlds.CALM), ("resnet-basic", {}), ("gpt2", chat_worlds.CALM), ("modernbert", {})],
)
def test_a_training_without_dropout_learns_as_on_the_processor(name, calm, precision):
    chosen = worlds.plan(worlds.phase(lr=3e-3, epochs=3, warmup=0.0), precision=precision)
    histories = []
    for start in (worlds.pretrained(name, **calm), on_card(worlds.pretrained(name, **calm))):
        _, trained = worlds.run(name, chosen, start, data=worlds.splits(name, 64, 32))
        histories.append([look["validation_loss"] for look in trained.history])
    assert np.allclose(*histories, atol=0.02 if precision == "fp32" else 0.15), histories


def test_frozen_layers_are_kept_and_read(tmp_path):
    head = worlds.phase(("head",), solver="logistic", epochs=1)
    for name in ("bert", "resnet-basic"):
        model = on_card(worlds.pretrained(name))
        keeping = Keeping(tmp_path / name, thrifty=False)
        top = worlds.phase(("top:1",), epochs=2)
        _, trained = worlds.run(name, worlds.plan(head, top), model, keeping)
        assert trained.proofs["frozen_unmoved"] and min(trained.proofs["prefix_cached"]) > 0


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("bert", "fp32"),
        ("bert", "bf16"),
        ("gpt2", "bf16"),
        ("resnet-basic", "fp32"),
        ("resnet-basic", "bf16"),
    ],
)
def test_a_training_that_was_broken_off_ends_as_in_one_go(tmp_path, name, precision):
    class Enough(Exception):
        pass

    def stop(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Enough

    chosen = worlds.plan(worlds.phase(lr=1e-3, epochs=3), precision=precision)
    whole, _ = worlds.run(name, chosen, on_card(worlds.pretrained(name)))
    keeping = Keeping(checkpoints=tmp_path, save_seconds=0)
    with pytest.raises(Enough):
        worlds.run(name, chosen, on_card(worlds.pretrained(name)), keeping, tell=stop)
    again, _ = worlds.run(name, chosen, on_card(worlds.pretrained(name)), keeping)
    ends = [worlds.without_key_biases(worlds.state(model)) for model in (whole, again)]
    assert worlds.largest_difference(*ends) <= (NEAR[precision] if fused(name) else 0.0)


def fused(name):
    """May a gradient be that of fused attention, whose parts are added up in any order?"""
    return name not in CONVOLUTIONS


@pytest.fixture
def made(monkeypatch):
    """What replays steps in the trainings of a test, one for each phase."""
    found, replays = [], loop.replays

    def noted(*given):
        found.append(replays(*given))
        return found[-1]

    monkeypatch.setattr(loop, "replays", noted)
    return found


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", tiny_models.NAMES)
def test_replayed_steps_are_ordinary_ones(name, precision, made, monkeypatch):
    """Dropout included. Whoever has no kernel for its attention goes on in the ordinary way."""
    chosen, told = worlds.plan(worlds.phase(lr=1e-3, epochs=4), precision=precision), []
    data = worlds.splits(name, 44, 10, size=64)
    one, first = worlds.run(name, chosen, on_card(worlds.pretrained(name)), data=data, tell=told.append)
    assert not [event["what"] for event in told if event["event"] == "note"]
    if name in REPLAYED[precision]:
        assert made[0].working and made[0].recorded
    monkeypatch.setattr(loop, "replays", lambda *given: None)
    other, second = worlds.run(name, chosen, on_card(worlds.pretrained(name)), data=data)
    near = SAME[fused(name)]
    assert worlds.largest_difference(worlds.state(one), worlds.state(other)) <= near
    for a, b in zip(first.history[1:], second.history[1:], strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=near)


def test_a_capture_that_cuda_refuses_leaves_the_training_as_it_would_be(made, monkeypatch):
    """A value that is read while a step is recorded breaks the recording, and nothing else."""
    task, told = type(worlds.task("vit")), []
    whole = task.loss_of

    def reading(self, anatomy, state, start, targets):
        loss, count = whole(self, anatomy, state, start, targets)
        assert float(loss) > 0
        return loss, count

    monkeypatch.setattr(task, "loss_of", reading)
    chosen, data = worlds.plan(worlds.phase(lr=1e-3, epochs=3)), worlds.splits("resnet-basic", 44, 10)
    one, _ = worlds.run(
        "resnet-basic", chosen, on_card(worlds.pretrained("resnet-basic")), data=data, tell=told.append
    )
    assert made and not made[0].working
    assert any("not replayed" in str(event.get("what")) for event in told)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    monkeypatch.setattr(loop, "replays", lambda *given: None)
    other, _ = worlds.run("resnet-basic", chosen, on_card(worlds.pretrained("resnet-basic")), data=data)
    assert worlds.equal(worlds.state(one), worlds.state(other))


def test_a_replayed_step_that_is_not_finite_moves_nothing(made):
    data, told = worlds.splits("resnet-basic", 44, 10), []
    model = on_card(worlds.pretrained("resnet-basic"))
    chosen = worlds.plan(worlds.phase(lr=1e-3, epochs=3))
    whole = data["train"].inputs.on

    def poisoned(device, numbers, end_to_end):
        state = whole(device, numbers, end_to_end)
        state["pixel_values"][torch.from_numpy(np.asarray(numbers) == 17).to(device)] = float("nan")
        return state

    data["train"].inputs.on = poisoned
    _, trained = worlds.run("resnet-basic", chosen, model, data=data, tell=told.append)
    assert made[0].recorded
    assert trained.proofs["steps_skipped"] == 3
    assert all(torch.isfinite(tensor).all() for tensor in worlds.state(model).values())


def test_memory_that_runs_out_halves_the_rows(tmp_path):
    told, name = [], "bert"
    changes = {"hidden_size": 256, "intermediate_size": 16384, "num_attention_heads": 4}
    source = np.random.default_rng(0)
    ids = [[2, *source.integers(4, 60, 38), 3] for _ in range(1024)]
    rows = worlds.split(name, 1024, 1)
    data = {n: replace(rows, inputs=TextInputs(Ragged.of(ids), 0)) for n in ("train", "validation")}
    chosen = worlds.plan(worlds.phase(epochs=1), batch=1024)
    start = on_card(worlds.pretrained(name, **changes))
    total = torch.cuda.get_device_properties(card()).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 3e9) / total)
    try:
        _, trained = worlds.run(name, chosen, start, data=data, tell=told.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert trained.steps == 1
    assert any("memory ran out" in str(event.get("what")) for event in told)


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_conversations_are_learned_as_on_the_processor(name):
    chosen = worlds.plan(worlds.phase(lr=3e-3, epochs=2, warmup=0.0))
    losses = []
    for move in (lambda model: model, on_card):
        model = move(chat_worlds.pretrained(name))
        trained = tune(model, chosen, Chat(), chat_worlds.splits(model))
        losses.append([look["validation_loss"] for look in trained.history])
    assert np.allclose(*losses, atol=0.03), losses


@pytest.mark.parametrize(
    ("data", "model", "asked"),
    [("reviews.csv", "text-model", ["awful film", "lovely"]), ("shapes", "image-model", [])],
)
def test_the_whole_street(world, tmp_path, data, model, asked):
    """What is saved answers as what was measured, to 1e-5: the street itself sees to it."""
    told = []
    models = (str(world / model),)
    result = process.run(world / data, runs=tmp_path, models=models, device=CUDA, tell=told.append)
    assert result.reproduce.machine["accelerator"] == torch.cuda.get_device_name()
    assert all(np.isfinite(run.metrics["log_loss"].value) for run in result.runs.values())
    assert result.runs and result.verdict
    if asked:
        here, there = (process.predict(result.run, asked, device=device) for device in ("cpu", CUDA))
        for (_, one), (_, other) in zip(here, there, strict=True):
            assert [label for label, _ in one] == [label for label, _ in other]
            assert np.allclose([p for _, p in one], [p for _, p in other], atol=1e-4)


def test_logits_do_not_depend_on_the_device(tmp_path):
    tiny_models.save(tmp_path, "bert")
    here, there = (load(str(tmp_path), "text", device=d) for d in ("cpu", "auto"))
    torch.testing.assert_close(
        logits_of(there.anatomy, texts()), logits_of(here.anatomy, texts()), atol=1e-5, rtol=1e-4
    )
