"""Workspaces: keeping the memories of projects apart.

Owns no table: a workspace is a name on each memory, "" being the global one. Which one a session
uses is derived here, once, when the server starts.
"""

from mimir_py.workspaces.scope import project_workspace, resolve
from mimir_py.workspaces.tools import Workspaces

__all__ = ["Workspaces", "project_workspace", "resolve"]
