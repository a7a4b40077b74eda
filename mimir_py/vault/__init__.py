"""The vault: a store's memories as files that people keep and other stores read.

Owns no table. JSON Lines (`Vault`) and Markdown notes (`Notes`) carry everything a memory is, with
its versions, links and other keys: exporting, importing into an empty store and exporting again
gives the same bytes.
"""

from mimir_py.vault.exchange import Notes
from mimir_py.vault.jsonl import Record, Version
from mimir_py.vault.models import Imported, Merge
from mimir_py.vault.service import Vault
from mimir_py.vault.sync import Sync

__all__ = ["Imported", "Merge", "Notes", "Record", "Sync", "Vault", "Version"]
