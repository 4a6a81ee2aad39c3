"""The fixtures that only the whole product needs."""

from tests.browser import browser

__all__ = ["browser"]
