"""The one exception a user ever sees on purpose."""

from collections.abc import Iterable
from difflib import get_close_matches


class WarmstartError(Exception):
    """Something the user can put right: what is wrong (with the value and where), and what to do next.

    `code` is a short, stable, kebab-case name for scripts ("file-empty", "one-class").
    `exit_code` is what the command line ends with: 2 usage or data, 5 resources, 6 interrupted.
    """

    def __init__(self, wrong: str, do: str, code: str = "input", exit_code: int = 2) -> None:
        super().__init__(f"{wrong}\n  -> {do}")
        self.wrong, self.do, self.code, self.exit_code = wrong, do, code, exit_code


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice for a misspelt `word`: the nearest of `known`, or all of them."""
    names = sorted(map(str, known))
    close = get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(names) or 'nothing'}"
