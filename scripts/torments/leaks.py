"""E5: the key and the passphrase of a sealed store are nowhere but in their own files."""

import base64
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.client import Server
from benchmarks.program import Program

from mimir_py.security import keys
from torments.outcome import Outcome, Tally
from torments.setting import Setting

_WORDS: Final = "ochre lantern twelve harbours {number}"
_IN_CONTROL: Final = "MIMIR_TORTURE_SECRET"
_LOOK_EVERY_S: Final = 0.01
_PATIENCE_S: Final = 120


def leaked(setting: Setting) -> Outcome:
    """E5: keys and passphrases are in no argument, environment, log, message or file of a store."""
    tally, control = Tally(), Tally()
    processes = 0
    for number in setting.tries(setting.effort.leak_runs):
        run = _Run(setting, number)
        for flag, path, forms in run.secrets:
            tally.add(f"run {number}, {flag}", run.traces(flag, path, forms, {}))
            processes += run.processes
        flag, path, forms = run.secrets[0]
        bare = {_IN_CONTROL: forms["text"].decode()}
        control.add(f"run {number}", run.traces(flag, path, forms, bare))
    return Outcome(
        "E5",
        "keys and passphrases in arguments, environments, logs, messages and files",
        tally,
        "a server that is given the key in its environment",
        control,
        figures={"processes looked at": processes},
    )


class _Run:
    """A key and a passphrase, and where they might show."""

    def __init__(self, setting: Setting, number: int) -> None:
        self._setting = setting
        self._folder = setting.new_folder()
        self.processes = 0
        key, phrase = self._folder / "a.key", self._folder / "phrase"
        keys.make_key_file(key)
        phrase.write_text(_WORDS.format(number=number) + "\n", encoding="utf-8")
        raw = base64.b64decode(key.read_bytes())
        words = phrase.read_bytes().strip()
        self.secrets = [
            ("--encryption-key", key, _forms(key.read_bytes(), raw)),
            ("--passphrase-file", phrase, _forms(words, words)),
        ]

    def traces(
        self, flag: str, path: Path, forms: Mapping[str, bytes], more: Mapping[str, str]
    ) -> list[str]:
        """Where a secret was seen while a sealed store was made, used, and refused a wrong one."""
        folder = self._setting.new_folder(self._folder)
        program = Program(self._setting.program.path, folder)
        program.environment = {**self._setting.program.environment, **more}
        store = folder / "store" / "memory.db"
        store.parent.mkdir()
        watch = _Watch(forms)
        with program.serve(store, flag, str(path)) as server, watch.on(server.pid):
            messages = self._used(server, folder)
        other = next(held for _, held, _ in self.secrets if held != path)
        for arguments in (
            ("list", flag, other), ("list", flag, path), ("stats", flag, path),
            ("rotate", flag, path, "--new-encryption-key", path), ("backup", flag, path),
            ("journal", "verify", flag, path), ("doctor", flag, path), ("list",),
        ):  # fmt: skip
            messages += _said([program.path, *arguments, "--db", store], program.environment)
        self.processes += len(watch.seen)
        found = [f"{where}: {form}" for where, form in watch.found]
        found += [f"a message: {form}" for form, held in forms.items() if held in messages]
        for file in folder.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            found += [f"{file.name}: {form}" for form, held in forms.items() if held in content]
        return found

    def _used(self, server: Server, folder: Path) -> bytes:
        """Use a server for good and ill; what it answered."""
        document = folder / "notes.html"
        document.write_text("<p>The queue was moved to another host.</p>", encoding="utf-8")
        server.initialize()
        answers = b""
        for tool, arguments in (
            ("remember", {"category": "note", "key": "k", "body_json": "the queue was moved"}),
            ("recall", {"query": "queue"}),
            ("ingest_file", {"path": str(document)}),
            ("get_entity", {"id": "mem-000000000000"}),
            ("remember", {"category": 5}),
            ("health", {}),
        ):
            asked = {"name": f"mimir_{tool}", "arguments": arguments}
            answers += server.request("tools/call", asked).line
        return answers


class _Watch:
    """Looks at a process and its children for as long as it is on."""

    def __init__(self, forms: Mapping[str, bytes]) -> None:
        self._forms = forms
        self._stop = threading.Event()
        self._thread = threading.Thread()
        self.seen: set[int] = set()
        self.found: set[tuple[str, str]] = set()

    def on(self, pid: int) -> "_Watch":
        self._thread = threading.Thread(target=self._look_on, args=(pid,), daemon=True)
        return self

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look_on(self, pid: int) -> None:
        while not self._stop.wait(_LOOK_EVERY_S):
            for process in _family(pid):
                self.seen.add(process)
                self._look_at(process)

    def _look_at(self, pid: int) -> None:
        for name in ("cmdline", "environ"):
            try:
                content = Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue  # it has ended
            self.found |= {(name, form) for form, held in self._forms.items() if held in content}


def _family(pid: int) -> list[int]:
    """A process and all that it started."""
    family = [pid]
    for member in family:
        try:
            children = Path(f"/proc/{member}/task/{member}/children").read_text(encoding="ascii")
        except OSError:
            continue
        family += [int(child) for child in children.split()]
    return family


def _forms(text: bytes, raw: bytes) -> dict[str, bytes]:
    return {
        "text": text,
        "bytes": raw,
        "hex": raw.hex().encode(),
        "base64": base64.b64encode(raw),
        "UTF-16": text.decode().encode("utf-16-le"),
    }


def _said(command: list[str | Path], environment: Mapping[str, str]) -> bytes:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env=environment,
        timeout=_PATIENCE_S,
    )
    return done.stdout
