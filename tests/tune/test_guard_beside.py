"""BSS and R3F: what is added to the loss of rows."""

import numpy as np
import pytest
import torch

import guard_worlds as guarded
import tune_worlds as worlds
from warmstart.base.seeds import stream
from warmstart.tune.batch import Seen
from warmstart.tune.guards.r3f import both_ways
from warmstart.tune.step import add_gradients


def own_features(model, split, rows):
    """B x D that the padded model's head reads, caught on their way into it."""
    caught = []
    linear = model.anatomy.head()[1]
    hook = linear.register_forward_hook(lambda module, given, out: caught.append(given[0]))
    with torch.no_grad():
        model.module.eval()(**split.inputs.batch(rows))
    hook.remove()
    return caught[0].double().numpy()


@pytest.mark.parametrize("name", ["bert", "resnet-basic"])
@pytest.mark.parametrize("smallest", [1, 3, 99])
def test_bss_adds_the_smallest_squared_singular_values_of_the_features(name, smallest):
    """The oracle: numpy's eigenvalues of the B x B inner products."""
    model = guarded.calm(name)
    guard, job = guarded.begun(model, {"name": "bss", "weight": 0.3, "smallest": smallest})
    batch = guarded.batch_of(job)
    found = guard.beside(job, batch, guarded.seen(job, batch))
    features_BD = own_features(guarded.calm(name), job.splits["train"], batch.rows)
    squares = np.sort(np.linalg.eigvalsh(features_BD @ features_BD.T))[:smallest]
    assert found.item() / 5 == pytest.approx(0.3 * squares.sum(), rel=1e-3 if smallest == 1 else 1e-4)


def test_the_gradient_of_bss_is_twice_the_smallest_direction_times_its_value():
    """d s_k^2 / d F = 2 s_k u_k v_k^T, by numpy in double precision."""
    source = torch.Generator().manual_seed(1)
    features = torch.randn(6, 9, generator=source).requires_grad_(True)
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "bss", "weight": 1.0})
    below = {"pooled": features}
    guard.beside(job, guarded.batch_of(job), Seen(below, torch.zeros(6, 3))).backward()
    u, s, v = np.linalg.svd(features.detach().double().numpy(), full_matrices=False)
    assert np.allclose(features.grad.numpy() / 6, 2 * s[-1] * np.outer(u[:, -1], v[-1]), atol=1e-5)


def test_bss_adds_nothing_where_the_head_learns_alone():
    guard, job = guarded.begun(guarded.calm(), {"name": "bss"}, worlds.phase(("head",)))
    batch = guarded.batch_of(job)
    assert guard.beside(job, batch, guarded.seen(job, batch)) is None


def test_bss_shrinks_what_hardly_spreads():
    smallest = []
    for guards in ((), ({"name": "bss", "weight": 3.0},)):
        plan = worlds.plan(worlds.phase(lr=3e-3, epochs=6), guards=guards)
        model, _ = worlds.run("bert", plan, guarded.calm())
        features = own_features(model, worlds.splits("bert")["train"], range(8))
        smallest.append(np.linalg.svd(features, compute_uv=False)[-1])
    assert smallest[1] < 0.7 * smallest[0]


def divergences(one, other):
    p, q = (np.exp(x) / np.exp(x).sum(1, keepdims=True) for x in (one, other))
    return (p * np.log(p / q)).sum() + (q * np.log(q / p)).sum()


def test_both_ways_is_the_sum_of_the_two_divergences():
    source = np.random.default_rng(0)
    one, other = source.normal(size=(2, 7, 4))
    found = both_ways(torch.from_numpy(one), torch.from_numpy(other))
    assert float(found) == pytest.approx(divergences(one, other), rel=1e-12)
    assert float(both_ways(torch.from_numpy(one), torch.from_numpy(one))) == 0


NOISES = {"normal": lambda x, s: x.normal_(0, 0.05, generator=s),
          "uniform": lambda x, s: x.uniform_(-0.05, 0.05, generator=s)}  # fmt: skip


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(
    ("name", "start"), [("bert", 0), ("bert", 3), ("resnet-basic", 0), ("resnet-basic", 2)]
)
def test_r3f_compares_with_answers_under_noise_on_embeddings_pixels_or_the_kept_state(name, start, noise):
    """The oracle: the same draws put on by hand in padded rows, and numpy's divergences."""
    table = {"name": "r3f", "weight": 0.4, "spread": 0.05, "noise": noise}
    model = guarded.calm(name)
    guard, job = guarded.begun(model, table)
    job.epoch = 1
    batch = guarded.batch_of(job, start=start)
    found = guard.beside(job, batch, guarded.seen(job, batch))
    place = max(start, 1) if name == "bert" else start
    with torch.no_grad():
        state = job.anatomy.run(batch.state, start, place)
        key = "hidden" if "hidden" in state else "pixel_values"
        source = torch.Generator().manual_seed(stream(3, "r3f", 0, 1, 0, 0))
        shifted = {**state, key: state[key] + NOISES[noise](torch.empty_like(state[key]), source)}
        both = [job.anatomy.logits(s, place).double().numpy() for s in (state, shifted)]
    expected = 0.4 * divergences(*both)
    assert expected > 1e-5
    assert found.item() == pytest.approx(expected, rel=2e-2 if expected < 1e-3 else 1e-3)


def test_r3f_reaches_weights_through_both_answers():
    """The oracle: slopes by differences, under the same draw of noise."""
    model = guarded.calm("resnet-basic")
    guard, job = guarded.begun(model, {"name": "r3f", "weight": 1.0, "spread": 0.3})
    batch, weight = guarded.batch_of(job, start=1), model.anatomy.head()[1].weight

    def total():
        return guard.beside(job, batch, guarded.seen(job, batch))

    found = torch.autograd.grad(total(), weight)[0]
    steepest = found.abs().flatten().argsort()[-3:]
    with torch.no_grad():
        for place in (divmod(int(n), weight.shape[1]) for n in steepest):
            sides = []
            for step in (1e-2, -2e-2):
                weight[place] += step
                sides.append(float(total()))
            weight[place] += 1e-2
            assert (sides[0] - sides[1]) / 2e-2 == pytest.approx(float(found[place]), rel=1e-2)


def test_noise_differs_between_steps_and_parts_and_not_between_runs():
    model = guarded.calm()
    guard, job = guarded.begun(model, {"name": "r3f", "spread": 0.1})

    def value(step, rows):
        job.step = step
        batch = guarded.batch_of(job, rows)
        return guard.beside(job, batch, guarded.seen(job, batch)).item()

    assert value(0, (1, 2)) == value(0, (1, 2)) != value(1, (1, 2))
    job.step = 0
    whole = add_gradients(job, [guard], job.splits["train"], np.arange(6), 0)
    assert whole == add_gradients(job, [guard], job.splits["train"], np.arange(6), 0)
