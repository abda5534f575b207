"""Model + Plan -> adapted model."""
