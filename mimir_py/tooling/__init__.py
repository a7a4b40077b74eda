"""How a tool is declared, listed, called and answered: once, as one class.

Knows no tool and no protocol; rooms declare tools with it, doors drive them through it.
"""

from mimir_py.tooling.catalogue import Catalogue
from mimir_py.tooling.tool import AnyTool, Call, Effect, Scope, Tool, ToolSpec

__all__ = ["AnyTool", "Call", "Catalogue", "Effect", "Scope", "Tool", "ToolSpec"]
