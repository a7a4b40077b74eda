"""Which project a session belongs to, told from the folder it runs in."""

import subprocess
from pathlib import Path

import pytest

from mimir_py.errors import InvalidInput
from mimir_py.tooling import Scope
from mimir_py.workspaces import project_workspace, resolve
from mimir_py.workspaces.scope import normalise_remote

_NAME = "github.com/acme/rocket"


@pytest.fixture
def home(tmp_path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def git():
    """Runs git in a folder: `git(folder, "init")`."""

    settings = ["user.name=T", "user.email=t@example.com", "commit.gpgsign=false"]
    always = ["-c", settings[0], "-c", settings[1], "-c", settings[2]]

    def run(folder, *arguments):
        command = ["git", "-C", str(folder), *always, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    return run


@pytest.fixture
def repository(home, git):
    """Makes a repository with one commit: `repository("name", remote)`."""

    def make(name, remote=None):
        folder = home / name
        folder.mkdir(parents=True)
        git(folder, "init")
        git(folder, "commit", "--allow-empty", "-m", "first")
        if remote is not None:
            git(folder, "remote", "add", "origin", remote)
        return folder

    return make


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:acme/rocket.git",
        "git@github.com:acme/rocket",
        "git@github.com:/acme/rocket.git",
        "github.com:acme/rocket.git",
        "ssh://git@github.com/acme/rocket.git",
        "ssh://git@github.com:22/acme/rocket.git",
        "ssh://github.com/acme/rocket",
        "git+ssh://git@github.com/acme/rocket.git",
        "https://github.com/acme/rocket.git",
        "https://github.com/acme/rocket",
        "https://github.com/acme/rocket/",
        "https://github.com/acme/rocket.git/",
        "https://github.com:443/acme/rocket.git",
        "http://github.com/acme/rocket.git",
        "https://user@github.com/acme/rocket.git",
        "https://user:ghp_token@github.com/acme/rocket.git",
        "https://oauth2:a-b_c%40d@github.com/acme/rocket.git",
        "git://github.com/acme/rocket.git",
        "https://GitHub.com/Acme/Rocket.git",
        "HTTPS://github.com/acme/rocket.git",
        "git@GITHUB.COM:Acme/Rocket.git",
        "  https://github.com/acme/rocket.git \n",
    ],
)
def test_every_form_of_a_remote_is_one_name(url):
    assert normalise_remote(url) == _NAME


@pytest.mark.parametrize(
    "url",
    [
        "git@gitlab.com:acme/rocket.git",
        "git@github.com:acme/rockets.git",
        "git@github.com:other/rocket.git",
        "https://github.com/acme/rocket/wiki",
        "/srv/git/rocket.git",
        "../rocket",
        "file:///srv/git/rocket.git",
    ],
)
def test_another_remote_is_another_name(url):
    assert normalise_remote(url) != _NAME


def test_a_deeper_path_is_part_of_the_name():
    one = normalise_remote("git@gitlab.com:group/sub/rocket.git")

    assert (
        one
        == normalise_remote("https://gitlab.com/group/sub/rocket")
        == ("gitlab.com/group/sub/rocket")
    )


def test_credentials_are_not_part_of_a_name():
    assert "secret" not in normalise_remote("https://user:secret@example.com:8443/a/b.git")


def test_every_folder_of_a_project_is_in_its_workspace(repository, home):
    project = repository("rocket", "git@github.com:acme/rocket.git")
    (project / "src" / "deep").mkdir(parents=True)

    names = {project_workspace(f, home) for f in (project, project / "src", project / "src/deep")}

    assert len(names) == 1
    [name] = names
    assert len(name) == 16
    assert int(name, 16) >= 0


def test_clones_of_one_remote_share_their_workspace(repository, home):
    one = repository("one", "git@github.com:acme/rocket.git")
    other = repository("work/other", "https://user:token@github.com/Acme/rocket")

    assert project_workspace(one, home) == project_workspace(other, home)


def test_clones_of_different_remotes_do_not_share(repository, home):
    one = repository("one", "git@github.com:acme/rocket.git")
    other = repository("other", "git@github.com:acme/lander.git")

    assert project_workspace(one, home) != project_workspace(other, home)


@pytest.mark.parametrize("remote", ["git@github.com:acme/rocket.git", None])
def test_a_worktree_shares_the_workspace_of_its_repository(repository, home, git, remote):
    project = repository("rocket", remote)
    git(project, "worktree", "add", str(home / "elsewhere" / "rocket-fix"))

    assert project_workspace(home / "elsewhere" / "rocket-fix", home) == project_workspace(
        project, home
    )


def test_a_submodule_has_the_workspace_of_its_own_remote(repository, home, git):
    library = repository("library", "git@github.com:acme/library.git")
    project = repository("rocket", "git@github.com:acme/rocket.git")
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", str(library), "lib")
    git(project / "lib", "remote", "set-url", "origin", "https://github.com/acme/library.git")

    assert project_workspace(project / "lib", home) == project_workspace(library, home)
    assert project_workspace(project / "lib", home) != project_workspace(project, home)


