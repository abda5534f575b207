"""Published data sets as they are found: read without an option, their troubles found."""

from pathlib import Path

import pytest

from warmstart.data.bundle import load_bundle, open_bundle

pytestmark = pytest.mark.models


@pytest.mark.parametrize(
    ("name", "classes", "test", "troubles"),
    [
        ("sms_spam", 2, 1035, {"control_characters", "duplicates", "leaks"}),
        ("snips_intents", 7, 700, {"control_characters", "duplicates", "leaks"}),
        ("pollen_bees", 2, 176, set()),
    ],
)
def test_a_published_data_set_is_read_as_it_is(name, classes, test, troubles, assets: Path, tmp_path: Path):
    bundle = open_bundle(str(assets / "data" / name), tmp_path / "out")
    assert len(bundle.labels) == classes and len(bundle.test) == test and bundle.name == name
    assert {f.check for f in bundle.findings if f.level == "warning"} == troubles
    assert load_bundle(tmp_path / "out") == bundle
