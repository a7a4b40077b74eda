"""The words of the generated memories: software work as people write it down. Data alone.

Order matters: a list's first words are picked far more often than its last, as in real text. Nouns
form their plural and verbs their past by rule, so only regular ones are here.
"""

from typing import Final

SYSTEM_NOUNS: Final = tuple(
    """
    service queue cache index worker token query table migration endpoint job request schema
    pipeline retry timeout webhook session cluster broker replica shard partition topic consumer
    producer scheduler gateway proxy certificate secret deployment container image volume snapshot
    backup restore checkpoint cursor transaction deadlock lock lease heartbeat quorum leader
    follower failover threshold alert dashboard metric trace span log counter histogram budget
    quota limiter throttle circuit fallback feature flag toggle experiment cohort variant
    rollout rollback hotfix patch release branch tag changelog artifact registry mirror manifest
    chart template module package dependency lockfile linter formatter compiler bundler
    interpreter runtime sandbox emulator simulator fixture mock stub assertion benchmark profiler
    debugger breakpoint stacktrace exception warning overflow underflow leak race regression
    crash panic outage incident postmortem runbook playbook pager rotation handover escalation
    invoice payment refund ledger receipt voucher subscription tenant account profile avatar
    password passkey login logout permission role policy scope audit redirect cookie header
    payload envelope body checksum digest signature cipher nonce salt vault keyring bucket
    object blob upload download stream buffer socket port firewall subnet router resolver
    balancer ingress egress sidecar daemon cronjob trigger listener handler middleware
    interceptor decorator factory adapter wrapper iterator generator coroutine thread mutex
    semaphore latch barrier pool arena allocator heap stack frame register opcode parser lexer
    grammar tokenizer embedding vector cosine classifier model prompt corpus label sample batch
    epoch gradient checkpointing inference reranker sitemap crawler feed digest newsletter
    notification inbox mailbox attachment thumbnail codec transcoder playlist caption viewport
    layout grid sidebar modal dropdown tooltip button checkbox slider spinner banner breadcrumb
    shortcut clipboard palette locale currency timezone calendar reminder geofence waypoint
    sensor firmware bootloader actuator relay gauge meter battery charger antenna modem
    """.split()
)

OTHER_NOUNS: Final = tuple(
    """
    team customer decision reason problem change review plan deadline meeting document page report
    number result question answer rule exception detail example habit owner contractor
    vendor contract license budget estimate invoice quarter sprint milestone roadmap ticket
    backlog standup retrospective workshop interview onboarding mentor intern colleague manager
    auditor lawyer designer analyst operator translator warehouse office factory hospital airport
    shop bakery school library museum harbour railway depot garage kitchen weekend holiday
    morning afternoon evening winter summer storm heatwave flood strike election audit
    promise complaint compliment rumour surprise mistake workaround compromise shortcut trick
    guideline checklist diagram sketch screenshot recording transcript spreadsheet slide
    envelope folder drawer shelf ladder bridge tunnel engine wheel mirror window curtain lamp
    candle bottle basket blanket pocket button ribbon needle hammer anchor compass lantern
    """.split()
)

VERBS: Final = tuple(
    """
    move change add remove fix update check deploy test restart replace rename migrate cache queue
    retry block merge revert release enable disable allow require use prefer trust pin
    bump install configure document review approve reject assign schedule postpone cancel
    reopen close escalate investigate reproduce isolate trace log monitor alert measure profile
    benchmark optimise refactor simplify extract inline duplicate deprecate archive restore export
    import convert encode decode encrypt decrypt sign verify validate sanitise escape parse
    format render publish subscribe acknowledge confirm dispatch route forward redirect
    throttle limit batch stream buffer flush truncate compact vacuum index reindex partition
    replicate mirror snapshot seed mock stub patch hotfix rebase squash cherry-pick annotate
    translate localise print scan copy paste paginate collapse expand highlight preload prefetch
    suspend resume terminate spawn fork attach detach mount unmount allocate claim
    reserve charge bill refund credit settle reconcile notify remind greet invite onboard offboard
    """.split()
)

