"""Memories that other programs keep, read and stored here.

Owns no table. `rust` reads stores of the Rust program whose clients Mimir serves, whole; `takeover`
puts a store made of one in its place.
"""

from mimir_py.importers.service import Migrated, Migrations

__all__ = ["Migrated", "Migrations"]
