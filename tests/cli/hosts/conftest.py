"""A machine in `tmp_path`, with a home and a project, and files for a host to have had before.

A test that takes `start` runs once for each host and starting file; one that takes `any_start`
also once for each host without a file.
"""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from mimir_py.cli.hosts import HOSTS, Host, Report, connect, disconnect, jsonc, locate, toml_text

_JSONC: Final = {
    "empty": "",
    "blank": " \r\n\n",
    "braces": "{}",
    "typical": '{\n  "theme": "x",\n  "CONTAINER": {},\n  "list": [1, 2]\n}\n',
    "comments": '// a\n{\n\t"b": 1, // c\n\t/* d */ "CONTAINER": {\n\t\t// e\n\t},\n}',
    "other server": '{\r\n    "CONTAINER": {\r\n        "x": {"command": "y"}\r\n    }\r\n}\r\n',
    "byte order mark": '\ufeff{"CONTAINER": {"x": {}}}',
    "own entry": '{\n "CONTAINER": {"mimir": {"command": "/rust/mimir"}, "x": {}}\n}\n',
}
_TOML: Final = {
    "empty": "",
    "blank": " \n\n",
    "typical": 'model = "x"\n\n[tools]\nweb_search = true',
    "comments": "# a\nb = 1 # c\n\n# d\n",
    "other server": '[CONTAINER.x]\r\ncommand = \'C:\\y\'\r\n\r\n[z]\r\nk = """\r\nl"""\r\n',
    "byte order mark": "\ufeffa = 1\n",
    "inline": "CONTAINER = {x = {command = 'y'}} # c\n",
    "own entry": "[CONTAINER.mimir]\ncommand = '/rust/mimir'\n\n[CONTAINER.mimir.env]\nA = 'b'\n",
}
_YAML: Final = {
    "empty": "",
    "blank": " \n\n",
    "typical": "model:\n  default: x\nfallbacks:\n- a\n- b",
    "comments": "# a\nb: 1 # c\nCONTAINER:\n# d\n",
    "other server": "CONTAINER:\r\n    x:\r\n        command: 'C:\\y'\r\n# e\r\nz: 1\r\n",
    "byte order mark": "\ufeffa: 1\n",
    "inline": "CONTAINER: {x: {command: y}} # c\n",
    "own entry": "CONTAINER:\n  mimir:\n    command: /rust/mimir\n    env: {A: b}\n",
}


class Start(NamedTuple):
    """A host and the file it had; `text` is `None` if it had none."""

    host: str
    kind: str
    text: str | None


def _starts(host: Host) -> dict[str, str]:
    if host.editor is jsonc:
        return _JSONC
    return _TOML if host.editor is toml_text else _YAML


_EXISTING: Final = [
    Start(host.name, kind, text.replace("CONTAINER", host.container))
    for host in HOSTS.values()
    for kind, text in _starts(host).items()
]
_MISSING: Final = [Start(host, "missing", None) for host in HOSTS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, starts in (("start", _EXISTING), ("any_start", _EXISTING + _MISSING)):
        if name in metafunc.fixturenames:
            ids = [f"{each.host}-{each.kind}" for each in starts]
            metafunc.parametrize(name, starts, ids=ids)


@dataclass(frozen=True)
class Machine:
    """Calls the two functions with the surroundings filled in; any of them can be overridden."""

    root: Path
    home: Path
    cwd: Path
    command: str = "/opt/mimir/bin/mimir"

    def connect(self, host: str, **changes: Any) -> Report:
        """Connect `host` with a fixed command and time."""
        arguments = {"command": self.command, "db": None, "now_unix_s": 1_700_000_000}
        return connect(host, **{**self._surroundings, **arguments, **changes})

    def disconnect(self, host: str, **changes: Any) -> Report:
        """Disconnect `host`."""
        return disconnect(host, **{**self._surroundings, **changes})

    def path(self, host: str) -> Path:
        """The configuration file of `host`."""
        return locate(HOSTS[host], home=self.home, cwd=self.cwd, platform="linux", override=None)

    def given(self, host: str, content: bytes | str | None, mode: int = 0o644) -> Path:
        """Put a configuration file in place for `host`, unless `content` is `None`."""
        path = self.path(host)
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(mode)
        return path

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Everything below the machine: path to mode and content."""
        return {
            str(path.relative_to(self.root)): (
                stat.S_IMODE(path.lstat().st_mode),
                path.read_bytes() if path.is_file() else b"",
            )
            for path in sorted(self.root.rglob("*"))
        }

    @property
    def _surroundings(self) -> dict[str, Any]:
        return {
            "home": self.home,
            "cwd": self.cwd,
            "platform": "linux",
            "config_override": None,
            "dry_run": False,
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """An empty home and an empty project."""
    made = Machine(tmp_path, tmp_path / "home", tmp_path / "project")
    made.home.mkdir()
    made.cwd.mkdir()
    return made
