"""Long files are understood by other processes, and nothing else about an import differs."""

import pytest

from mimir_py import aside
from mimir_py.vault import lines

pytestmark = pytest.mark.plain


@pytest.fixture
def started(monkeypatch):
    """The other processes that were started."""
    started = []
    popen = aside.subprocess.Popen

    def start(*arguments, **named):
        started.append(popen(*arguments, **named))
        return started[-1]

    monkeypatch.setattr(aside.subprocess, "Popen", start)
    return started


async def test_a_long_import_stores_what_a_short_one_would(
    plain_stores, client_of, tmp_path, monkeypatch, started
):
    file = [
        f'{{"record":"memory","category":"c","key":"k{n}","body_json":"\\"note {n}\\""}}'
        for n in range(600)
    ]

    async def imported(app):
        async def report(done: int) -> None:
            if done > 200:
                assert len(started) == aside.PROCESSES

        return await app.vault.import_lines([*file, "{"], replace=False, report=report)

    async def items(app):
        found = await client_of(app).run("recall", {"query": "", "limit": 1_000})
        return sorted((item["key"], item["body_json"]) for item in found["items"])

    async with plain_stores() as app:
        with pytest.raises(Exception, match="line 601"):
            await app.vault.import_lines([*file, "{"], replace=False, report=_quietly)
        alone = await items(app)
    monkeypatch.setattr(lines, "_MANY", 100)
    async with plain_stores() as app:
        with pytest.raises(Exception, match="line 601"):
            await imported(app)
        assert await items(app) == alone
    assert len(alone) == 600


async def _quietly(done: int) -> None:
    pass
