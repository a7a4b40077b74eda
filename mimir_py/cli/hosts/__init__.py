"""Writes Mimir into the MCP configuration of agent hosts, and takes it out again.

Only our own entry ever changes: every other byte of a configuration stays, comments and layout
included, and each edit is parsed again and compared before it is written. What `connect` did is
kept in `~/.mimir/connect.json`, so that `disconnect` can put the file back exactly as it was.

Nothing here reads the environment, the clock or the standard streams.
"""

from mimir_py.cli.hosts.catalogue import HOSTS, locate
from mimir_py.cli.hosts.install import connect, disconnect
from mimir_py.cli.hosts.models import Action, Host, HostConfigError, Report

__all__ = [
    "HOSTS",
    "Action",
    "Host",
    "HostConfigError",
    "Report",
    "connect",
    "disconnect",
    "locate",
]
