"""warmstart rank: which pretrained model is the best start?"""

from pathlib import Path
from typing import Annotated

import typer

from warmstart.cli import flags, frame


def command(
    data: flags.Data,
    models: flags.From = None,
    task: flags.Task = "",
    text: flags.Text = "",
    label: flags.Label = "",
    group: flags.Group = "",
    test: flags.Test = "",
    rows: flags.Rows = 0,
    settings: flags.Set = None,
    out: flags.Out = "runs",
    cache_limit: flags.CacheLimit = "",
    race: flags.Race = None,
    device: Annotated[str, typer.Option("--device", hidden=True)] = "auto",
    as_json: flags.Json = False,
) -> None:
    """Rank pretrained models by how well their frozen features tell the user's own rows apart."""
    given = {"models": models, "task": task, "text": text, "label": label, "group": group, "test": test}
    asked = frame.options({**given, "rows": rows}, settings or [], race)
    from rich.console import Group
    from rich.text import Text

    from warmstart import process
    from warmstart.report.terminal import known_table, race_table, ranking_table
    from warmstart.report.words import unaided
    from warmstart.street.summary import ranked

    ranking = process.rank(
        data, runs=Path(out), tell=frame.listener(as_json), cache_limit=cache_limit, device=device, **asked
    )
    table = tuple(map(ranked, ranking.scored))
    if as_json:
        frame.show_json(
            {
                "score": ranking.score,
                "ranking": table,
                "reasons": ranking.reasons,
                "baseline": ranking.baseline,
                "race": ranking.race,
            }
        )
    else:
        said = (*ranking.reasons, *(ranking.race.reasons if ranking.race else ()))
        reasons = (Text(frame.plain(f"  {r.rule}: {r.saw}: {r.so}")) for r in said)
        beside = [Text(f"  without a network, {unaided(ranking.baseline)}")] if ranking.baseline else []
        tried = [race_table(ranking.race)] if ranking.race and ranking.race.entrants else []
        tables = (ranking_table(table, ranking.score, race=ranking.race), known_table(table), *tried)
        frame.show(Group(*tables, *beside, *reasons))
