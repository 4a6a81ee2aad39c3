"""Stories on time moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A bot whose channel subscribed with the usual thresholds, after its first start."""
    told = Story(tmp_path)
    yield told
    told.expect_nothing_else()
    told.close()


@pytest.fixture
def eager(tmp_path: Path) -> Iterator[Story]:
    """The same with `min=1`."""
    told = Story(tmp_path, subscribe="min=1")
    yield told
    told.expect_nothing_else()
    told.close()
