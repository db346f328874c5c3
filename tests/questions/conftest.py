"""Worlds for questions: small, random, and the same in each database."""

import pytest

from db.session import Database
from tests.questions.world import World, random_world


@pytest.fixture
def world(database: Database) -> World:
    """A random world with edits, in a fresh database of each kind."""
    return random_world(database)
