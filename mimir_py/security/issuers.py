"""The kinds of secrets that are known by their form.

A pattern is only tried on text that holds one of its literals.
"""

from typing import Final

from mimir_py.security.kinds import (
    BASE64,
    IN_RUN,
    NEAR,
    START,
    URL_SAFE,
    beside,
    kind,
    prefixed,
    short,
)

_SOURCE_HOSTS: Final = (
    prefixed("github token", "ghp_ gho_ ghu_ ghs_ ghr_", r"[A-Za-z0-9]{30,255}"),
    prefixed("github token", "github_pat_", r"[A-Za-z0-9_]{50,255}"),
    prefixed(
        "gitlab token",
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glft- glsoat- glimt- glagent- gloas- glffct- "
        "GR1348941",
        r"[A-Za-z0-9_\-.]{20,300}",
    ),
    kind(
        "bitbucket token",
        "ATBB ATCTT3xFfG",
        r"(?<![A-Za-z0-9+/])AT(?:BB|CTT3xFfG)[A-Za-z0-9_\-=]{24,300}",
    ),
    prefixed("npm token", "npm_", r"[A-Za-z0-9]{30,255}"),
    prefixed("pypi token", "pypi-AgE", r"[A-Za-z0-9_\-]{40,1000}"),
    prefixed("rubygems token", "rubygems_", r"[a-f0-9]{40,64}"),
    prefixed("crates.io token", "cio", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", strict=True),
    short("nuget key", "oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])"),
    prefixed("docker token", "dckr_pat_ dckr_oat_", r"[A-Za-z0-9_\-]{20,80}"),
    prefixed("sonarqube token", "sqp_ squ_ sqa_", r"[a-f0-9]{40}"),
    prefixed("sourcegraph token", "sgp_", r"(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}"),
    prefixed("artifactory key", "AKCp", r"[A-Za-z0-9]{60,80}"),
    prefixed("circleci token", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9_]{40,120}"),
    prefixed("buildkite token", "bkua_", r"[a-f0-9]{40}"),
)

_CLOUDS: Final = (
    kind("aws key id", "AKIA ASIA ABIA ACCA", r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Z0-9])"),
    kind("aws bedrock key", "ABSK", r"ABSK[A-Za-z0-9+/]{80,300}={0,2}"),
    kind(
        "aws session token",
        "FwoGZXIvYXdz IQoJb3JpZ2lu",
        rf"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu){BASE64}{{60,4000}}={{0,2}}",
    ),
    beside("aws secret key", "aws", rf"{BASE64}{{40}}"),
    prefixed("google api key", "AIza", r"[A-Za-z0-9_\-]{35}"),
    prefixed("google client secret", "GOCSPX-", r"[A-Za-z0-9_\-]{24,40}"),
    prefixed("google access token", "ya29.", r"[A-Za-z0-9_\-.]{20,2048}"),
    kind("google refresh token", "1//0", r"(?<![A-Za-z0-9:/])1//0[A-Za-z0-9_\-]{40,200}"),
    kind(
        "azure storage key",
        "AccountKey= SharedAccessKey=",
        rf"(?:AccountKey|SharedAccessKey)=(?P<secret>{BASE64}{{40,100}}={{0,2}})",
    ),
    kind("azure sas signature", "sig=", r"[?&;]sig=(?P<secret>[A-Za-z0-9%+/]{40,90}={0,2})"),
    kind(
        "azure client secret",
        "Q~",
        r"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}",
    ),
    kind(
        "azure devops token",
        "AZDO",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
        opens=False,
    ),
    prefixed("digitalocean token", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    short("databricks token", "dapi", r"[a-f0-9]{32}(?:-[0-9])?"),
    prefixed("cloudflare key", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{146}"),
    beside("cloudflare token", "cloudflare", rf"{URL_SAFE}{{37,40}}"),
    prefixed("heroku key", "HRKU-", r"[A-Za-z0-9_\-]{36,64}"),
    beside("heroku key", "heroku", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    prefixed("fly.io token", "FlyV1_ fo1_ fm1r_ fm2_", r"[A-Za-z0-9_\-+/=,]{40,2000}"),
    prefixed("netlify token", "nfp_ nfc_ nfo_ nfu_ nfb_", r"[A-Za-z0-9_]{36,60}", strict=True),
    prefixed("vercel token", "vcp_ vci_ vca_ vcr_ vck_", r"[A-Za-z0-9]{24,80}", strict=True),
    prefixed("vercel token", "vercel_blob_rw_", r"[A-Za-z0-9]{16}_[A-Za-z0-9]{24,40}"),
    prefixed("neon key", "napi_", r"[a-z0-9]{56,72}", strict=True),
    short("render key", "rnd_", r"[A-Za-z0-9]{26,40}(?![A-Za-z0-9])"),
    prefixed("aiven password", "AVNS_", r"[A-Za-z0-9_\-]{19}", strict=True),
    prefixed("supabase key", "sbp_ sb_secret_", r"[A-Za-z0-9_\-]{30,80}"),
    prefixed("planetscale token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w=.\-]{32,64}"),
    kind(
        "terraform token",
        ".atlasv1.",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9\-_=]{60,80}",
    ),
    kind(
        "vault token",
        "hvs. hvb. hvr.",
        r"(?<![A-Za-z0-9_])hv[sbr]\.[A-Za-z0-9_\-]{24,300}",
    ),
    prefixed("pulumi token", "pul-", r"[a-f0-9]{40}(?![A-Za-z0-9])", strict=True),
    prefixed("doppler token", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim.", r"[A-Za-z0-9_.\-]{30,80}"),
    prefixed("tailscale key", "tskey-", r"[a-z]{3,10}-[A-Za-z0-9_\-]{16,80}"),
    prefixed("1password token", "ops_eyJ", r"[A-Za-z0-9_\-=]{80,2000}"),
)

_MODELS: Final = (
    prefixed("anthropic key", "sk-ant-", r"[A-Za-z0-9_\-]{30,200}"),
    prefixed("openrouter key", "sk-or-v1-", r"[a-f0-9]{40,80}"),
    prefixed("openai key", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"[A-Za-z0-9_\-]{20,250}"),
    short("openai key", "sk-", r"[A-Za-z0-9]{20,64}(?![A-Za-z0-9])"),
    short("hugging face token", "hf_ api_org_", r"[A-Za-z0-9]{30,60}"),
    short("replicate token", "r8_", r"[A-Za-z0-9]{36,50}"),
    short("groq key", "gsk_", r"[A-Za-z0-9]{40,60}"),
    short("xai key", "xai-", r"[A-Za-z0-9]{60,100}"),
    prefixed("perplexity key", "pplx-", r"[A-Za-z0-9]{32,64}"),
    prefixed("langsmith key", "lsv2_pt_ lsv2_sk_", r"[a-f0-9]{32}_[a-f0-9]{10}"),
    prefixed("pinecone key", "pcsk_", r"[A-Za-z0-9_]{40,90}"),
    prefixed("nvidia key", "nvapi-", r"[A-Za-z0-9_\-]{56,90}"),
    prefixed("together key", "tgp_v1_", r"[A-Za-z0-9_\-]{40,60}"),
    prefixed("tavily key", "tvly-", r"[A-Za-z0-9\-]{24,60}", strict=True),
    prefixed("jina key", "jina_", r"[A-Za-z0-9_\-]{50,80}", strict=True),
    prefixed("openai session", "sess-", r"[A-Za-z0-9]{40}(?![A-Za-z0-9])", strict=True),
    prefixed("weights & biases key", "wandb_v1_", r"[A-Za-z0-9_\-]{40,120}"),
    prefixed("langfuse key", "sk-lf-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    kind("gemini key", "AQ.Ab", r"(?<![A-Za-z0-9_])AQ\.Ab[A-Za-z0-9_\-]{40,80}"),
    short("fireworks key", "fw_", r"[A-Za-z0-9]{22,28}(?![A-Za-z0-9])"),
    short("cerebras key", "csk-", r"[a-z0-9]{40,60}(?![A-Za-z0-9])"),
    short("voyage key", "pa-", r"[A-Za-z0-9_\-]{43}(?![A-Za-z0-9_\-])"),
    short("elevenlabs key", "sk_", r"[a-f0-9]{48}(?![A-Za-z0-9])"),
    short("firecrawl key", "fc-", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    short("cursor key", "key_", r"[a-f0-9]{64}(?![A-Za-z0-9])"),
    kind(
        "azure ai key",
        "JQQJ99",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,32}(?![A-Za-z0-9])",
        opens=False,
    ),
)

_MESSAGING: Final = (
    kind(
        "slack token",
        "xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc- xoxd-",
        r"xox[bparsocd]-[A-Za-z0-9\-%]{20,300}",
    ),
    prefixed("slack token", "xoxe- xoxe. xapp-", r"[A-Za-z0-9\-.]{20,300}"),
    kind(
        "slack webhook",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/]{30,120})",
    ),
    kind(
        "discord webhook",
        "/api/webhooks/",
        r"discord(?:app)?\.com/api/webhooks/(?P<secret>[0-9]{15,20}/[A-Za-z0-9_\-]{50,100})",
    ),
    kind(
        "discord token",
        # How base64 of a number begins.
        "MD MT Mj Mz ND NT Nj Nz OD OT",
        r"[MNO](?<![A-Za-z0-9_\-].)[A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6,7}\.[A-Za-z0-9_\-]{27,42}(?![A-Za-z0-9_\-])",
        strict=True,
    ),
    kind(
        "telegram token", ":A", r"(?<![0-9A-Za-z])[0-9]{8,10}:A[A-Za-z0-9_\-]{34}(?![A-Za-z0-9_\-])"
    ),
    kind(
        "teams webhook",
        ".webhook.office.com/",
        r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/\-]{60,200})",
    ),
    kind(
        "twilio key", "SK AC", r"(?<![A-Za-z0-9])(?:SK|AC)[a-f0-9]{32}(?![A-Za-z0-9])", strict=True
    ),
    prefixed("sendgrid key", "SG.", r"[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}", strict=True),
    short("mailgun key", "key- pubkey-", r"[a-f0-9]{32}(?![A-Za-z0-9])"),
    kind(
        "mailchimp key",
        "-us",
        r"(?<![A-Za-z0-9])[a-f0-9]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",
        opens=False,
    ),
    short("resend key", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?![A-Za-z0-9])"),
    prefixed("mailersend key", "mlsn.", r"[a-f0-9]{64}"),
    prefixed("brevo key", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
)

_COMMERCE: Final = (
    kind(
        "stripe key",
        "sk_live_ sk_test_ rk_live_ rk_test_",
        r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}",
    ),
    prefixed("stripe webhook secret", "whsec_", r"[A-Za-z0-9+/]{24,80}={0,2}"),
    prefixed("square token", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_\-]{22,60}"),
    kind(
        "square token",
        "EAAA",
        r"(?<![A-Za-z0-9+/])EAAA[A-Za-z0-9_\-]{60}(?![A-Za-z0-9+/=])",
        strict=True,
    ),
    kind(
        "facebook token",
        "EAA",
        r"(?<![A-Za-z0-9+/])EAA[A-Za-z0-9]{90,400}(?![A-Za-z0-9+/=])",
        strict=True,
    ),
    kind(
        "paypal token",
        "access_token$",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{13,20}\$[0-9a-f]{32}",
    ),
    beside("paypal secret", "paypal", rf"{URL_SAFE}{{60,90}}"),
    prefixed("shopify token", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[a-fA-F0-9]{32,40}"),
    prefixed(
        "plaid token",
        "access-production- access-sandbox- access-development-",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
)

_WORK: Final = (
    prefixed("atlassian token", "ATATT3xFf ATATT3 ATSTT3", r"[A-Za-z0-9_\-=]{40,300}"),
    prefixed("linear key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{32,80}"),
    short("notion token", "ntn_ secret_", r"[A-Za-z0-9]{40,50}(?![A-Za-z0-9])"),
    prefixed("figma token", "figd_ figo_ figdr_ figuh_ figoh_", r"[A-Za-z0-9_\-]{36,60}"),
    prefixed("airtable token", "pat", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    prefixed("typeform token", "tfp_", r"[A-Za-z0-9_\-]{40,70}", strict=True),
    prefixed("readme key", "rdme_", r"[a-z0-9]{70}"),
    prefixed("postman key", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    prefixed("contentful token", "CFPAT-", r"[A-Za-z0-9_\-]{43}"),
    prefixed(
        "hubspot token",
        "pat-na1- pat-na2- pat-eu1-",
        r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    prefixed("dropbox token", "sl.", r"[A-Za-z0-9_\-=]{130,1500}", strict=True),
    prefixed("asana token", "1/1 2/1", r"[0-9]{11,19}(?:/[0-9]{10,20})?:[a-f0-9]{32}"),
)

_WATCHING: Final = (
    kind(
        "grafana token",
        "glc_ glsa_",
        r"gl(?:c_[A-Za-z0-9+/]{32,400}={0,2}|sa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})",
    ),
    prefixed(
        "new relic key", "NRAK- NRJS- NRRA- NRSP- NRAA- NRIQ- NRII-", r"[A-Za-z0-9_\-]{19,60}"
    ),
    kind(
        "new relic license",
        "NRAL",
        r"(?<![A-Za-z0-9])[A-Za-z0-9]{36}NRAL(?![A-Za-z0-9])",
        opens=False,
    ),
    prefixed("sentry token", "sntrys_", r"[A-Za-z0-9+/=_\-]{60,500}"),
    prefixed("sentry token", "sntryu_ sntrya_", r"[a-f0-9]{64}"),
    beside("datadog key", "datadog", r"[a-f0-9]{40}|[a-f0-9]{32}"),
    kind(
        "datadog key",
        "DD_A dd_a",
        rf"(?i:dd_(?:api|app|application)_key){NEAR}(?P<secret>[a-f0-9]{{40}}|[a-f0-9]{{32}})(?![A-Za-z0-9])",
        opens=False,
    ),
    prefixed("datadog token", "ddapp_ ddpat_", r"[A-Za-z0-9]{30,60}"),
    prefixed("dynatrace token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    prefixed("posthog key", "phx_", r"[A-Za-z0-9_]{40,60}", strict=True),
    prefixed("prefect key", "pnu_ pnb_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])", strict=True),
)

_KEYS: Final = (
    kind(
        "private key",
        "PRIVATE",
        r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>(?:[^-]|-(?!----)){40,20000}+(?=-----END )"
        r"|(?:[\s\"'+>|]|\\[nrt])*+(?:[A-Za-z0-9+/=]{16,}+(?:[\s\"'+>|]|\\[nrt])*+)+)",
    ),
    kind(
        "private key",
        "PuTTY-User-Key-File",
        r"PuTTY-User-Key-File-[23](?:[^P]|P(?!rivate-Lines|uTTY-)){0,4000}+"
        r"Private-Lines: [0-9]{1,4}(?:\\[nr]|\s)*+"
        r"(?P<secret>(?:[A-Za-z0-9+/=]{8,}+(?:\\[nr]|\s)*+)+)",
    ),
    kind(
        "mapbox token",
        "sk.eyJ",
        r"(?<![A-Za-z0-9])sk\.eyJ[A-Za-z0-9_\-]{30,400}\.[A-Za-z0-9_\-]{20,40}",
    ),
    prefixed("age key", "AGE-SECRET-KEY-1 AGE-PLUGIN-", r"[A-Z0-9\-]{40,200}"),
    kind(
        "json web token",
        "eyJ",
        rf"{START}eyJ[A-Za-z0-9_\-]{{8,4000}}\.eyJ[A-Za-z0-9_\-]{{8,8000}}\.[A-Za-z0-9_\-]{{10,2000}}",
    ),
    kind(
        "json web token",
        "eyJ",
        rf"{START}eyJ[A-Za-z0-9_\-]{{10,4000}}\.[A-Za-z0-9_\-]{{0,1000}}\.[A-Za-z0-9_\-]{{8,100}}"
        r"\.[A-Za-z0-9_\-]{16,8000}\.[A-Za-z0-9_\-]{16,100}",
    ),
)

_ACCESS: Final = (
    # The longest password wins: it may hold an @ itself.
    kind(
        "url password",
        "@",
        r"(?<=[A-Za-z0-9])://[^\s/:@\"'<>\\]{0,128}:(?P<secret>[^\s/\"'<>\\]{3,256})@[A-Za-z0-9\[_]",
        password=True,
    ),
    kind(
        "authorization header",
        "uthorization UTHORIZATION",
        r"(?i:authorization)[\"'`]{0,2}[ \t]{0,4}[:=,][ \t]{0,4}[\"'`]?"
        r"(?i:basic|bearer|token|digest|apikey)"
        r"[ \t]{1,4}(?P<secret>[A-Za-z0-9_\-.~+/]{16,4096}={0,2})",
        strict=True,
        opens=False,
    ),
    kind(
        "authorization header",
        "earer EARER",
        r"(?i:\bbearer)[ \t]{1,4}(?P<secret>[A-Za-z0-9_\-.~+/]{20,4096}={0,2})",
        strict=True,
        opens=False,
    ),
    kind(
        "login",
        "curl",
        r"\bcurl\b(?:(?!curl)[^\n]){0,200}?[ \t](?:-u|--user)[ =]{1,3}[\"']?"
        r"[^\s:\"']{1,100}:(?P<secret>[^\s\"']{3,200})",
        password=True,
        opens=False,
    ),
    kind(
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
    literal for kind in KINDS if kind.opens for literal in kind.literals if IN_RUN.match(literal)
)
# ... what stands beside a run of the others ...
MARKS: Final = tuple({literal for kind in KINDS for literal in kind.literals} - set(OPENINGS))
# ... and what does where there may be no long run.
ALONE: Final = (
    *("@", "curl", "login", "PRIVATE", "uthorization", "UTHORIZATION", "earer"),
    *("sntrys_", "glc_", "fm2_", "fm1r_", "fo1_", "ABSK", "whsec_"),
)
