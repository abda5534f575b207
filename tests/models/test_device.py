"""The device by name; what there is not is said."""

import pytest
import torch

from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.models.device import choose, named
from warmstart.street.folder import Options, Trip
from warmstart.street.hands import Hands
from warmstart.street.summary import device_flag

HAS_CARD = torch.cuda.is_available()


def test_a_processor_is_always_there():
    assert choose("cpu") == torch.device("cpu")
    assert named(choose("cpu")) == "none"


def test_without_a_wish_it_is_the_graphics_processor_where_there_is_one():
    assert choose().type == ("cuda" if HAS_CARD else "cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:0", "cuda:-1", "CUDA"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(WarmstartError, match=r'write "auto", "cpu", "cuda" or "cuda:1"') as caught:
        choose(name)
    assert caught.value.code == "wrong-value"


def test_a_graphics_processor_that_is_not_there_is_refused():
    with pytest.raises(WarmstartError, match="sees") as caught:
        choose("cuda:99")
    assert caught.value.code == "no-device"


@pytest.mark.parametrize("verb", [process.run, process.rank, process.plan])
@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_a_refused_device_leaves_no_run_folder(verb, name, tmp_path):
    (tmp_path / "rows.csv").write_text("text,label\n" + "good,yes\nbad,no\n" * 20)
    with pytest.raises(WarmstartError, match="device"):
        verb(tmp_path / "rows.csv", runs=tmp_path / "runs", device=name)
    assert not (tmp_path / "runs").exists()


def test_several_processes_and_a_gpu_are_refused(tmp_path):
    with pytest.raises(WarmstartError, match="CPUs alone"):
        process.run(tmp_path / "rows.csv", runs=tmp_path / "runs", device="cuda", processes=2)
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def card(monkeypatch):
    """As if there were one GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "Card 9000")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def trip(told, tmp_path, **settings):
    return Trip(tmp_path, Options("rows.csv"), "now", tmp_path, told.append, **settings)


def test_what_is_computed_on_is_said(card, tmp_path):
    told = []
    process.say_where(trip(told, tmp_path, device=str(choose())))
    process.say_where(trip(told, tmp_path, device="cpu"))
    process.say_where(trip(told, tmp_path, device="cpu", hands=Hands(2)))
    assert [event["what"] for event in told] == [
        "computing on Card 9000 (cuda:0)",
        "a GPU is there; several processes train on CPUs alone so far",
    ]


def test_the_command_that_does_the_same_names_the_device_where_it_was_chosen(card, tmp_path):
    assert device_flag(trip([], tmp_path, device="cpu")) == " --device cpu"
    assert device_flag(trip([], tmp_path, device="cuda:0")) == ""


def test_float32_on_a_gpu_is_float32_in_convolutions_too(card):
    assert choose("cuda").index == 0
    assert not torch.backends.cudnn.allow_tf32
