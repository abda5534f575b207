"""The stops of the street as process.py walks them: each reads its artefact, or makes it."""
