"""What an agent is told unasked: the block for a prompt, memories that ask to come up, extraction.

Reads memories; changes none and notes no use.
"""

from mimir_py.context.service import Contexts

__all__ = ["Contexts"]
