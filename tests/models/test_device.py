"""The device by name; what there is not is said."""

import pytest
import torch

from warmstart import process
from warmstart.base.errors import WarmstartError
from warmstart.models.device import choose, named

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
