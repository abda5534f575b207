"""Published data sets as they are found: read without an option, in seconds, their troubles found."""

import os
import time
from pathlib import Path

import pytest

from warmstart.data.bundle import load_bundle, open_bundle

pytestmark = pytest.mark.models


@pytest.fixture
def assets() -> Path:
    folder = os.environ.get("WARMSTART_ASSETS")
    if not folder:
        pytest.skip("WARMSTART_ASSETS names no folder with the published data sets")
    return Path(folder) / "data"


@pytest.mark.parametrize(
    ("name", "classes", "test", "troubles"),
    [
        ("sms_spam", 2, 1035, {"control_characters", "duplicates", "leaks"}),
        ("snips_intents", 7, 700, {"control_characters", "duplicates", "leaks"}),
        ("pollen_bees", 2, 176, set()),
    ],
)
def test_a_published_data_set_is_read_as_it_is(name, classes, test, troubles, assets: Path, tmp_path: Path):
    start = time.process_time()
    bundle = open_bundle(str(assets / name), tmp_path / "out")
    assert len(bundle.labels) == classes and len(bundle.test) == test and bundle.name == name
    assert {f.check for f in bundle.findings if f.level == "warning"} == troubles
    assert load_bundle(tmp_path / "out") == bundle
    assert time.process_time() - start < 30
