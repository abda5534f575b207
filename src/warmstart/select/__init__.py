"""Bundle + candidates -> Ranking."""
