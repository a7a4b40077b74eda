"""`mimir keygen`, `seal`, `unseal`, `rotate`, `rekey`, and a key on every command."""

import hashlib
import json
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from mimir_py.storage.engine import load_engine
from tests.server.program import MIMIR, encoded, environment, request, run, serving

_WORD = "platypusflux"


@pytest.fixture
def key(mimir, tmp_path) -> Path:
    path = tmp_path / "a.key"
    assert mimir("keygen", "--key-file", path).returncode == 0
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a plain store, as the command made it."""
    home = tmp_path_factory.mktemp("made")
    for number in range(3):
        body = json.dumps({"content": f"{_WORD} number {number}"})
        memory = ("--category", "note", "--key", f"k{number}", "--body", body)
        done = run("write", "--db", home / "store" / "memory.db", *memory, home=home)
        assert done.returncode == 0, done.stderr
    return home / "store"


@pytest.fixture
def store(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store" / "memory.db"


def _shows(folder: Path) -> bool:
    return any(_WORD.encode() in file.read_bytes() for file in folder.iterdir() if file.is_file())


def _keys(mimir, store, *more) -> set[str]:
    done = mimir("list", "--db", store, "--json", *more)
    assert done.returncode == 0, done.stderr
    return {item["key"] for item in json.loads(done.stdout)["items"]}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_key_file_is_private_and_never_overwritten(mimir, key):
    before = key.read_bytes()

    again = mimir("keygen", "--key-file", key)

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(before) == 44
    assert (again.returncode, key.read_bytes()) == (2, before)
    assert "was left as it is" in again.stderr


def test_sealing_takes_the_words_out_of_the_files_and_unsealing_brings_them_back(mimir, store, key):
    assert _shows(store.parent)

    sealed = mimir("seal", "--db", store, "--encryption-key", key)
    assert sealed.returncode == 0, sealed.stderr
    assert not _shows(store.parent)
    assert _keys(mimir, store, "--encryption-key", key) == {"k0", "k1", "k2"}
    found = mimir("recall", _WORD, "--db", store, f"--encryption-key={key}", "--json")
    assert len(json.loads(found.stdout)["items"]) == 3

    unsealed = mimir("unseal", "--db", store, "--encryption-key", key)
    assert unsealed.returncode == 0, unsealed.stderr
    assert _shows(store.parent)
    assert _keys(mimir, store) == {"k0", "k1", "k2"}


def test_a_store_is_the_same_after_sealing_and_unsealing(mimir, store, key, tmp_path):
    before = mimir("export", "-", "--db", store).stdout
    for command in ("seal", "rekey", "unseal"):
        assert mimir(command, "--db", store, "--encryption-key", key).returncode == 0

    after = mimir("export", "-", "--db", store).stdout

    assert before.splitlines()[1:] == after.splitlines()[1:]
    assert "platypusflux" in after


@pytest.mark.parametrize("command", [("list",), ("stats",), ("serve",), ("unseal",), ("rotate",)])
def test_a_wrong_or_missing_key_is_refused_in_one_line_and_the_file_untouched(
    command, mimir, store, key, tmp_path
):
    other = tmp_path / "other.key"
    mimir("keygen", "--key-file", other)
    mimir("seal", "--db", store, "--encryption-key", key)
    before = _digest(store)

    wrong_flags = ("--encryption-key", other)
    more = ("--new-encryption-key", other) if command == ("rotate",) else ()
    wrong = mimir(*command, "--db", store, *wrong_flags, *more)
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert wrong.stderr == "mimir: this key does not open the store\n"
    if command not in {("unseal",), ("rotate",)}:
        missing = mimir(*command, "--db", store)
        assert (missing.returncode, missing.stdout) == (3, "")
        assert "is sealed: give its key" in missing.stderr
        assert missing.stderr.count("\n") == 1
    assert _digest(store) == before


@pytest.mark.parametrize("text", [None, b"", b"not base64 !", b"AAAA"])
def test_a_file_that_holds_no_key_is_refused(text, mimir, store, tmp_path):
    path = tmp_path / "bad.key"
    if text is not None:
        path.write_bytes(text)

    done = mimir("seal", "--db", store, "--encryption-key", path)

    assert (done.returncode, done.stdout) == (3, "")
    assert str(path) in done.stderr


def test_a_plain_store_and_a_key_are_refused(mimir, store, key):
    before = _digest(store)

    for command in ("list", "serve"):
        done = mimir(command, "--db", store, "--encryption-key", key)
        assert done.returncode == 3
        assert "is not sealed, and a key was given" in done.stderr
    assert _digest(store) == before


def test_a_new_store_with_a_key_is_sealed_from_its_first_byte(mimir, key, tmp_path):
    path = tmp_path / "new" / "memory.db"
    body = json.dumps({"content": _WORD})

    done = mimir(
        "write",
        "--db",
        path,
        "--encryption-key",
        key,
        "--category",
        "n",
        "--key",
        "k",
        "--body",
        body,
    )

    assert done.returncode == 0, done.stderr
    assert not _shows(path.parent)


def test_after_rotating_the_new_secret_opens_the_store_and_the_old_does_not(
    mimir, store, key, tmp_path
):
    mimir("seal", "--db", store, "--encryption-key", key)
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple\n")

    both = mimir(
        "rotate",
        "--db",
        store,
        "--encryption-key",
        key,
        "--new-passphrase-file",
        phrase,
        "--keep-old",
    )
    assert both.returncode == 0, both.stderr
    assert _keys(mimir, store, "--encryption-key", key)
    assert _keys(mimir, store, "--passphrase-file", phrase)
    other = tmp_path / "b.key"
    mimir("keygen", "--key-file", other)
    mimir("rotate", "--db", store, "--encryption-key", key, "--new-encryption-key", other)

    assert _keys(mimir, store, "--encryption-key", other)
    assert mimir("list", "--db", store, "--encryption-key", key).returncode == 3


def test_rekeying_leaves_only_the_secret_given(mimir, store, key, tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple\n")
    mimir("seal", "--db", store, "--encryption-key", key)
    mimir(
        "rotate",
        "--db",
        store,
        "--encryption-key",
        key,
        "--new-passphrase-file",
        phrase,
        "--keep-old",
    )

    done = mimir("rekey", "--db", store, "--encryption-key", key)

    assert done.returncode == 0, done.stderr
    assert _keys(mimir, store, "--encryption-key", key) == {"k0", "k1", "k2"}
    assert mimir("list", "--db", store, "--passphrase-file", phrase).returncode == 3


def test_two_keys_at_once_are_refused(mimir, store, key):
    done = mimir("list", "--db", store, "--encryption-key", key, "--passphrase-file", key)

    assert done.returncode == 2
    assert "--encryption-key and --passphrase-file: give one key" in done.stderr


def test_a_store_that_is_served_is_not_sealed(mimir, store, key, home):
    server = subprocess.Popen(
        [MIMIR, "serve", "--db", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment(home),
    )  # fmt: skip
    try:
        server.stdin.write(encoded(request(1, "initialize", {})))
        server.stdin.write(encoded(request(2, "tools/call", {"name": "mimir_health"})))
        server.stdin.flush()
        assert server.stdout.readline()
        assert server.stdout.readline()

        done = mimir("seal", "--db", store, "--encryption-key", key)

        assert done.returncode == 1
        assert "is open in other processes" in done.stderr
        assert str(server.pid) in done.stderr
    finally:
        server.stdin.close()
        server.wait(10)
        server.stdout.close()
    assert _keys(mimir, store) == {"k0", "k1", "k2"}


@pytest.mark.parametrize("delay_ms", [250, 350, 450, 600])
def test_killed_while_sealing_the_store_is_whole_plain_or_sealed(delay_ms, mimir, store, key, home):
    process = subprocess.Popen(
        [MIMIR, "seal", "--db", store, "--encryption-key", key],
        env=environment(home), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(delay_ms / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()

    plain = mimir("list", "--db", store)
    flags = ("--encryption-key", key)
    if plain.returncode == 0:
        assert _keys(mimir, store) == {"k0", "k1", "k2"}
        assert mimir("seal", "--db", store, *flags).returncode == 0
    assert _keys(mimir, store, *flags) == {"k0", "k1", "k2"}
    assert not list(store.parent.glob(".*.sealing*"))


def test_the_journal_verifies_under_every_key_and_a_broken_one_is_not_made_whole(
    mimir, store, key, home
):
    with serving(store, home=home) as program:
        for number in range(3):
            program.call("journal", event_type="deploy", acted={"number": number})
    flags = ("--db", store, "--encryption-key", key)
    for command in ("seal", "rekey"):
        assert mimir(command, *flags).returncode == 0
        assert mimir("journal", "verify", *flags).returncode == 0
    connection = load_engine("auto").dbapi.connect(str(store))
    connection.execute("UPDATE journal SET created_at_unix_ms = 1 WHERE seq = 2")
    connection.commit()
    connection.close()

    done = mimir("unseal", *flags)

    assert done.returncode == 1
    assert "the journal is not as it was written (entry 2" in done.stderr
    assert mimir("list", *flags).returncode == 0


def test_a_connected_host_starts_the_server_with_the_key(mimir, store, key, tmp_path):
    config = tmp_path / "cursor.json"
    flags = ("--db", store, "--encryption-key", key.name)
    done = mimir(
        "connect", "--client", "cursor", *flags, cwd=key.parent, MIMIR_CONNECT_CONFIG=str(config)
    )

    assert done.returncode == 0, done.stderr
    arguments = json.loads(config.read_text())["mcpServers"]["mimir"]["args"]
    assert arguments[arguments.index("--encryption-key") + 1] == str(key)


def test_a_wrong_key_restores_nothing_and_backs_nothing_up(mimir, store, key, tmp_path):
    other = tmp_path / "other.key"
    mimir("keygen", "--key-file", other)
    flags = ("--db", store, "--encryption-key")
    mimir("seal", *flags, key)
    made = mimir("backup", *flags, key, "--json").stdout
    before = _digest(store)

    refused = (
        mimir("restore", json.loads(made)["path"], *flags, other),
        mimir("backup", *flags, other),
        mimir("backup", "--list", *flags, other),
    )

    for done in refused:
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == "mimir: this key does not open the store\n"
    assert _digest(store) == before
    assert not list(store.parent.glob("*.before-restore*"))
    assert len(list((store.parent / "backups").iterdir())) == 1


def test_sealing_again_wipes_what_an_interrupted_one_left_readable(mimir, store, key):
    plain = store.read_bytes()
    mimir("seal", "--db", store, "--encryption-key", key)
    # Killed between the step that puts the sealed file in place and the wiping of the old one.
    store.with_name("memory.db.before-sealing").write_bytes(plain)
    assert _shows(store.parent)

    again = mimir("seal", "--db", store, "--encryption-key", key)

    assert again.returncode == 0, again.stderr
    assert "was wiped" in again.stdout
    assert not _shows(store.parent)
    assert _keys(mimir, store, "--encryption-key", key) == {"k0", "k1", "k2"}


def test_a_sealed_store_is_not_sealed_again(mimir, store, key):
    mimir("seal", "--db", store, "--encryption-key", key)
    before = _digest(store)

    again = mimir("seal", "--db", store, "--encryption-key", key)

    assert again.returncode == 1
    assert "is sealed already; nothing was changed" in again.stderr
    assert _digest(store) == before
