"""Pretrained weights -> a model, its processor and the order of its layers."""
