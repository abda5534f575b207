"""A finished run -> answers."""
