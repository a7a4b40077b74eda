"""Files: memories read and edited as files, by the commands of Anthropic's memory tool.

Owns no table: a file is a memory of the category `memories`, its path the key. Invariants: a path
never leads out of the directory; a file is never also a directory; every edit is a version.
"""

from mimir_py.files.service import CATEGORY, Files

__all__ = ["CATEGORY", "Files"]
