"""Fixtures that any test may ask for."""

from .stores import seaweed

__all__ = ["seaweed"]
