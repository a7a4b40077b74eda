"""Each kind of token an engineer looks up is found before its near misses, however it is asked."""

import json
from typing import NamedTuple

import pytest


class _Token(NamedTuple):
    """A token as it stands in the text that holds it, beside texts that nearly do."""

    held: str
    near: tuple[str, ...]
    others: tuple[str, ...] = ()
    question: str = "where do we speak of {}"


_TOKENS = {
    "retry_budget_ms": _Token(
        "The key retry_budget_ms is 1500 on staging",
        (
            "Retry only when the budget of the month allows it",
            "The key retry_count is 3 on staging",
        ),
        ("retryBudgetMs", "RETRY_BUDGET_MS", "retry-budget-ms", "retry budget ms", "retrybudgetms"),
        "what is {} set to",
    ),
    "parseHeaderLine": _Token(
        "parseHeaderLine trims the trailing blanks",
        ("The header is one line, parse it by hand", "parseFooterLine trims nothing"),
        ("parse_header_line", "parse header line", "ParseHeaderLine", "parseheaderline"),
        "what does {} do",
    ),
    "libs/net/dns.py": _Token(
        "The resolver cache lives in libs/net/dns.py these days",
        ("DNS of the net is run by the provider", "The socket pool lives in libs/net/tcp.py"),
        ("dns.py", "net/dns.py", "LIBS/NET/DNS.PY"),
        "what is in {}",
    ),
    "C:\\Tools\\relay.exe": _Token(
        "Start C:\\Tools\\relay.exe as a service",
        ("The tools are in the relay room", "Start C:\\Tools\\proxy.exe by hand"),
        ("relay.exe", "c:\\tools\\relay.exe"),
        "how is {} started",
    ),
    "queue.flush_all": _Token(
        "Call queue.flush_all before a snapshot",
        ("All of the queue must flush at night", "Call queue.close before a restart"),
        ("queue.flush_all()", "queueFlushAll", "flush_all"),
        "when is {} called",
    ),
    "v2.14.3": _Token(
        "Release v2.14.3 fixed the leap second",
        ("Release v2.14.4 fixed the sign-in page", "Release v2.1.43 fixed the leap year"),
        ("2.14.3", "V2.14.3"),
        "what did {} fix",
    ),
    "CVE-2024-3094": _Token(
        "The image was rebuilt because of CVE-2024-3094",
        ("The image was rebuilt because of CVE-2023-3094", "3094 seats were sold in 2024"),
        ("cve-2024-3094", "CVE 2024 3094"),
        "are we affected by {}",
    ),
    "#4127": _Token(
        "The crash on resize is tracked as #4127",
        ("The crash on start is tracked as #4128", "The crash on exit is tracked as #412"),
        ("4127",),
        "what is {} about",
    ),
    "E0382": _Token(
        "E0382 in the parser means a moved buffer",
        ("E0383 in the lexer means a lost token", "0382 is the dialling code"),
        ("e0382",),
        "what does {} mean",
    ),
    "C++": _Token(
        "The simulator is written in C++ for speed",
        ("The firmware is written in C for size", "The grade C is written in red"),
        ("c++", "cpp"),
        "what is written in {}",
    ),
    "C#": _Token(
        "The invoice mailer is written in C# and small",
        ("The invoice scanner is written in F# and small", "The key of C is written first"),
        ("c#", "csharp"),
        "what is written in {}",
    ),
    ".NET": _Token(
        "The kiosk needs .NET on every machine",
        ("The fishing net is needed on every boat", "The net weight is on every box"),
        (".net", "dotnet"),
        "what needs {}",
    ),
    "Go": _Token(
        "The gateway was rewritten in Go last year",
        ("Let us go to the lake and go home late", "The gateway was repainted in green"),
        ("golang",),
        "which service is in {}",
    ),
    "AI": _Token(
        "No AI may read the payroll",
        ("Nobody may read the payroll aloud", "The aim is a small payroll"),
        (),
        "what may {} read",
    ),
    "@idempotent": _Token(
        "Handlers of webhooks carry @idempotent at the top",
        ("A webhook should be delivered once", "Handlers of uploads carry @throttled at the top"),
        ("idempotent",),
        "what carries {}",
    ),
    "--no-verify": _Token(
        "Pushing with --no-verify is forbidden",
        ("Verify that no door is open", "Pushing with --force is forbidden"),
        ("no-verify", "no verify"),
        "may I use {}",
    ),
    "$RELAY_HOME": _Token(
        "Set $RELAY_HOME before the first run",
        ("The relay is at home on the hill", "Set $RELAY_PORT before the second run"),
        ("RELAY_HOME", "relayHome", "${RELAY_HOME}"),
        "when is {} set",
    ),
    "4f2a9c1d7be03586aa10c2d3e4f5061728394a5b": _Token(
        "The regression came in with 4f2a9c1d7be03586aa10c2d3e4f5061728394a5b alone",
        (
            "The speed-up came in with 4f2b9c1d7be03586aa10c2d3e4f5061728394a5b alone",
            "The regression of the mean came in with the census",
        ),
        ("4f2a9c1", "4F2A9C1D7BE03586AA10C2D3E4F5061728394A5B"),
        "what came in with {}",
    ),
    "Zoë": _Token(
        "Zoë keeps the keys of the archive",
        ("Joe keeps the keys of the chapel", "The zoo keeps the keys of the cages"),
        ("Zoe", "zoe", "ZOË", "Zoë's"),
        "what does {} keep",
    ),
    "Łukasz": _Token(
        "Łukasz approves changes of the schema",
        ("Lukas approves changes of the menu", "Luke approves changes of the route"),
        ("Lukasz", "łukasz"),
        "what does {} approve",
    ),
    "Артём": _Token(
        "Артём отвечает за биллинг",
        ("Антон отвечает за доставку", "Арсений отвечает за поиск"),
        ("артем", "АРТЁМ"),
        "за что отвечает {}",
    ),
    "数据库": _Token(
        "我们的数据库每晚备份一次",
        ("我们的数字每月公布一次", "灯塔管理员每年春天都会粉刷栏杆"),
        (),
        "{}什么时候备份",
    ),
    "메시지": _Token(
        "결제메시지는 별도의 큐로 보냅니다",
        ("결제내역은 별도의 파일로 보냅니다", "등대지기는 봄마다 난간을 칠합니다"),
        ("메시지는",),
        "{}는 어디로 보내나요",
    ),
    "❤️": _Token(
        "A ❤️ in review means it may be merged",
        ("A ☂ in review means it has to wait", "A heartfelt review is welcome"),
        ("❤",),
        "what does {} mean",
    ),
    "std::variant": _Token(
        "Events are kept in std::variant by value",
        ("A variant of the std events is kept", "Events are kept in std::vector by pointer"),
        ("STD::variant",),
        "what is kept in {}",
    ),
    "k8s": _Token(
        "The staging k8s has four nodes",
        ("The staging area has four doors", "The K8 road has eight lanes"),
        ("K8s", "kubernetes"),
        "how many nodes has {}",
    ),
    "UTF-8": _Token(
        "Ledger exports are UTF-8 throughout",
        ("Ledger imports are UTF-16 throughout", "Ledger prints are 8 inches throughout"),
        ("utf8", "utf-8", "utf 8"),
        "which exports are {}",
    ),
}
_ASKED = [(token, asked) for token, kind in _TOKENS.items() for asked in (token, *kind.others)]
# Known to fail, and why; constants that are fitted anew may mend some of them.
_BARE_FAILS = {
    ("retry_budget_ms", "retrybudgetms"): "run together, it is nearer in meaning to another text"
}
_ASKED_BARE = [
    pytest.param(*case, marks=pytest.mark.xfail(reason=_BARE_FAILS[case]))
    if case in _BARE_FAILS
    else case
    for case in _ASKED
]


