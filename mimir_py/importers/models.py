"""What a migration did."""

from dataclasses import dataclass, field


@dataclass
class Migrated:
    """Counts of a migration. `errors` names, by id, everything that is not as it was in the source.

    `missing` counts memories and versions that could be read and are not in the store after all;
    they are among the errors.
    """

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    versions: int = 0
    journal_entries: int = 0
    state_values: int = 0
    communities: int = 0
    missing: int = 0
    errors: list[str] = field(default_factory=list)
