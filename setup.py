"""Lets Beam's ``--setup_file`` and remote trainers ship the project; pyproject.toml describes it."""

from setuptools import setup

setup()
