"""Where memory runs out, fewer rows go through at a time; what is learned and how fast stays the same."""

import ctypes
import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from children import answer_of
from torch.optim.optimizer import register_optimizer_step_pre_hook

import tune_worlds as worlds
from warmstart.base.errors import WarmstartError
from warmstart.tune import checkpoint
from warmstart.tune.loop import Keeping

PLAN = worlds.plan(worlds.phase(lr=1e-4, epochs=3, schedule="constant", warmup=0.0), batch=16)
ERRORS = {
    "torch": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "allocator": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"
    ),
    "python": lambda: MemoryError(),
    "convolutions": lambda: RuntimeError("could not create a primitive"),
}


class Scarce:
    """Memory for so many rows at a time, from the `after`-th try on."""

    def __init__(self, model, where, rows, error, after=0):
        self.rows, self.error, self.after, self.tries, self.where = rows, error, after, 0, where
        model.anatomy.model.classifier.register_forward_hook(self)

    def __call__(self, module, args, logits):
        self.tries += 1
        if self.tries <= self.after or len(logits) <= self.rows:
            return
        if self.where == "forward" and module.training or self.where == "evaluation" and not module.training:
            raise self.error()
        if self.where == "backward" and logits.requires_grad:
            logits.register_hook(self.fail)

    def fail(self, gradient):
        raise self.error()


def run(model, plan=PLAN, name="bert", folder=None, data=None):
    told, rates = [], []
    hook = register_optimizer_step_pre_hook(
        lambda stepper, a, k: rates.append([g["lr"] for g in stepper.param_groups])
    )
    try:
        keeping = Keeping(checkpoints=folder, save_seconds=0.0) if folder else None
        _, trained = worlds.run(name, plan, model, keeping, data, told.append)
    finally:
        hook.remove()
    notes = [e["what"] for e in told if e["event"] == "note"]
    return worlds.without_key_biases(worlds.state(model)), trained, rates, notes


def calm():
    return worlds.pretrained("bert", **worlds.CALM)


@pytest.fixture(scope="module")
def roomy():
    return run(calm())


def check_same(one, other):
    assert worlds.largest_difference(one[0], other[0]) < 1e-6
    assert one[1].steps == other[1].steps
    assert one[2] == other[2]
    for a, b in zip(one[1].history, other[1].history, strict=True):
        assert b["validation_loss"] == pytest.approx(a["validation_loss"], abs=1e-6)
        if a["train_loss"] is not None:
            assert b["train_loss"] == pytest.approx(a["train_loss"], abs=1e-6)


@pytest.mark.parametrize("where", ["forward", "backward", "evaluation"])
@pytest.mark.parametrize(
    ("error", "rows", "after"),
    [("torch", 5, 0), ("allocator", 3, 4), ("python", 1, 7), ("convolutions", 8, 2)],
)
def test_half_as_many_rows_at_a_time_end_in_the_same_weights(roomy, where, error, rows, after):
    model = calm()
    Scarce(model, where, rows, ERRORS[error], after)
    short = run(model)
    check_same(roomy, short)
    notes = short[3]
    assert notes
    assert all(note.startswith("memory ran out while") for note in notes)
    doing = "evaluating" if where == "evaluation" else "learning"
    assert f"memory ran out while {doing} with" in notes[0]
    halves = [int(note.split(" rows at a time")[0].rsplit(" ", 1)[1]) for note in notes]
    assert all(b == a // 2 for a, b in zip(halves, halves[1:], strict=False))
    assert halves[-1] // 2 <= rows


def test_a_step_in_halves_is_the_step_in_parts_of_that_size_to_the_bit():
    """With dropout and with norms that learn: the broken try leaves no trace."""
    for name, changes in (("bert", {}), ("resnet-basic", {"norm_statistics": "learn"})):
        plan = worlds.plan(worlds.phase(epochs=2), batch=8, **changes)
        parts = run(worlds.pretrained(name), replace(plan, micro_batch=4), name)
        model, failed = worlds.pretrained(name), []

        def fail_once(module, args, logits, failed=failed):
            if module.training and not failed:
                failed.append(len(logits))
                raise MemoryError

        model.anatomy.head()[1].register_forward_hook(fail_once)
        halves = run(model, plan, name)
        assert failed == [8]
        assert worlds.equal(parts[0], halves[0])
        assert parts[1].history == halves[1].history


def test_what_was_learned_about_memory_is_kept_for_the_next_sitting(tmp_path):
    model = calm()
    Scarce(model, "forward", 4, MemoryError)
    assert len(run(model, folder=tmp_path)[3]) == 2
    newest = checkpoint.read(checkpoint.found(tmp_path)[-1])
    assert newest.numbers["job"]["limits"] == {"step": 4}
    for path in checkpoint.found(tmp_path)[1:]:  # so that some steps are left
        assert checkpoint.verified(path)
    model, sizes = calm(), []
    model.anatomy.model.classifier.register_forward_hook(
        lambda m, a, out: sizes.append(len(out)) if m.training else None
    )
    interrupted(tmp_path / "half")
    run(model, folder=tmp_path / "half")
    assert max(sizes) == 4


def interrupted(folder):
    """A training that learned its limit and was broken off after its first epoch."""

    class Enough(Exception):
        pass

    def tell(event):
        if event["event"] == "look" and event["epoch"] == 2:
            raise Enough

    model = calm()
    Scarce(model, "forward", 4, MemoryError)
    with pytest.raises(Enough):
        worlds.run("bert", PLAN, model, Keeping(checkpoints=folder, save_seconds=0.0), tell=tell)


@pytest.mark.parametrize("where", ["forward", "backward", "evaluation"])
def test_one_row_that_is_too_much_is_an_error_of_resources(where):
    model = calm()
    Scarce(model, where, 0, ERRORS["allocator"])
    with pytest.raises(WarmstartError, match="one row at a time") as refused:
        run(model)
    assert (refused.value.code, refused.value.exit_code) == ("memory", 5)


def test_another_error_of_torch_is_not_taken_for_a_shortage():
    model = calm()
    Scarce(model, "forward", 0, lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        run(model)


def test_a_real_limit_of_the_system_is_borne():
    """The address space of a child is bounded: first hardly, then ever more, until the batch does not fit."""
    plan = worlds.plan(worlds.phase(epochs=1, lr=1e-4), batch=2048)
    data = worlds.splits("bert", train=2048, validation=2)

    def work(room):
        ctypes.CDLL(None).malloc_trim(0)  # what earlier tests have freed would be room beside the bound
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + room, resource.RLIM_INFINITY))
        try:
            _, trained, _, notes = run(calm(), plan, data=data)
        except WarmstartError as error:
            return {"code": error.code, "notes": []}
        return {"steps": trained.steps, "notes": notes}

    found = [answer_of(lambda room=room: work(room * 1_000_000)) for room in (400, *range(100, 0, -8))]
    assert found[0] == {"steps": 1, "notes": []}
    borne = [f for f in found if f["notes"]]
    assert borne
    assert all(f["steps"] == 1 for f in borne)
    assert all("memory ran out while learning" in f["notes"][0] for f in borne)
    assert all(f.get("code", "memory") == "memory" for f in found)
