"""The kinds of secrets that are known by their form: what their tokens begin with and look like.

A pattern is only tried on text that holds one of its literals. Every pattern starts at a literal or
a bounded class and repeats in bounds or possessively, so that scanning is linear in the text.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

# A token may follow an escape such as `\n` written out, whose letter is not part of a word.
_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
_URL_SAFE: Final = r"[A-Za-z0-9_\-]"
_IN_RUN: Final = re.compile(r"[A-Za-z0-9_\-]+$")
_BASE64: Final = r"[A-Za-z0-9+/]"


class Look(Enum):
    """How much a text that fits a pattern must look like a secret."""

    RANDOM = "random"
    FORMED = "formed"
    CHOSEN = "chosen"


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of secret. The group `secret`, or else the whole match, is what must not be stored.

    Text without any of the literals holds none; if it `opens`, they are what its tokens begin with.

    `look` says what the secret must look like beside: patterns that are too plain to trust alone
    ask for randomness, passwords are what people chose.
    """

    name: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    look: Look
    opens: bool


def _kind(
    name: str,
    literals: str,
    pattern: str,
    *,
    flags: re.RegexFlag | int = 0,
    strict: bool = False,
    password: bool = False,
    opens: bool = True,
) -> Kind:
    look = Look.CHOSEN if password else Look.RANDOM if strict else Look.FORMED
    return Kind(name, tuple(literals.split()), re.compile(pattern, flags), look, opens)


def _prefixed(name: str, prefixes: str, tail: str, *, strict: bool = False) -> Kind:
    """A kind whose tokens are one of some distinctive prefixes and then `tail`."""
    alternatives = "|".join(map(re.escape, prefixes.split()))
    return _kind(name, prefixes, f"(?:{alternatives}){tail}", strict=strict)


def _short(name: str, prefixes: str, tail: str) -> Kind:
    """The same where the prefix may well be the end of some other word."""
    alternatives = "|".join(map(re.escape, prefixes.split()))
    return _kind(name, prefixes, f"{_START}(?:{alternatives}){tail}", strict=True)


_NEAR: Final = r"[A-Za-z0-9_\-. ]{0,30}[\"'`]?[ \t]{0,4}(?:=|:|=>|:=|\bis\b)[ \t]{0,4}[\"'`]?"


def _beside(name: str, word: str, value: str) -> Kind:
    """A kind without a prefix of its own: a value assigned to something with `word` in its name."""
    return _kind(
        name,
        f"{word} {word.upper()} {word.capitalize()}",
        rf"(?i:{word}){_NEAR}(?P<secret>{value})(?![A-Za-z0-9])",
        strict=True,
        opens=False,
    )


