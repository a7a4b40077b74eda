"""Made-up secrets of many kinds in the places they are found in, and harmless text beside.

The forms are those the issuers publish; they are written down here once more on purpose, so that a
wrong rule of the scanner is not repeated in its test.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_ALNUM: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"
_URL_SAFE: Final = _ALNUM + "-_"
_BASE64: Final = _ALNUM + "+/"
_UPPER: Final = string.ascii_uppercase + string.digits
_DIGITS: Final = string.digits
_LOWER: Final = string.ascii_lowercase + string.digits

# Letters name an alphabet, numbers how many: `{a36}` is 36 letters or digits.
_ALPHABETS: Final = {
    "a": _ALNUM, "h": _HEX, "u": _URL_SAFE, "b": _BASE64, "U": _UPPER, "d": _DIGITS, "l": _LOWER,
}  # fmt: skip

PREFIXED: Final = {
    "github classic": "ghp_{a36}",
    "github oauth": "gho_{a36}",
    "github user": "ghu_{a36}",
    "github server": "ghs_{a36}",
    "github refresh": "ghr_{a76}",
    "github fine-grained": "github_pat_{a22}_{a59}",
    "gitlab personal": "glpat-{u20}",
    "gitlab trigger": "glptt-{h40}",
    "gitlab runner": "glrt-{u20}",
    "gitlab deploy": "gldt-{u20}",
    "npm": "npm_{a36}",
    "pypi": "pypi-AgEIcHlwaS5vcmc{u120}",
    "rubygems": "rubygems_{h48}",
    "docker": "dckr_pat_{u27}",
    "aws key id": "AKIA{U16}",
    "aws temporary key id": "ASIA{U16}",
    "google api": "AIza{u35}",
    "google client": "GOCSPX-{u28}",
    "google access": "ya29.{u120}",
    "azure storage": "DefaultEndpointsProtocol=https;AccountName=inv{l6};AccountKey={b86}==",
    "azure client": "{a3}8Q~{u34}",
    "digitalocean": "dop_v1_{h64}",
    "databricks": "dapi{h32}",
    "terraform": "{a14}.atlasv1.{u67}",
    "vault": "hvs.{u95}",
    "heroku": "HRKU-{u60}",
    "cloudflare origin": "v1.0-{h24}-{h146}",
    "supabase": "sbp_{h40}",
    "planetscale": "pscale_pw_{u43}",
    "pulumi": "pul-{h40}",
    "doppler": "dp.pt.{a43}",
    "tailscale": "tskey-auth-{a16}-{a30}",
    "openai project": "sk-proj-{u120}",
    "openai": "sk-{a20}T3BlbkFJ{a20}",
    "anthropic": "sk-ant-api03-{u93}AA",
    "hugging face": "hf_{a34}",
    "replicate": "r8_{a37}",
    "groq": "gsk_{a52}",
    "openrouter": "sk-or-v1-{h64}",
    "slack bot": "xoxb-{d12}-{d12}-{a24}",
    "slack user": "xoxp-{d12}-{d12}-{d12}-{h32}",
    "slack app": "xapp-1-A{U10}-{d13}-{h64}",
    "slack webhook": "https://hooks.slack.com/services/T{U8}/B{U10}/{a24}",
    "discord bot": "MT{a22}.G{u5}.{u38}",
    "discord webhook": "https://discord.com/api/webhooks/1{d17}/{u68}",
    "telegram": "6{d9}:AA{u33}",
    "twilio": "SK{h32}",
    "sendgrid": "SG.{u22}.{u43}",
    "mailgun": "key-{h32}",
    "mailchimp": "{h32}-us14",
    "stripe live": "sk_live_{a24}",
    "stripe restricted": "rk_live_{a99}",
    "stripe webhook": "whsec_{a32}",
    "square": "sq0atp-{u22}",
    "square access": "EAAA{u60}",
    "paypal": "access_token$production${l16}${h32}",
    "shopify": "shpat_{h32}",
    "atlassian": "ATATT3xFfGF0{u172}={U8}",
    "linear": "lin_api_{a40}",
    "notion": "ntn_{d11}{a35}",
    "figma": "figd_{u40}",
    "airtable": "pat{a14}.{h64}",
    "postman": "PMAK-{h24}-{h34}",
    "grafana": "glsa_{a32}_{h8}",
    "new relic": "NRAK-{U27}",
    "sentry": "sntrys_{b150}",
    "dynatrace": "dt0c01.{U24}.{U64}",
    "age": "AGE-SECRET-KEY-1{U58}",
}  # fmt: skip

# Without a form of their own: only the name beside them tells.
NAMED: Final = {
    "aws secret": ("aws_secret_access_key", "{b40}"),
    "datadog": ("DD_API_KEY", "{h32}"),
    "generic api key": ("api_key", "{a32}"),
    "client secret": ("client_secret", "{u40}"),
    "password": ("password", "{a4}!{a5}#{d2}"),
    "database password": ("DB_PASSWORD", "{a16}"),
    "access token": ("access_token", "{h40}"),
    "secret key": ("SECRET_KEY", "{u50}"),
    "signing key": ("signing_key", "{b43}="),
    "auth token": ("auth_token", "{a24}"),
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A text with a secret in it; `secret` in the pieces that stand unbroken in the text."""

    kind: str
    place: str
    text: str
    pieces: tuple[str, ...]
    is_prefixed: bool


