"""The last stop: evidence, the recommended model with its card, and the pages. Computes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.files import write_json
from warmstart.base.result import Result
from warmstart.base.types import Evidence
from warmstart.models.own_file import write_temperature
from warmstart.report.forms import FORMS
from warmstart.report.read import read_result
from warmstart.street.folder import Trip, is_run, run_folder

PAGES = ("html", "markdown", "json")  # result.json last: it says that all is there


def write_pages(trip: Trip, everything: Result, evidence: Evidence) -> None:
    """evidence.json, model/ (the recommended one, with its card), report.html, report.md, result.json."""
    write_json(trip.path("evidence.json"), evidence)
    draft = trip.path(".model.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(trip.path("training", evidence.shipped, "model"), draft)
    FORMS.get("model_card")().write(everything, draft)
    if everything.calibration is not None and everything.calibration.used:
        write_temperature(draft, everything.calibration.temperature)
    shutil.rmtree(trip.path("model"), ignore_errors=True)
    draft.rename(trip.path("model"))
    for name in PAGES:
        FORMS.get(name)().write(everything, trip.folder)
    trip.tell({"event": "stop", "stop": "report", "what": str(trip.path("report.html"))})


def write_again(folder: str | Path, form: str) -> tuple[Result, Path]:
    """One page of a finished run, from its result.json; returns what it shows and where it lies."""
    place = run_folder(folder)
    if is_run(place) and not (place / "result.json").is_file():
        raise WarmstartError(
            f"{place}: this run is not finished", f"go on with it: warmstart run {place}", "no-result"
        )
    result = read_result(place / "result.json")
    return result, FORMS.get(form)().write(result, place / "model" if form == "model_card" else place)
