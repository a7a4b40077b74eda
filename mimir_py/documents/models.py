"""How files are to be remembered, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from mimir_py.values import GLOBAL_WORKSPACE

SOURCE: Final = "ingest_file"
CATEGORY: Final = "document"
PATH_FIELD: Final = "source_path"
WATCHED_PATH_FIELD: Final = "path"


@dataclass(frozen=True)
class Wish:
    """How a file is to be remembered; without a key, under its own name or, if so, its whole path.

    With `again`, a file is read although it is as it was, and what was forgotten comes back.
    Without `embed`, vectors are left to the queue. `least_names` is of how many names of its path,
    at least, the key of a new memory is made. `endings` are those of the files that are read, by
    default of all kinds there are. A `dry_run` stops short of reading documents.
    """

    category: str = CATEGORY
    key: str | None = None
    tags: tuple[str, ...] | None = None
    workspace: str = GLOBAL_WORKSPACE
    again: bool = False
    embed: bool = True
    least_names: int = 1
    source: str = SOURCE
    id_prefix: str = "mem"
    path_field: str = PATH_FIELD
    is_keyed_by_path: bool = False
    endings: frozenset[str] | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Stored:
    """What became of a file: the id of the (first) memory, its name, and how long the text is.

    `action` is `created` or `updated`, or else `unchanged` or `forgotten` and nothing was done.
    """

    id: str
    action: str
    category: str
    key: str
    path: str
    chars: int = 0
    parts: int = 1
    problems: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str, int], ...] = ()
    is_redacted: bool = False
    pending_chunks: int = 0


UNCHANGED: Final = "unchanged"
FORGOTTEN: Final = "forgotten"


@dataclass
class Ingested:
    """What came of many files. `problems` says of each that was not read, by its path, why.

    `skipped` are files of kinds that are not read, or empty; `deleted` are paths of remembered
    files that are not there any more. `memories` and `chars` count what was stored, `read_bytes`
    what was read from the disk.
    """

    files: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    forgotten: int = 0
    skipped: int = 0
    memories: int = 0
    chars: int = 0
    read_bytes: int = 0
    deleted: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    secrets: Counter[str] = field(default_factory=Counter)
