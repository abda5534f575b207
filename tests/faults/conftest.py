"""Loads once what the children of these tests need, so that each costs a fork and its own work."""

import pytest
import trainings


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory):
    for kind in trainings.KINDS:
        trainings.end_of(kind, tmp_path_factory.mktemp("warm"), 1000.0)
