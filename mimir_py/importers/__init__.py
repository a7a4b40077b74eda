"""Memories that other programs keep, read and stored here.

Owns no table. `formats` reads the files of other memory programs, one module each. `rust` reads
stores of the Rust program whose clients Mimir serves, whole; `takeover` puts a store made of one in
its place.
"""

from mimir_py.importers.imports import Imports, Taken
from mimir_py.importers.other_store import OtherStore
from mimir_py.importers.service import Migrated, Migrations, file_key
from mimir_py.importers.sharing import Sharing

__all__ = ["Imports", "Migrated", "Migrations", "OtherStore", "Sharing", "Taken", "file_key"]
