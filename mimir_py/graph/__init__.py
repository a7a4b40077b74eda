"""The graph of links: walking it, and the communities found in it.

Owns the table `communities`, which can be made anew at any time; links belong to their memories
(`entities`). Nothing of the graph is kept in memory: a walk reads the links it needs in one
snapshot, so it is never behind what any process has stored, and it sees only live memories of the
workspaces it may see.
"""

from mimir_py.graph.communities import Communities
from mimir_py.graph.service import Graph

__all__ = ["Communities", "Graph"]
