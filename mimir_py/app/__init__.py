"""The composition root: opens every resource, builds every room, lists and runs every tool."""

from mimir_py.app.calls import App
from mimir_py.app.catalogue import CATALOGUE
from mimir_py.app.opening import open_app, remake

__all__ = ["CATALOGUE", "App", "open_app", "remake"]