ADJECTIVES: Final = tuple(
    """
    new old slow fast stale broken flaky missing wrong default empty large small internal
    external public private nightly weekly daily monthly shared local remote global idle busy hot
    cold warm fresh dirty clean safe unsafe strict loose optional mandatory deprecated legacy
    experimental stable unstable temporary permanent partial complete duplicate unique orphaned
    expired revoked pending failed successful noisy quiet silent verbose early late urgent
    minor major critical obscure surprising tedious elegant clumsy fragile robust redundant
    idempotent atomic eventual consistent immutable mutable nullable recursive concurrent
    sequential parallel distributed centralised regional synthetic anonymous encrypted compressed
    truncated malformed oversized undersized misleading undocumented untested unreachable
    reversible irreversible transparent opaque granular coarse narrow wide shallow deep steep
    """.split()
)

ADVERBS: Final = tuple(
    """
    usually always never often rarely silently slowly quickly twice once only still again soon
    manually automatically explicitly implicitly eagerly lazily partially completely barely
    roughly exactly deliberately accidentally reluctantly immediately eventually occasionally
    """.split()
)

TECHNOLOGIES: Final = tuple(
    """
    PostgreSQL Redis Kafka Docker Kubernetes Terraform Python TypeScript Rust Go React Django
    FastAPI SQLite NATS RabbitMQ Elasticsearch Grafana Prometheus Sentry Stripe GitHub Jenkins
    Ansible Nginx Envoy Istio Consul Vault MinIO Cassandra ClickHouse DuckDB Snowflake Airflow dbt
    Spark Flink Celery Temporal GraphQL gRPC Protobuf Avro Parquet OAuth SAML WebAuthn OpenAPI
    Playwright Cypress Pytest Vitest Webpack Vite ESLint Prettier Ruff Mypy Poetry Bazel Gradle
    Maven Kotlin Swift Flutter Electron Tailwind Svelte Angular Rails Laravel Spring Quarkus
    Elixir Erlang Haskell Scala Zig WebAssembly TensorFlow PyTorch ONNX LangChain Ollama Debian
    Alpine Fedora NixOS FreeBSD systemd WireGuard Cloudflare Fastly Hetzner Heroku Netlify Okta
    Auth0 Twilio SendGrid Mailgun Slack Jira Linear Notion Figma PagerDuty Opsgenie Datadog
    """.split()
)

PEOPLE: Final = tuple(
    """
    Priya Tomasz Amina Jonas Mei Carlos Ingrid Yusuf Chloe Dmitri Fatima Hiro Lena Marcus Noor
    Olga Pavel Quinn Rosa Sven Tariq Uma Viktor Wanda Xavier Yara Zoltan Adaeze Bram Celeste
    Diego Elif Farid Greta Hamid Isolde Javier Katya Lucien Mireille Nikhil Oriol Petra Rashid
    Saoirse Tadeo Ulrike Vasco Wiebke Yevgenia Anouk Balazs Chidi Dagny Emeka Freya Gaspard
    """.split()
)

SERVICE_NAMES: Final = tuple(
    """
    billing checkout catalog search identity ledger orders shipping inventory pricing payments
    notifications reporting ingest export media profile messaging calendar maps tracking risk
    fraud support feedback loyalty coupons partners fleet telemetry weather routing dispatch
    warehouse returns tax payroll hiring learning survey content archive studio gallery forum
    heron falcon otter badger lynx marten osprey plover curlew kestrel basalt granite quartz
    topaz amber cobalt indigo saffron juniper hazel rowan alder sequoia meridian zenith solstice
    """.split()
)
SERVICE_KINDS: Final = tuple(
    "api worker gateway sync web jobs store proxy admin cli bot relay edge core".split()
)

CATEGORIES: Final = tuple(
    """
    decision convention architecture incident lesson preference command bug person runbook
    dependency environment requirement glossary contact
    """.split()
)