_SOURCE_HOSTS: Final = (
    _prefixed("github token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{30,255}"),
    _prefixed("github token", "github_pat_", r"[A-Za-z0-9_]{50,255}"),
    _prefixed(
        "gitlab token",
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glft- glsoat- glimt- glagent- gloas- glffct- "
        "GR1348941",
        r"[A-Za-z0-9_\-.]{20,300}",
    ),
    _kind(
        "bitbucket token",
        "ATBB ATCTT3xFfG",
        r"(?<![A-Za-z0-9+/])AT(?:BB|CTT3xFfG)[A-Za-z0-9_\-=]{24,300}",
    ),
    _prefixed("npm token", "npm_", r"[A-Za-z0-9]{30,255}"),
    _prefixed("pypi token", "pypi-AgE", r"[A-Za-z0-9_\-]{40,1000}"),
    _prefixed("rubygems token", "rubygems_", r"[a-f0-9]{40,64}"),
    _prefixed("crates.io token", "cio", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", strict=True),
    _short("nuget key", "oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])"),
    _prefixed("docker token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_\-]{20,80}"),
    _prefixed("sonarqube token", "sqp_ squ_ sqa_", r"[a-f0-9]{40}"),
    _prefixed("sourcegraph token", "sgp_", r"(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}"),
    _prefixed("artifactory key", "AKCp", r"[A-Za-z0-9]{60,80}"),
    _prefixed("circleci token", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9_]{40,120}"),
    _prefixed("buildkite token", "bkua_", r"[a-f0-9]{40}"),
)

_CLOUDS: Final = (
    _kind("aws key id", "AKIA ASIA ABIA ACCA", r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Z0-9])"),
    _kind("aws bedrock key", "ABSK", r"ABSK[A-Za-z0-9+/]{80,300}={0,2}"),
    _kind(
        "aws session token",
        "FwoGZXIvYXdz IQoJb3JpZ2lu",
        rf"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu){_BASE64}{{60,4000}}={{0,2}}",
    ),
    _beside("aws secret key", "aws", rf"{_BASE64}{{40}}"),
    _prefixed("google api key", "AIza", r"[A-Za-z0-9_\-]{35}"),
    _prefixed("google client secret", "GOCSPX-", r"[A-Za-z0-9_\-]{24,40}"),
    _prefixed("google access token", "ya29.", r"[A-Za-z0-9_\-.]{20,2048}"),
    _kind("google refresh token", "1//0", r"(?<![A-Za-z0-9:/])1//0[A-Za-z0-9_\-]{40,200}"),
    _kind(
        "azure storage key",
        "AccountKey= SharedAccessKey=",
        rf"(?:AccountKey|SharedAccessKey)=(?P<secret>{_BASE64}{{40,100}}={{0,2}})",
    ),
    _kind("azure sas signature", "sig=", r"[?&;]sig=(?P<secret>[A-Za-z0-9%+/]{40,90}={0,2})"),
    _kind(
        "azure client secret",
        "Q~",
        r"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}",
    ),
    _kind(
        "azure devops token",
        "AZDO",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        opens=False,
    ),
    _prefixed("digitalocean token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _short("databricks token", "dapi", r"[a-f0-9]{32}(?:-[0-9])?"),
    _prefixed("cloudflare key", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{146}"),
    _beside("cloudflare token", "cloudflare", rf"{_URL_SAFE}{{37,40}}"),
    _prefixed("heroku key", "HRKU-", r"[A-Za-z0-9_\-]{36,64}"),
    _beside("heroku key", "heroku", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    _prefixed("fly.io token", "FlyV1_ fo1_ fm1r_ fm2_", r"[A-Za-z0-9_\-+/=,]{40,2000}"),
    _prefixed("netlify token", "nfp_ nfc_ nfo_ nfu_ nfb_", r"[A-Za-z0-9_]{36,60}", strict=True),
    _prefixed("vercel token", "vcp_ vci_ vca_ vcr_ vck_", r"[A-Za-z0-9]{24,80}", strict=True),
    _prefixed("supabase key", "sbp_ sb_secret_", r"[A-Za-z0-9_\-]{30,80}"),
    _prefixed("planetscale token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w=.\-]{32,64}"),
    _kind(
        "terraform token",
        ".atlasv1.",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9\-_=]{60,80}",
    ),
    _kind(
        "vault token",
        "hvs. hvb. hvr.",
        r"(?<![A-Za-z0-9_])hv[sbr]\.[A-Za-z0-9_\-]{24,300}",
    ),
    _prefixed("pulumi token", "pul-", r"[a-f0-9]{40}(?![A-Za-z0-9])", strict=True),
    _prefixed("doppler token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim.", r"[A-Za-z0-9_.\-]{30,80}"),
    _prefixed("tailscale key", "tskey-", r"[a-z]{3,10}-[A-Za-z0-9_\-]{16,80}"),
    _prefixed("1password token", "ops_eyJ", r"[A-Za-z0-9_\-=]{80,2000}"),
)

_MODELS: Final = (
    _prefixed("anthropic key", "sk-ant-", r"[A-Za-z0-9_\-]{30,200}"),
    _prefixed("openrouter key", "sk-or-v1-", r"[a-f0-9]{40,80}"),
    _prefixed("openai key", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"[A-Za-z0-9_\-]{20,250}"),
    _short("openai key", "sk-", r"[A-Za-z0-9]{20,64}(?![A-Za-z0-9])"),
    _short("hugging face token", "hf_ api_org_", r"[A-Za-z0-9]{30,60}"),
    _short("replicate token", "r8_", r"[A-Za-z0-9]{36,50}"),
    _short("groq key", "gsk_", r"[A-Za-z0-9]{40,60}"),
    _short("xai key", "xai-", r"[A-Za-z0-9]{60,100}"),
    _prefixed("perplexity key", "pplx-", r"[A-Za-z0-9]{32,64}"),
    _prefixed("langsmith key", "lsv2_pt_ lsv2_sk_", r"[a-f0-9]{32}_[a-f0-9]{10}"),
    _prefixed("pinecone key", "pcsk_", r"[A-Za-z0-9_]{40,90}"),
)

_MESSAGING: Final = (
    _kind(
        "slack token",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd-",
        r"xox[bparsocd]-[A-Za-z0-9\-%]{20,300}",
    ),
    _prefixed("slack token", "xoxe- xoxe. xapp-", r"[A-Za-z0-9\-.]{20,300}"),
    _kind(
        "slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/]{30,120})",
    ),
    _kind(
        "discord webhook",
        "/api/webhooks/",
        r"discord(?:app)?\.com/api/webhooks/(?P<secret>[0-9]{15,20}/[A-Za-z0-9_\-]{50,100})",
    ),
    _kind(
        "discord token",
        # How base64 of a number begins.
        "MD MT Mj Mz ND NT Nj Nz OD OT",
        r"[MNO](?<![A-Za-z0-9_\-].)[A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6,7}\.[A-Za-z0-9_\-]{27,42}(?![A-Za-z0-9_\-])",
        strict=True,
    ),
    _kind(
        "telegram token", ":A", r"(?<![0-9A-Za-z])[0-9]{8,10}:A[A-Za-z0-9_\-]{34}(?![A-Za-z0-9_\-])"
    ),
    _kind(
        "teams webhook",
        ".webhook.office.com/",
        r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/\-]{60,200})",
    ),
    _kind(
        "twilio key", "SK AC", r"(?<![A-Za-z0-9])(?:SK|AC)[a-f0-9]{32}(?![A-Za-z0-9])", strict=True
    ),
    _prefixed("sendgrid key", "SG.", r"[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}", strict=True),
    _short("mailgun key", "key- pubkey-", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    _kind(
        "mailchimp key",
        "-us",
        r"(?<![A-Za-z0-9])[a-f0-9]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",
        opens=False,
    ),
    _prefixed("brevo key", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
)

_COMMERCE: Final = (
    _kind(
        "stripe key",
        "sk_live_ sk_test_ rk_live_ rk_test_",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}",
    ),
    _prefixed("stripe webhook secret", "whsec_", r"[A-Za-z0-9+/]{24,80}={0,2}"),
    _prefixed("square token", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_\-]{22,60}"),
    _kind(
        "square token",
        "EAAA",
        r"(?<![A-Za-z0-9+/])EAAA[A-Za-z0-9_\-]{60}(?![A-Za-z0-9+/=])",
        strict=True,
    ),
    _kind(
        "facebook token",
        "EAA",
        r"(?<![A-Za-z0-9+/])EAA[A-Za-z0-9]{90,400}(?![A-Za-z0-9+/=])",
        strict=True,
    ),
    _kind(
        "paypal token",
        "access_token$",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{13,20}\$[0-9a-f]{32}",
    ),
    _beside("paypal secret", "paypal", rf"{_URL_SAFE}{{60,90}}"),
    _prefixed("shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[a-fA-F0-9]{32,40}"),
    _prefixed(
        "plaid token",
        "access-production- access-sandbox- access-development-",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
)

_WORK: Final = (
    _prefixed("atlassian token", "ATATT3xFf ATATT3", r"[A-Za-z0-9_\-=]{40,300}"),
    _prefixed("linear key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{32,80}"),
    _short("notion token", "ntn_ secret_", r"[A-Za-z0-9]{40,50}(?![A-Za-z0-9])"),
    _prefixed("figma token", "figd_ figo_ figdr_ figuh_ figoh_", r"[A-Za-z0-9_\-]{36,60}"),
    _prefixed("airtable token", "pat", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    _prefixed("postman key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    _prefixed("contentful token", "CFPAT-", r"[A-Za-z0-9_\-]{43}"),
    _prefixed(
        "hubspot token",
        "pat-na1- pat-na2- pat-eu1-",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    _prefixed("dropbox token", "sl.", r"[A-Za-z0-9_\-=]{130,1500}", strict=True),
    _prefixed("asana token", "1/1 2/1", r"[0-9]{11,19}(?:/[0-9]{10,20})?:[a-f0-9]{32}"),
)

_WATCHING: Final = (
    _kind(
        "grafana token",
        "glc_ glsa_",
        r"gl(?:c_[A-Za-z0-9+/]{32,400}={0,2}|sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})",
    ),
    _prefixed(
        "new relic key", "NRAK- NRJS- NRRA- NRSP- NRAA- NRIQ- NRII-", r"[A-Za-z0-9_\-]{19,60}"
    ),
    _kind(
        "new relic license",
        "NRAL",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{36}NRAL(?![A-Za-z0-9])",
        opens=False,
    ),
    _prefixed("sentry token", "sntrys_", r"[A-Za-z0-9+/=_\-]{60,500}"),
    _prefixed("sentry token", "sntryu_ sntrya_", r"[a-f0-9]{64}"),
    _beside("datadog key", "datadog", r"[a-f0-9]{40}|[a-f0-9]{32}"),
    _kind(
        "datadog key",
        "DD_A dd_a",
        rf"(?i:dd_(?:api|app|application)_key){_NEAR}(?P<secret>[a-f0-9]{{40}}|[a-f0-9]{{32}})(?![A-Za-z0-9])",
        opens=False,
    ),
    _prefixed("datadog token", "ddapp_ ddpat_", r"[A-Za-z0-9]{30,60}"),
    _prefixed("dynatrace token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _prefixed("prefect key", "pnu_ pnb_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])", strict=True),
)

_KEYS: Final = (
    _kind(
        "private key",
        "PRIVATE",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>(?:[^-]|-(?!----)){40,20000}+(?=-----END )"
        r"|(?:[\s\"'+>|]|\\[nrt])*+(?:[A-Za-z0-9+/=]{16,}+(?:[\s\"'+>|]|\\[nrt])*+)+)",
    ),
    _kind(
        "private key",
        "PuTTY-User-Key-File",
        r"PuTTY-User-Key-File-[23](?:[^P]|P(?!rivate-Lines|uTTY-)){0,4000}+"
        r"Private-Lines: [0-9]{1,4}(?:\\[nr]|\s)*+"
        r"(?P<secret>(?:[A-Za-z0-9+/=]{8,}+(?:\\[nr]|\s)*+)+)",
    ),
    _prefixed("age key", "AGE-SECRET-KEY-1 AGE-PLUGIN-", r"[A-Z0-9\-]{40,200}"),
    _kind(
        "json web token",
        "eyJ",
        rf"{_START}eyJ[A-Za-z0-9_\-]{{8,4000}}\.eyJ[A-Za-z0-9_\-]{{8,8000}}\.[A-Za-z0-9_\-]{{10,2000}}",
    ),
    _kind(
        "json web token",
        "eyJ",
        rf"{_START}eyJ[A-Za-z0-9_\-]{{10,4000}}\.[A-Za-z0-9_\-]{{0,1000}}\.[A-Za-z0-9_\-]{{8,100}}"
        r"\.[A-Za-z0-9_\-]{16,8000}\.[A-Za-z0-9_\-]{16,100}",
    ),
)

_ACCESS: Final = (
    # The longest password wins: it may hold an @ itself.
    _kind(
        "url password",
        "@",
        r"(?<=[A-Za-z0-9])://[^\s/:@\"'<>\\]{0,128}:(?P<secret>[^\s/\"'<>\\]{3,256})@[A-Za-z0-9\[_]",
        password=True,
    ),
    _kind(
        "authorization header",
        "uthorization UTHORIZATION",
        r"(?i:authorization)[\"'`]{0,2}[ \t]{0,4}[:=,][ \t]{0,4}[\"'`]?"
        r"(?i:basic|bearer|token|digest|apikey)"
        r"[ \t]{1,4}(?P<secret>[A-Za-z0-9_\-.~+/]{16,4096}={0,2})",
        strict=True,
        opens=False,
    ),
    _kind(
        "authorization header",
        "earer EARER",
        r"(?i:\bbearer)[ \t]{1,4}(?P<secret>[A-Za-z0-9_\-.~+/]{20,4096}={0,2})",
        strict=True,
        opens=False,
    ),
    _kind(
        "login",
        "curl",
        r"\bcurl\b(?:(?!curl)[^\n]){0,200}?[ \t](?:-u|--user)[ =]{1,3}[\"']?"
        r"[^\s:\"']{1,100}:(?P<secret>[^\s\"']{3,200})",
        password=True,
        opens=False,
    ),
    _kind(
        "login",
        "login",
        r"\bmachine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password\s{1,4}(?P<secret>\S{4,200})",
        password=True,
        opens=False,
    ),
)

KINDS: Final = (
    *_SOURCE_HOSTS,
    *_CLOUDS,
    *_MODELS,
    *_MESSAGING,
    *_COMMERCE,
    *_WORK,
    *_WATCHING,
    *_KEYS,
    *_ACCESS,
)

# What begins the tokens of the kinds that have such a thing, within a run of token characters ...
OPENINGS: Final = tuple(
    literal for kind in KINDS if kind.opens for literal in kind.literals if _IN_RUN.match(literal)
)
# ... what stands beside a run of the others ...
MARKS: Final = tuple({literal for kind in KINDS for literal in kind.literals} - set(OPENINGS))
# ... and what does where there may be no long run.
ALONE: Final = (
    *("@", "curl", "login", "PRIVATE", "uthorization", "UTHORIZATION", "earer"),
    *("sntrys_", "glc_"),
)
