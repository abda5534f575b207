"""Write docs/reference.md: every verb with its help, every family with its parts, from the code itself."""

import subprocess
import sys
from pathlib import Path

from warmstart.cli.list_verb import FAMILIES, family_of
from warmstart.cli.main import VERBS


def verbs() -> str:
    sections = []
    for verb in VERBS:
        told = subprocess.run(
            [sys.executable, "-m", "warmstart", verb, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env={"COLUMNS": "100", "PATH": ""},
        )
        sections.append(f"### warmstart {verb}\n\n```\n{told.stdout.strip()}\n```\n")
    return "\n".join(sections)


def families() -> str:
    sections = []
    for name in FAMILIES:
        family = family_of(name)
        rows = "\n".join(f"| `{part}` | {family.first_line(part)} |" for part in family.names())
        sections.append(f"### {name}\n\n| part | what it is |\n|---|---|\n{rows}\n")
    return "\n".join(sections)


def main() -> None:
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference.md")
    out.parent.mkdir(parents=True, exist_ok=True)
    text = "# Reference\n\nWritten by `make docs` from the code.\n\n"
    out.write_text(f"{text}## Commands\n\n{verbs()}\n## Parts\n\n{families()}", encoding="utf-8")


if __name__ == "__main__":
    main()