def secrets(count: int, rng: random.Random) -> Iterator[Planted]:
    """Secrets of every kind in turn, in every place in turn."""
    makers: list[tuple[str, bool, Callable[[], tuple[str, str]]]] = [
        *((kind, True, _prefixed(form, rng)) for kind, form in PREFIXED.items()),
        *((kind, True, maker(rng)) for kind, maker in _SHAPED.items()),
        *((kind, False, _named(name, form, rng)) for kind, (name, form) in NAMED.items()),
    ]
    for index in range(count):
        kind, is_prefixed, make = makers[index % len(makers)]
        name, secret = make()
        places = _PLACES if is_prefixed else _NAMED_PLACES
        place, plant = places[index // len(makers) % len(places)]
        text, pieces = plant(name, secret, rng)
        yield Planted(kind, place, text, pieces, is_prefixed)


def harmless(count: int, rng: random.Random) -> Iterator[str]:
    """What only looks like a secret, and what developers write about secrets."""
    makers = list(_HARMLESS.values())
    for index in range(count):
        yield makers[index % len(makers)](rng)


def filled(form: str, rng: random.Random) -> str:
    """The form with random characters."""
    parts, rest = [], form
    while "{" in rest:
        before, _, rest = rest.partition("{")
        field, _, rest = rest.partition("}")
        parts += [before, *rng.choices(_ALPHABETS[field[0]], k=int(field[1:]))]
    return "".join([*parts, rest])


def _prefixed(form: str, rng: random.Random) -> Callable[[], tuple[str, str]]:
    return lambda: (rng.choice(["value", "it", "TOKEN", "apiKey", "credential"]), filled(form, rng))


def _named(name: str, form: str, rng: random.Random) -> Callable[[], tuple[str, str]]:
    return lambda: (name, filled(form, rng))


def _token(rng: random.Random) -> Callable[[], tuple[str, str]]:
    def make() -> tuple[str, str]:
        head = _url64({"alg": "HS256", "typ": "JWT"})
        claims = _url64({"sub": filled("{h12}", rng), "iat": rng.randrange(10**9)})
        return "jwt", f"{head}.{claims}.{filled('{u43}', rng)}"

    return make


def _url64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _pem(label: str) -> Callable[[random.Random], Callable[[], tuple[str, str]]]:
    def maker(rng: random.Random) -> Callable[[], tuple[str, str]]:
        def make() -> tuple[str, str]:
            lines = [filled("{b64}", rng) for _ in range(rng.randrange(3, 12))]
            body = "\n".join([*lines, filled("{b30}", rng) + "=="])
            return "key", f"-----BEGIN {label}-----\n{body}\n-----END {label}-----"

        return make

    return maker


def _database(scheme: str) -> Callable[[random.Random], Callable[[], tuple[str, str]]]:
    def maker(rng: random.Random) -> Callable[[], tuple[str, str]]:
        def make() -> tuple[str, str]:
            password = filled("{a14}", rng)
            return password, f"{scheme}://app:{password}@db{rng.randrange(9)}.internal:5432/main"

        return make

    return maker


_SHAPED: Final = {
    "json web token": _token,
    "rsa key": _pem("RSA PRIVATE KEY"),
    "ec key": _pem("EC PRIVATE KEY"),
    "openssh key": _pem("OPENSSH PRIVATE KEY"),
    "pkcs8 key": _pem("PRIVATE KEY"),
    "postgres url": _database("postgresql"),
    "mongo url": _database("mongodb+srv"),
    "redis url": _database("rediss"),
    "amqp url": _database("amqps"),
    "basic auth url": _database("https"),
}


def _pieces(name: str, secret: str) -> tuple[str, ...]:
    if "PRIVATE KEY" in secret:
        return tuple(line for line in secret.split("\n") if not line.startswith("-----"))
    if "://" in secret and name in secret:
        return (name,)
    return (secret.rpartition("AccountKey=")[2].rpartition("hooks.slack.com/services/")[2],)


def _prose(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    opening = rng.choice(
        [
            "Maria set up staging on Tuesday. For the deploy job use",
            "Die Zugangsdaten liegen jetzt hier:",
            "Remember: the CI runner logs in with",
            "デプロイには次を使う",
            "After the incident we rotated it, the new one is",
        ]
    )
    return f"{opening} {secret} and tell nobody.", _pieces(name, secret)


def _in_json(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    text = json.dumps({"service": "billing", "setting": secret, "retries": rng.randrange(9)})
    return text, _pieces(name, secret)


def _in_nested_json(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    inner = json.dumps({"config": {"v": secret}, "n": rng.randrange(9)})
    return json.dumps({"content": f"saved response: {inner}"}), _pieces(name, secret)


def _in_code(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    quoted = f'"""{secret}"""' if "\n" in secret else f'"{secret}"'
    where = rng.choice(["client = Client({})", "const c = connect({});", "x := dial({})"])
    return "import os\n\n" + where.format(quoted) + "\nprint(c)\n", _pieces(name, secret)


def _in_url(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    if "\n" in secret or "://" in secret or ";" in secret:
        return _prose(name, secret, rng)
    return f"curl 'https://api.internal/v1/items?page=2&t={secret}'", _pieces(name, secret)


def _split(name: str, secret: str, rng: random.Random) -> tuple[str, tuple[str, ...]]:
    if "\n" in secret:
        return _in_nested_json(name, secret, rng)
    [piece] = _pieces(name, secret)
    if "://" in secret and name in secret:
        return _prose(name, secret, rng)
    at = rng.randrange(len(piece) // 3, 2 * len(piece) // 3)
    broken = f"{piece[:at]}\n{piece[at:]}"
    return f"The wiki wrapped it: {secret.replace(piece, broken)}\nuse as one line", (
        piece[:at],
        piece[at:],
    )


_PLACES: Final = [
    ("prose", _prose),
    ("JSON", _in_json),
    ("JSON in JSON", _in_nested_json),
    ("code", _in_code),
    ("URL", _in_url),
    ("split by a newline", _split),
]


def _assigned(form: str) -> Callable[[str, str, random.Random], tuple[str, tuple[str, ...]]]:
    return lambda name, secret, _rng: (form.format(name=name, secret=secret), (secret,))


_NAMED_PLACES: Final = [
    ("environment", _assigned("export {name}={secret}\n")),
    ("yaml", _assigned("service:\n  {name}: {secret}\n  retries: 3\n")),
    ("JSON", _assigned('{{"{name}": "{secret}", "retries": 3}}')),
    ("code", _assigned('client = Client({name}="{secret}", timeout=3)')),
    ("prose", _assigned("For staging the {name} is {secret} until Friday.")),
    ("arrow", _assigned("config['{name}'] => '{secret}'")),
]

_NOUNS: Final = (
    "invoice queue billing worker retry cache schema deploy session cursor tenant".split()
)


def _sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(_NOUNS, k=rng.randrange(4, 12))).capitalize() + "."


_TALK: Final = (
    "We store the API key in the keychain, never in the repository.",
    "The token expires after 15 minutes; refresh_token is kept for 30 days.",
    "password: must be at least 12 characters and contain a digit",
    "Set OPENAI_API_KEY=your-api-key-here in .env",
    "export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "token = os.environ['GITHUB_TOKEN']",
    "const secret = process.env.SESSION_SECRET_V2;",
    "password: ${DB_PASSWORD}",
    "DATABASE_URL=postgres://user:password@localhost:5432/app",
    "DATABASE_URL=postgres://postgres:postgres@db/test1",
    "secretKeyRef: {name: billing-db-credentials2, key: password}",
    "Authorization: Bearer <token>",
    "curl -u $USER:$TOKEN https://api.internal",
    "api_key: example_key_1234567890abcdef",
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "client_secret: vault:secret/data/billing#client_secret",
    "The password hash is argon2id, the token is base64url encoded.",
    "secret: projects/42/secrets/db-pass/versions/latest",
    "max_tokens: 4096, tokenizer=cl100k_base",
    "key: user:123:profile:v2, token: e.currentToken1",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
    "keyboard shortcut: ctrl+shift+p opens the task-runner-configuration-view",
    "authors: maria@example.com, jonas@example.org; see https://example.com:8443/a@b",
    "risk-assessment-2024-q3-final-version2 is in the shared drive",
    "primary_key=customer_id_v2, partition_key: region_2024",
)


def _sha(rng: random.Random) -> str:
    return f"Fixed in {filled('{h40}', rng)} (see also {filled('{h7}', rng)}). {_sentence(rng)}"


def _uuid(rng: random.Random) -> str:
    uuid = filled("{h8}-{h4}-4{h3}-a{h3}-{h12}", rng)
    return rng.choice(["request id {}", "trace={}", '{{"id": "{}"}}', "run {} failed"]).format(uuid)


def _lock(rng: random.Random) -> str:
    return rng.choice(
        [
            filled('"integrity": "sha512-{b86}==",', rng),
            filled('    [file = "a-1.2.whl", hash = "sha256:{h64}"],', rng),
            filled("github.com/pkg/errors v0.9.1 h1:{b43}=", rng),
            filled('checksum = "{h64}"', rng),
            filled("image: nginx@sha256:{h64}", rng),
        ]
    )


def _image(rng: random.Random) -> str:
    data = base64.b64encode(rng.randbytes(rng.randrange(300, 3000))).decode()
    return f'<img src="data:image/png;base64,iVBORw0KGgo{data}">'


def _minified(rng: random.Random) -> str:
    names = [filled("{a1}", rng) for _ in range(8)]
    parts = [
        f"function {rng.choice(names)}({rng.choice(names)}){{return {rng.choice(names)}.token||"
        f"{rng.choice(names)}.secretKey({rng.randrange(999)})}}"
        f"var {rng.choice(names)}={{key:{rng.choice(names)},auth:!0,password:e.password,"
        f'h:"{filled("{h8}", rng)}"}};'
        for _ in range(rng.randrange(2, 20))
    ]
    return "".join(parts)


def _marked(rng: random.Random) -> str:
    kind, form = rng.choice(sorted(PREFIXED.items()))
    token = filled(form, rng)
    if "://" in token or ";" in token:
        token = filled("ghp_{a36}", rng)
    return (
        rng.choice(
            [
                "# example key: {}",
                "EXAMPLE_TOKEN={}",
                'key = "{}"  # example, not real',
                '{{"example": "{}"}}',
                "the docs show an example token `{}`",
                "placeholder: {}",
            ]
        ).format(token)
        + f" ({kind})"
    )


def _talk(rng: random.Random) -> str:
    return f"{_sentence(rng)} {rng.choice(_TALK)}"


def _path(rng: random.Random) -> str:
    folder = "/".join(rng.choices(_NOUNS, k=6))
    return (
        f"see src/{folder}/{rng.choice(_NOUNS)}_{filled('{h8}', rng)}.test.ts:{rng.randrange(999)}"
    )


def _log(rng: random.Random) -> str:
    return (
        f"2026-03-0{rng.randrange(1, 9)}T10:1{rng.randrange(9)}:00Z worker-{filled('{l5}', rng)} "
        f'span={filled("{h16}", rng)} trace={filled("{h32}", rng)} etag=W/"{filled("{u27}", rng)}"'
    )


_HARMLESS: Final = {
    "git hash": _sha,
    "uuid": _uuid,
    "lock file": _lock,
    "image": _image,
    "minified": _minified,
    "marked example": _marked,
    "talk of secrets": _talk,
    "path": _path,
    "log": _log,
    "prose": _sentence,
}
