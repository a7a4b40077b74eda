"""Which workspace a session belongs to, derived from the project it runs in.

The git remote names a project wherever it is cloned, so worktrees and clones share their memory.
Without a remote the repository's own folder does. A home folder, or the root, is never a project:
some hosts start servers there whatever is open.
"""

import configparser
import hashlib
import re
from pathlib import Path
from typing import Final

from mimir_py.config import WORKSPACE_AUTO, WORKSPACE_NONE
from mimir_py.tooling import Scope
from mimir_py.values import GLOBAL_WORKSPACE

_HASH_DIGITS: Final = 16
_SCP_FORM: Final = re.compile(r"^(?:[^@/]+@)?([^:/]+):(?!//)(.+)$")
_URL_FORM: Final = re.compile(r"^[a-z+]+://(?:[^@/]*@)?([^/:]+)(?::\d+)?/(.+)$", re.IGNORECASE)


def resolve(setting: str, cwd: Path, home: Path) -> Scope:
    """The scope a `workspace` setting means for a session started in `cwd`."""
    if setting == WORKSPACE_NONE:
        return Scope()
    if setting == WORKSPACE_AUTO:
        return Scope(project_workspace(cwd, home))
    return Scope(setting)


def project_workspace(cwd: Path, home: Path) -> str:
    """The workspace of the project around `cwd`; the global one when there is no project."""
    common = _common_git_folder(cwd.resolve(), home.resolve())
    if common is None:
        return GLOBAL_WORKSPACE
    remote = _origin(common / "config")
    name = normalise_remote(remote) if remote else str(common)
    return hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS]


def normalise_remote(url: str) -> str:
    """`host/path` of a remote, the same for its ssh, scp and https forms."""
    url = url.strip()
    match = _URL_FORM.match(url) or _SCP_FORM.match(url)
    if match is None:
        return url.removesuffix("/").removesuffix(".git")
    host, path = match.groups()
    return f"{host.lower()}/{path.strip('/').removesuffix('.git').lower()}"


def _common_git_folder(cwd: Path, home: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        if folder in (home, folder.parent):
            return None
        git = folder / ".git"
        if git.is_dir():
            return git
        if git.is_file():
            return _common_of_worktree(git)
    return None


def _common_of_worktree(git_file: Path) -> Path | None:
    """Where a worktree's (or submodule's) `.git` file leads: the repository it shares."""
    text = _read(git_file)
    if text is None or not text.startswith("gitdir:"):
        return None
    own = (git_file.parent / text.removeprefix("gitdir:").strip()).resolve()
    common = _read(own / "commondir")
    return own if common is None else (own / common.strip()).resolve()


def _origin(config: Path) -> str | None:
    text = _read(config)
    if text is None:
        return None
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except configparser.Error:
        return None
    remotes = [section for section in parser.sections() if section.startswith('remote "')]
    chosen = 'remote "origin"' if 'remote "origin"' in remotes else next(iter(remotes), None)
    return None if chosen is None else parser.get(chosen, "url", fallback=None)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
