"""The loss fused with the output layer is torch's cross-entropy over all scores, in value and in gradient."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from warmstart.models import word_loss as module
from warmstart.models.word_loss import WordLoss, chunk_size, word_loss, word_losses


def world(tokens=77, words=131, width=16, kind=torch.float32, bias=False, seed=0):
    torch.manual_seed(seed)
    hidden = torch.randn(tokens, width, dtype=kind, requires_grad=True)
    weight = torch.randn(words, width, dtype=kind, requires_grad=True)
    shift = torch.randn(words, dtype=kind, requires_grad=True) if bias else None
    return hidden, weight, shift, torch.randint(words, (tokens,))


def whole(hidden, weight, bias, words):
    """The oracle: all scores at once."""
    scores = hidden @ weight.t()
    return cross_entropy(scores if bias is None else scores + bias, words, reduction="sum")


@pytest.fixture(params=[10**9, 131 * 32, 1], ids=["one chunk", "chunks of 32", "smallest chunks"])
def sizes(request, monkeypatch):
    monkeypatch.setattr(module, "SCORES", request.param)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tokens", [1, 31, 32, 33, 77])
def test_value_and_gradients_are_those_of_all_scores_at_once(tokens, bias, sizes):
    given = world(tokens, bias=bias)
    ours, theirs = word_loss(*given, torch.float32), whole(*given)
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), rel=1e-6)
    learning = [x for x in given[:3] if x is not None]
    for one, other in zip(*(torch.autograd.grad(2.5 * x, learning) for x in (ours, theirs)), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6 * float(other.abs().max()), rtol=1e-5)


def test_the_gradient_holds_in_double_precision(sizes):
    hidden, weight, bias, words = world(9, 12, 4, torch.float64, bias=True)
    assert torch.autograd.gradcheck(lambda *x: word_loss(*x, words, torch.float64), (hidden, weight, bias))


def test_an_output_layer_that_rests_gets_no_gradient():
    hidden, weight, _, words = world()
    weight.requires_grad_(False)
    expected = torch.autograd.grad(whole(hidden, weight, None, words), hidden)[0]
    word_loss(hidden, weight, None, words, torch.float32).backward()
    assert weight.grad is None
    torch.testing.assert_close(hidden.grad, expected)


def test_tied_weights_gather_the_gradients_of_both_their_uses():
    _, table, _, words = world()
    inputs = torch.randint(len(table), (len(words),))
    expected = torch.autograd.grad(whole(table[inputs], table, None, words), table)[0]
    found = torch.autograd.grad(word_loss(table[inputs], table, None, words, torch.float32), table)[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_losses_of_tokens_are_right_from_certain_to_hopeless(scale, sizes):
    hidden, weight, bias, words = world(bias=True)
    found = word_losses(scale * hidden, weight, bias, words, torch.float32)
    scores = scale * hidden.double() @ weight.double().t() + bias.double()
    expected = cross_entropy(scores, words, reduction="none").float()
    assert bool(torch.isfinite(found.losses_T).all())
    torch.testing.assert_close(found.losses_T, expected, atol=1e-6, rtol=3e-5)
    assert torch.equal(found.right_T, scores.argmax(-1) == words)


def test_what_is_no_number_is_not_hidden():
    hidden, weight, _, words = world()
    with torch.no_grad():
        hidden[5] = torch.inf
    assert not bool(torch.isfinite(word_loss(hidden, weight, None, words, torch.float32)))
    losses = word_losses(hidden, weight, None, words, torch.float32).losses_T
    assert (~torch.isfinite(losses)).nonzero().flatten().tolist() == [5]


def test_no_words_cost_nothing():
    hidden, weight, _, words = world()
    loss = word_loss(hidden[:0], weight, None, words[:0], torch.float32)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not weight.grad.any()


def test_products_in_half_precision_stay_near():
    hidden, weight, _, words = world(300, 500, 64)
    near, exact = (
        word_loss(0.3 * hidden, weight, None, words, kind) for kind in (torch.bfloat16, torch.float32)
    )
    assert float(near.detach()) == pytest.approx(float(exact.detach()), rel=2e-3)
    one, other = (torch.autograd.grad(x, hidden)[0] for x in (near, exact))
    assert float((one - other).norm() / other.norm()) < 0.02


@pytest.mark.parametrize("tokens", [1, 100, 3_500, 100_000])
def test_chunks_are_few_and_even(tokens):
    size = chunk_size(tokens, 50_257, 6_500_000)
    assert size % 32 == 0 and size <= 160
    assert -(-tokens // size) * size - tokens < max(32, 0.02 * tokens + 32)


def test_never_more_than_a_few_tokens_have_scores_at_a_time(monkeypatch):
    made = []
    plain = torch.mm
    monkeypatch.setattr(torch, "mm", lambda *x, out: made.append(out.shape) or plain(*x, out=out))
    monkeypatch.setattr(module, "SCORES", 131 * 32)
    hidden, weight, _, words = world(400)
    weight.requires_grad_(False)
    word_loss(hidden, weight, None, words, torch.float32).backward()
    assert sum(shape[0] for shape in made) >= 400 and max(shape[0] for shape in made) == 32
    assert WordLoss is not None
