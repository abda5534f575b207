"""Fast dropout drops what it should: the rate, the mean, the gradient, the same again from the same seed."""

import pytest
import torch
from torch import nn

from warmstart.models.dropout import Dropout, keep_mask, quicken


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_rate_is_met_and_the_mean_stays(rate):
    torch.manual_seed(0)
    x = torch.ones(1_000_003)
    out = Dropout(rate)(x)
    bound = 5 * (rate * (1 - rate) / len(x)) ** 0.5
    assert abs(float((out == 0).double().mean()) - rate) < bound
    assert float(out.mean()) == pytest.approx(1, abs=5 * (rate / (1 - rate) / len(x)) ** 0.5)
    assert out.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)])


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = keep_mask(torch.empty(1_000_000), 0.5).double() - 0.5
    for apart in (1, 2, 3, 4, 5):  # four share one draw of 64 bits
        assert abs(float((kept[apart:] * kept[:-apart]).mean()) * 4) < 0.006


def test_the_gradient_passes_where_the_activation_did():
    torch.manual_seed(0)
    x = torch.randn(50, 7, requires_grad=True)
    out = Dropout(0.3)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, (out != 0).float() / 0.7)


def test_the_same_seed_drops_the_same_and_eval_nothing():
    x, layer = torch.randn(40), Dropout(0.4)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert not Dropout(1.0)(x).any()


def test_plain_dropouts_are_replaced_and_nothing_else():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2), nn.Sequential(nn.Dropout1d(0.1), nn.Dropout(0.3)))
    model.eval()
    names = list(model.state_dict())
    quicken(model)
    assert [type(m) for m in (model[1], model[2][0], model[2][1])] == [Dropout, nn.Dropout1d, Dropout]
    assert (model[1].p, model[2][1].p, model[1].training) == (0.2, 0.3, False)
    assert list(model.state_dict()) == names
