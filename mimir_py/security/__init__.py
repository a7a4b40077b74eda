"""What keeps stored text from doing harm: secrets found, oddities marked, trust, and
fences; and the keys and seals that keep it from those it is not for.

Ground floor: knows no memory and no tool. Detectors label; what is done about it is for the caller.
"""

from mimir_py.security.guard import Finding, SecretsMode, clean_fields, count_secrets

__all__ = ["Finding", "SecretsMode", "clean_fields", "count_secrets"]
