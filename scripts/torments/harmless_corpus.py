"""What only looks like a secret, and what developers write about secrets."""

import base64
import random
from collections.abc import Iterator
from typing import Final

from .secret_kinds import PREFIXED, filled

_NOUNS: Final = (
    "invoice queue billing worker retry cache schema deploy session cursor tenant".split()
)


def _sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(_NOUNS, k=rng.randrange(4, 12))).capitalize() + "."


def harmless(count: int, rng: random.Random) -> Iterator[str]:
    """What only looks like a secret, and what developers write about secrets."""
    makers = list(_HARMLESS.values())
    for index in range(count):
        yield makers[index % len(makers)](rng)


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