@pytest.fixture(scope="module")
def tokens_path(make_store):
    texts = [text for token in _TOKENS.values() for text in (*token.near, token.held)]
    return make_store(
        [
            {
                "category": "note",
                "key": f"entry-{number}",
                "body_json": json.dumps({"content": text}, ensure_ascii=False),
            }
            for number, text in enumerate(texts)
        ]
    )


@pytest.fixture
async def tokens(tokens_path, open_copy, client_of):
    """A client of a store with all the texts, near misses before what they nearly are."""
    async with open_copy(tokens_path) as app:
        yield client_of(app)


@pytest.mark.parametrize(("token", "asked"), _ASKED_BARE)
async def test_the_text_that_holds_a_token_is_found_first_however_it_is_written(
    tokens, token, asked
):
    items = await tokens.recall(asked)

    assert items[0]["content"] == _TOKENS[token].held


@pytest.mark.parametrize(("token", "asked"), _ASKED)
async def test_the_text_that_holds_a_token_is_found_first_by_a_question_that_does(
    tokens, token, asked
):
    items = await tokens.recall(f"{_TOKENS[token].question.format(asked)}?")

    assert items[0]["content"] == _TOKENS[token].held


@pytest.mark.parametrize(("token", "asked"), _ASKED)
async def test_words_alone_find_a_token_however_it_is_written(tokens, token, asked):
    items = await tokens.recall(asked, mode="fts5")

    assert items[0]["content"] == _TOKENS[token].held
