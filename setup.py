"""Lets Beam and remote trainers ship the project; pyproject.toml describes it."""

from setuptools import setup

setup()