TIMES: Final = (
    "last week",
    "on Tuesday",
    "in March",
    "since the audit",
    "before every release",
    "during peak hours",
    "after the reorganisation",
    "in the second quarter",
    "over the weekend",
    "at the end of each month",
    "since version {version}",
    "until {person} is back",
    "after incident {ticket}",
    "in the staging cluster",
    "on the customer's own hardware",
    "when two regions disagree",
    "whenever {service} is redeployed",
    "on Windows runners",
    "for tenants with more than {number} users",
    "within {duration}",
    "near midnight UTC",
    "once the contract with the vendor ends",
    "behind the flag {snake}",
    "on ARM machines",
)
REASONS: Final = (
    "because the {noun} was {adjective}",
    "so that {service} can {verb} without the {noun}",
    "since {technology} does not {verb} {adjective} {nouns}",
    "because {person} found {number} {adjective} {nouns} in production",
    "as the {other} asked for it",
    "to keep the {noun} under {duration}",
    "although the {other} would rather {verb} it",
    "which saved about {size} of memory",
    "because {camel} swallowed the error {code}",
    "or else the {noun} will {verb} {adverb}",
    "and nobody noticed for {duration}",
    "which the {other} calls the {adjective} {noun}",
    "unless {constant} is set to {number}",
    "and {person} wrote the {other} for it",
    "since the {nouns} in {path} assume it",
    "because the {noun} counts against our quota",
)
SENTENCES: Final = (
    "we {past} the {noun} of {service} to {technology}",
    "{service} {adverb} {verbs} its {nouns} through {technology}",
    "the {adjective} {noun} in {path} must not {verb} the {noun}",
    "{person} {past} {camel} and {past} the {adjective} {nouns}",
    "use {snake} instead of {snake} when you {verb} a {noun}",
    "the {noun} {verbs} after {duration} with {code}",
    "{technology} {version} broke the {noun} between {service} and {service}",
    "set {constant} to {number} before you {verb} the {adjective} {noun}",
    "every {noun} needs a {adjective} {noun} and a {other}",
    "the {other} from {person} says that {nouns} are {past} {adverb}",
    "never {verb} {nouns} by hand",
    "{service} listens on port {port} and {verbs} {nouns} for the {other}",
    "the root cause of {ticket} was a {adjective} {noun} in {camel}",
    "{person} prefers {adjective} {nouns} over {adjective} {nouns}",
    "run `{tool} {verb} --{flag} {snake}` to {verb} the {noun}",
    "ask {person} before anyone {verbs} the {noun} of the {other}",
    "our {other} is that a {noun} gets {past} within {duration}",
    "a {noun} over {size} is {past} and the {other} gets a {adjective} {noun}",
    "{camel} holds the {noun} while {camel} {verbs} the {nouns}",
    "the {technology} {noun} is {adjective} and costs {number} euros a month",
    "we chose {technology} over {technology} for the {adjective} {noun}",
    "if the {noun} is {adjective}, {verb} {service} and look at {path}",
    "the {nouns} of {service} are {past} {adverb} by {service}",
    "tests for {camel} live in {path} and need a {adjective} {noun}",
    "{number} of {number} {nouns} were {adjective} when {person} {past} them",
    "the {other} moved to {ticket}",
    "do not {verb} {snake}, it is {adjective} and {camel} depends on it",
    "both {person} and {person} {past} the {noun} without a {other}",
)
QUESTIONS: Final = (
    "why did we {verb} the {0} {1}",
    "what did {person} say about {0} and {1}",
    "how do I {verb} {0} {1} {2}",
    "which {noun} does {0} use for {1}",
    "what went wrong with {0} {1} and {2}",
    "is there a rule about {0} {1}",
    "where is the {noun} for {0} {1}",
    "who knows about {0} in {1}",
    "what should I check before I {verb} {0} {1}",
    "{0} {1} {2}",
    "did anyone {verb} the {adjective} {0} after {1}",
    "tell me how {0} and {1} work together",
    "{0} {1} fails with a {adjective} {noun}",
    "our decision on {0} versus {1} for the {noun}",
    "the {0} is {adjective} again, what helped with {1}",
    "settings of {0} for {1} {2} {3}",
)
TOOLS: Final = ("make", "uv", "npm", "cargo", "kubectl", "docker", "git", "terraform", "just")
FLAGS: Final = ("force", "dry-run", "only", "from", "env", "profile", "region", "since", "jobs")
FOLDERS: Final = ("src", "services", "libs", "infra", "tests", "docs", "tools", "web", "proto")
SUFFIXES: Final = ("py", "ts", "go", "rs", "sql", "yaml", "toml", "md", "tf", "proto")
MEASURES: Final = ("MAX", "MS", "LIMIT", "BYTES", "PER_SECOND")
