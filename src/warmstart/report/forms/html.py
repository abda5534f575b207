"""report.html: one self-contained page that opens offline, runs no script and asks for nothing."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from warmstart.base.files import write_text
from warmstart.base.result import Result
from warmstart.report import (
    calibrated,
    forgotten,
    glossary,
    overfitted,
    panels,
    probed,
    regions,
    seeds,
    ticks,
    units,
    words,
)

if TYPE_CHECKING:
    from jinja2 import Environment

PAGES = Path(__file__).parents[1] / "pages"
_PICTURE = re.compile(r"data:image/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}\Z")


@dataclass(frozen=True)
class Html:
    """The report as a page: verdict first, then what it stands on, then how to do it again."""

    file: ClassVar[str] = "report.html"

    def write(self, result: Result, folder: Path) -> Path:
        """Write `folder`/report.html, whole or not at all, and return its path."""
        path = folder / self.file
        write_text(path, words.utf8(page(result)))
        return path


def page(result: Result) -> str:
    """The page as text."""
    return _environment().get_template("report.html").render(result=result)


@cache
def _environment() -> "Environment":
    """Templates that escape all they are given and stop at a name that does not exist."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.globals.update(
        calibrated=calibrated,
        overfitted=overfitted,
        glossary=glossary,
        panels=panels,
        probed=probed,
        forgotten=forgotten,
        regions=regions,
        seeds=seeds,
        ticks=ticks,
        units=units,
        words=words,
        is_picture=is_picture,
    )
    pages.filters.update(
        count=words.count,
        amount=words.amount,
        size=words.size,
        clock=words.clock,
        rate=words.rate,
        short=words.short,
        spoken=words.spoken,
        setting=words.setting,
    )
    return pages


def is_picture(uri: str) -> bool:
    """Is this the data URI of a raster picture, and nothing else?"""
    return _PICTURE.match(uri) is not None


FORM = Html
