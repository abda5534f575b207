"""Runs -> Evidence."""
