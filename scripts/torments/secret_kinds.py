"""Made-up secrets of many kinds.

The forms are those the issuers publish; they are written down here once more on purpose, so that a
wrong rule of the scanner is not repeated in its test.
"""

import base64
import json
import random
import string
from collections.abc import Callable
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
    "nvidia": "nvapi-{u64}",
    "together": "tgp_v1_{u43}",
    "tavily": "tvly-dev-{a32}",
    "jina": "jina_{a60}",
    "langfuse": "sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}",
    "gemini": "AQ.Ab8RN6{u44}",
    "fireworks": "fw_{a24}",
    "cerebras": "csk-{l48}",
    "voyage": "pa-{u43}",
    "elevenlabs": "sk_{h48}",
    "firecrawl": "fc-{h32}",
    "cursor": "key_{h64}",
    "azure ai": "{a52}JQQJ99{a26}",
    "vercel blob": "vercel_blob_rw_{a16}_{a30}",
    "neon": "napi_{l64}",
    "render": "rnd_{a28}",
    "resend": "re_{a8}_{a24}",
    "posthog": "phx_{a43}",
    "mapbox": "sk.eyJ{u80}.{u22}",
    "fly": "fm2_{b200}",
    "bedrock": "ABSK{b110}=",
    "atlassian service": "ATSTT3xFfGF0{u172}={U8}",
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


Make = Callable[[], tuple[str, str]]


def filled(form: str, rng: random.Random) -> str:
    """The form with random characters."""
    parts, rest = [], form
    while "{" in rest:
        before, _, rest = rest.partition("{")
        field, _, rest = rest.partition("}")
        parts += [before, *rng.choices(_ALPHABETS[field[0]], k=int(field[1:]))]
    return "".join([*parts, rest])


def _prefixed(form: str, rng: random.Random) -> Make:
    return lambda: (rng.choice(["value", "it", "TOKEN", "apiKey", "credential"]), filled(form, rng))


def _named(name: str, form: str, rng: random.Random) -> Make:
    return lambda: (name, filled(form, rng))


def _token(rng: random.Random) -> Make:
    def make() -> tuple[str, str]:
        head = _url64({"alg": "HS256", "typ": "JWT"})
        claims = _url64({"sub": filled("{h12}", rng), "iat": rng.randrange(10**9)})
        return "jwt", f"{head}.{claims}.{filled('{u43}', rng)}"

    return make


def _url64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _pem(label: str) -> Callable[[random.Random], Make]:
    def maker(rng: random.Random) -> Make:
        def make() -> tuple[str, str]:
            lines = [filled("{b64}", rng) for _ in range(rng.randrange(3, 12))]
            body = "\n".join([*lines, filled("{b30}", rng) + "=="])
            return "key", f"-----BEGIN {label}-----\n{body}\n-----END {label}-----"

        return make

    return maker


def _database(scheme: str) -> Callable[[random.Random], Make]:
    def maker(rng: random.Random) -> Make:
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


def makers(rng: random.Random) -> list[tuple[str, bool, Make]]:
    """Every kind, whether its form tells by itself, and what makes a name and a secret of it."""
    return [
        *((kind, True, _prefixed(form, rng)) for kind, form in PREFIXED.items()),
        *((kind, True, maker(rng)) for kind, maker in _SHAPED.items()),
        *((kind, False, _named(name, form, rng)) for kind, (name, form) in NAMED.items()),
    ]