def test_a_repository_without_a_remote_is_its_own_workspace(repository, home):
    one, other = repository("one"), repository("other")

    names = {project_workspace(one, home), project_workspace(other, home)}

    assert len(names) == 2
    assert "" not in names


def test_without_an_origin_another_remote_names_the_project(repository, home, git):
    one = repository("one", "git@github.com:acme/rocket.git")
    other = repository("other")
    git(other, "remote", "add", "upstream", "git@github.com:acme/rocket.git")

    assert project_workspace(other, home) == project_workspace(one, home)


def test_origin_wins_over_other_remotes(repository, home, git):
    one = repository("one", "git@github.com:acme/rocket.git")
    fork = repository("fork")
    git(fork, "remote", "add", "a-fork", "git@github.com:somebody/rocket.git")
    git(fork, "remote", "add", "origin", "git@github.com:acme/rocket.git")

    assert project_workspace(fork, home) == project_workspace(one, home)


@pytest.mark.parametrize("config", ["", "[core\n", "\x00\xff garbage", '[remote "origin"]\n'])
def test_a_config_that_names_no_remote_falls_back_to_the_folder(home, config):
    project = home / "rocket"
    (project / ".git").mkdir(parents=True)
    (project / ".git" / "config").write_text(config, encoding="latin-1")

    assert len(project_workspace(project, home)) == 16


def test_a_config_as_people_edit_it_is_read(repository, home):
    one = repository("one", "git@github.com:acme/rocket.git")
    edited = home / "edited"
    (edited / ".git").mkdir(parents=True)
    (edited / ".git" / "config").write_text(
        "[core]\n\tbare\n[alias]\n\tlg = log --graph %h\n\t\t\n"
        '[remote "origin"]\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
        "\tURL = git@github.com:acme/rocket.git\n[core]\n\tbare = false\n"
    )

    assert project_workspace(edited, home) == project_workspace(one, home)


def test_a_folder_outside_any_repository_is_global(home):
    folder = home / "notes"
    folder.mkdir()

    assert project_workspace(folder, home) == ""


def test_the_home_folder_is_never_a_project(repository, home, git):
    git(home, "init")
    git(home, "remote", "add", "origin", "git@github.com:acme/dotfiles.git")
    (home / "notes").mkdir()
    project = repository("rocket", "git@github.com:acme/rocket.git")

    assert project_workspace(home, home) == ""
    assert project_workspace(home / "notes", home) == ""
    assert project_workspace(project, home) != ""


def test_the_root_folder_is_never_a_project(home):
    assert project_workspace(Path("/"), home) == ""


def test_a_home_folder_reached_by_a_link_is_never_a_project(home, git, tmp_path):
    git(home, "init")
    (tmp_path / "link").symlink_to(home)

    assert project_workspace(tmp_path / "link", home) == ""
    assert project_workspace(home, tmp_path / "link") == ""


def test_a_project_reached_by_a_link_is_the_same_project(repository, home, tmp_path):
    project = repository("rocket")
    (tmp_path / "link").symlink_to(project)

    assert project_workspace(tmp_path / "link", home) == project_workspace(project, home)


@pytest.mark.parametrize("text", ["", "nonsense", "gitdir: /nowhere/at/all\n"])
def test_a_broken_git_file_does_not_fail(home, text):
    folder = home / "broken"
    folder.mkdir()
    (folder / ".git").write_text(text)

    assert isinstance(project_workspace(folder, home), str)


def test_the_setting_says_how_a_session_is_scoped(repository, home):
    project = repository("rocket", "git@github.com:acme/rocket.git")

    assert resolve("none", project, home) == Scope(None)
    assert resolve("auto", project, home) == Scope(project_workspace(project, home))
    assert resolve("auto", home, home) == Scope("")
    assert resolve("team", project, home) == Scope("team")


@pytest.mark.parametrize(
    ("session", "named", "seen"),
    [
        (None, None, None),
        (None, "", ("",)),
        (None, "a", ("a",)),
        (None, "*", None),
        ("p", None, ("p", "")),
        ("p", "", ("",)),
        ("p", "p", ("p",)),
        ("p", "a", ("a",)),
        ("p", "*", None),
        ("", None, ("",)),
        ("", "a", ("a",)),
    ],
)
def test_a_read_sees(session, named, seen):
    assert Scope(session).reads(named) == seen


@pytest.mark.parametrize(
    ("session", "named", "place"),
    [
        (None, None, ""),
        (None, "a", "a"),
        ("p", None, "p"),
        ("p", "", ""),
        ("p", "a", "a"),
        ("", None, ""),
    ],
)
def test_a_write_goes_to(session, named, place):
    assert Scope(session).writes(named) == place


@pytest.mark.parametrize("session", [None, "", "p"])
def test_a_write_goes_to_one_workspace_only(session):
    with pytest.raises(InvalidInput) as refusal:
        Scope(session).writes("*")

    assert refusal.value.field == "workspace_hash"
