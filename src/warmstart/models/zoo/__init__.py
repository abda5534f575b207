"""Tiny pretrained models that come with the package."""
