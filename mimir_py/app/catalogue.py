"""Every tool there is."""

from typing import Final

from mimir_py.context import tools as context_tools
from mimir_py.documents import tools as document_tools
from mimir_py.entities import tools as entity_tools
from mimir_py.files import tools as file_tools
from mimir_py.graph import community_tools
from mimir_py.graph import tools as graph_tools
from mimir_py.history import tools as history_tools
from mimir_py.importers import tools as importer_tools
from mimir_py.journal import tools as journal_tools
from mimir_py.lifecycle import fading_tools, grooming_tools
from mimir_py.lifecycle import tools as lifecycle_tools
from mimir_py.quality import conflict_tools, undo_tools
from mimir_py.quality import tools as quality_tools
from mimir_py.recall import tools as recall_tools
from mimir_py.state import tools as state_tools
from mimir_py.tooling import Catalogue
from mimir_py.upkeep import tools as upkeep_tools
from mimir_py.vault import tools as vault_tools
from mimir_py.workspaces import tools as workspace_tools

CATALOGUE: Final = Catalogue(
    entity_tools.TOOLS
    + recall_tools.TOOLS
    + context_tools.TOOLS
    + graph_tools.TOOLS
    + community_tools.TOOLS
    + history_tools.TOOLS
    + quality_tools.TOOLS
    + conflict_tools.TOOLS
    + undo_tools.TOOLS
    + file_tools.TOOLS
    + document_tools.TOOLS
    + journal_tools.TOOLS
    + state_tools.TOOLS
    + workspace_tools.TOOLS
    + upkeep_tools.TOOLS
    + lifecycle_tools.TOOLS
    + fading_tools.TOOLS
    + importer_tools.TOOLS
    + grooming_tools.TOOLS
    + vault_tools.TOOLS
)
