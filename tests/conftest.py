"""Lets every test import the helpers beside it; none reaches for the network, all share the cores politely.

The street runs once a session on small texts and once on small pictures; tests that change a run folder
change a copy.
"""

import os
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

if not os.environ.get("WARMSTART_GPU"):
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # tests compare bits with those of processors
for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}.items():
    os.environ.setdefault(name, value)


sys.path.append(str(Path(__file__).parent / "data"))  # bad_inputs, for the command line too
sys.path.append(str(Path(__file__).parent / "evaluate"))  # cause_worlds, for the family of causes


@dataclass
class Walk:
    """One trip down the street: what came of it, and what was told on the way."""

    folder: Path
    result: Any = None
    told: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """text-model/, text-model-2/, image-model/, reviews.csv and shapes/ as street_world makes them."""
    import street_world

    place = tmp_path_factory.mktemp("world")
    street_world.text_model(place / "text-model")
    street_world.text_model(place / "text-model-2", seed=1)
    street_world.image_model(place / "image-model")
    street_world.write_csv(place / "reviews.csv", street_world.reviews(100))
    street_world.write_shapes(place / "shapes", each=14)
    return place


@pytest.fixture(scope="session")
def text_run(world: Path) -> Walk:
    """The whole street on texts, whatever the record would choose; its folder is for reading only."""
    return walked(world, "reviews.csv", "text-model", strategy="full")


@pytest.fixture(scope="session")
def image_run(world: Path) -> Walk:
    """The whole street on pictures; its folder is for reading only."""
    return walked(world, "shapes", "image-model")


def walked(world: Path, data: str, model: str, **asked: Any) -> Walk:
    from warmstart import process

    told: list[dict[str, Any]] = []
    models = (str(world / model),)
    result = process.run(world / data, runs=world / "runs", models=models, tell=told.append, **asked)
    return Walk(Path(result.run), result, told)


@pytest.fixture
def text_copy(text_run: Walk, tmp_path: Path) -> Path:
    """A copy of the run folder on texts, to be changed."""
    return Path(shutil.copytree(text_run.folder, tmp_path / "runs" / text_run.folder.name))


@pytest.fixture
def image_copy(image_run: Walk, tmp_path: Path) -> Path:
    """A copy of the run folder on pictures, to be changed."""
    return Path(shutil.copytree(image_run.folder, tmp_path / "runs" / image_run.folder.name))


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of real weights and data: $WARMSTART_ASSETS, else shared/assets beside the repository."""
    place = Path(os.environ.get("WARMSTART_ASSETS", Path(__file__).parents[2] / "shared" / "assets"))
    if not (place / "weights").is_dir():
        pytest.skip(f"no weights in {place}; set WARMSTART_ASSETS")
    return place


@pytest.fixture(autouse=True)
def signals_are_left_as_they_were():
    """A handler that outlives its test would swallow the Ctrl-C of a later one."""
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
