"""Any memory at all becomes a note and the same memory again."""

import json

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mimir_py.entities.models import ATTRIBUTES, Entity, Identity, Link
from mimir_py.errors import TransferError
from mimir_py.security import Trust
from mimir_py.vault import edits, frontmatter, notes
from mimir_py.vault.jsonl import Record, Version

# Without shrinking: whole memories take minutes to shrink, and a failing one says enough.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_EXAMPLES = 80
_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
_TEXT = st.text(_STORABLE, max_size=20) | st.sampled_from(
    [
        "---\nkey: value\n---",
        "\n---\n",
        "line one\r\nline two\u2028three\u2029four\x85five\x0bsix\x1cseven",
        "- a\n- b: {c: d}",
        "key: |\n  block",
        *(
            "yes",
            "null",
            "~",
            "NaN",
            "0x1f",
            "1e3",
            "2024",
            "2024-01-02",
            ".5",
            "&a",
            "*a",
            "!!str",
        ),
        "!!python/object:os.system",
        "\ufeffmark",
        "## Links\n\n- [[x]] (y)",
        '## Record\n\n```json\n{"field": "key", "value": "taken"}\n```',
        "[[mem-1|a]] (b)",
        "0|",
        ") \u2014 unresolved",
        "🚀 数据库 résumé",
        '"quoted" \\ back\\slash \\u0041',
        "\x01\x02\x7f\ufffe",
        "x" * 3000,
        " spaces around ",
        "../../etc/passwd",
    ]
)
_NAME = _TEXT.filter(bool)
_UNIT = st.floats(0, 1)
_TIME = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(0, 2 * 10**12)
_ID = st.from_regex(r"(mem|lnk)-[0-9a-f]{12}", fullmatch=True) | _NAME
_BODY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
).flatmap(
    lambda value: st.sampled_from(
        [
            json.dumps(value),
            json.dumps(value, ensure_ascii=False, indent=2),
            f" \r\n{json.dumps(value)}\t\n\n",
        ]
    )
)
_LINKS = st.lists(
    st.builds(
        Link,
        _ID,
        st.sampled_from(["depends_on", "related"]) | _TEXT,
        st.just(0.5) | _UNIT,
        st.just("") | _TEXT,
        st.just(1_760_000_000_000) | _TIME.filter(bool),
    ),
    max_size=3,
    unique_by=lambda link: (link.target_id, link.relationship),
).map(tuple)
_KINDS = {"float": _UNIT, "int": st.integers(0, 2**53), "str": _TEXT, "bool": st.booleans()}


def _strategy(name):
    if name in ("key", "category"):
        return _NAME
    if name.endswith("_unix_ms"):
        time = st.just(1_760_000_000_000) | _TIME
        return time if name.startswith(("created", "last", "recorded")) else st.none() | time
    special = {
        "body_json": _BODY,
        "links": _LINKS,
        "tags": st.lists(_TEXT, max_size=3).map(tuple),
        "trust": st.sampled_from(Trust),
    }
    return special[name] if name in special else _KINDS[Entity.__annotations__[name].__name__]


_ENTITIES = st.fixed_dictionaries(
    {"row_id": st.just(0), "id": _ID, **{name: _strategy(name) for name in ATTRIBUTES}}
).filter(lambda v: None in _period(v) or _period(v)[0] < _period(v)[1])


def _period(values):
    return values["valid_from_unix_ms"], values["valid_to_unix_ms"]


_IDENTITIES = st.builds(Identity, _NAME, _NAME, _TEXT)
_RECORDS = st.builds(
    Record,
    _ENTITIES.map(lambda values: Entity(**values)),
    st.lists(st.tuples(_IDENTITIES, _TIME), max_size=2).map(tuple),
    st.lists(
        st.builds(Version, _NAME, _ENTITIES.map(lambda values: Entity(**values))), max_size=2
    ).map(tuple),
)


def _never(prefix):
    raise AssertionError(prefix)


def _again(text):
    note = notes.read(text, "default")
    record = edits.record_of(note, _never, lambda: 0, Trust.FILE)
    return note, record


@given(record=_RECORDS, keys=st.dictionaries(_ID, _TEXT, max_size=2))
@settings(max_examples=_EXAMPLES, deadline=None, phases=_PHASES)
def test_any_memory_comes_back_from_its_note(record, keys):
    text = notes.write(record, keys, Trust.FILE)

    note, again = _again(text)

    assert notes.write(again, keys, Trust.FILE) == text
    for name in ATTRIBUTES:
        if name != "trust":
            assert getattr(again.entity, name) == getattr(record.entity, name), name
    assert again.entity.id == record.entity.id
    assert again.entity.trust == min(record.entity.trust, Trust.FILE)
    assert again.aliases == record.aliases
    assert [v.history_id for v in again.history] == [v.history_id for v in record.history]
    assert note.base == notes.fingerprint(again.entity) == notes.fingerprint(record.entity)


@given(record=_RECORDS)
@settings(max_examples=_EXAMPLES, deadline=None, phases=_PHASES)
def test_windows_line_ends_and_trailing_space_are_no_edit(record):
    text = notes.write(record, {}, Trust.FILE)

    note, again = _again("\ufeff" + text.replace("\n", "\r\n") + "\r\n\r\n")

    assert notes.fingerprint(again.entity) == note.base


@given(record=_RECORDS)
@settings(max_examples=_EXAMPLES, deadline=None, phases=_PHASES)
def test_the_head_is_short_yaml_and_the_lines_read_as_yaml_says(record):
    head, _ = frontmatter.split(notes.write(record, {}, Trust.FILE))

    assert len(head.encode()) <= frontmatter.MOST_BYTES
    assert frontmatter._by_line(head) == frontmatter._as_yaml(head)
    assert isinstance(YAML(typ="safe", pure=True).load(head), dict)


@given(text=_TEXT | st.text())
@settings(max_examples=_EXAMPLES, deadline=None, phases=_PHASES)
@example("---\n---\n")
@example("---\nmimir: page\n---\n")
@example("---\nkey: a\nlinks: b\n---\n- [[a]]")
def test_any_text_is_a_note_or_refused(text):
    for whole in (text, f"---\n{text}\n---\n{text}", f"---\nmimir: v1-0\n---\n{text}"):
        try:
            note = notes.read(whole, "default")
        except TransferError:
            continue
        assert note is None or note.values["body_json"]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("a: &x 1\nb: *x", "anchor"),
        ("a: [&a [x, x], *a]", "anchor"),
        ("key: !!python/object/apply:os.system [id]", "type tag"),
        ("key: !x y", "type tag"),
        ("key: a\nkey: b", "twice"),
        ("- a", "not a map"),
        ("key: [", "not YAML"),
        ("? [a, b]\n: c", "no text"),
        ("key: " + "[" * 40 + "]" * 40 + " # deep", "nested"),
        ("x: " + "y" * 70_000, "65536"),
        ("certainty: often", "certainty"),
        ("valid_from: tomorrow", "valid_from"),
        ("certainty: [1]", "one value"),
    ],
)
def test_a_head_that_is_refused_says_why(head, reason):
    with pytest.raises(TransferError, match=reason):
        notes.read(f"---\n{head}\n---\n\nbody\n", "default")


@pytest.mark.parametrize("text", ["", "body", "---\nkey: a\n", "--- x\n---\n", "---"])
def test_a_file_without_a_whole_head_is_refused(text):
    with pytest.raises(TransferError, match="front matter"):
        notes.read(text, "default")


def test_a_note_of_the_published_format_is_read():
    text = (
        "---\nid: mem-3f9a1c0d77e2\ncategory: decision\nkey: queue: the one\ntype: insight\n"
        'workspace_hash: \nagent_id: \ntags: ["infra"]\ndecay_score: 0.5000\nretrieval_count: 2\n'
        "layer: buffer\ncreated: 2025-10-09T08:53:20Z\nlast_accessed: 2025-10-09T08:53:20Z\n---\n\n"
        '{"content":"use NATS"}\n\n## Links\n\n- [[mem-b2c3d4e5f607|broker]] (depends_on)\n'
        "- [[mem-gone]] (related) \u2014 unresolved\n"
    )

    note, record = _again(text)

    entity = record.entity
    assert (entity.key, entity.tags, entity.retrieval_count) == ("queue: the one", ("infra",), 2)
    assert entity.body_json == '{"content":"use NATS"}'
    assert entity.created_at_unix_ms == 1_760_000_000_000
    assert [(link.target_id, link.relationship) for link in entity.links] == [
        ("mem-b2c3d4e5f607", "depends_on"),
        ("mem-gone", "related"),
    ]
    assert note.base == ""


def test_a_note_is_as_published_with_more_after(make_entity):
    record = Record(make_entity())

    assert notes.write(record, {"mem-b2c3d4e5f607": "bro]]ker\n"}, Trust.FILE) == (
        "---\nid: mem-3f9a1c0d77e2\ncategory: decision\nkey: queue\ntype: insight\n"
        'workspace_hash: \nagent_id: \ntags: ["infra"]\ndecay_score: 0.5000\nretrieval_count: 2\n'
        "layer: buffer\ncreated: 2025-10-09T08:53:20Z\nlast_accessed: 2025-10-09T08:53:20Z\n"
        'aliases: ["queue"]\n'
        f"mimir: v1-{notes.fingerprint(record.entity)}\n---\n\n"
        '{"content":"use NATS"}\n\n## Links\n\n- [[mem-b2c3d4e5f607|bro ker]] (depends_on)\n'
        "- [[mem-gone]] (related) \u2014 unresolved\n"
    )


@pytest.fixture
def make_entity():
    from mimir_py.entities.models import Draft
    from mimir_py.entities.versioning import new_entity

    def make():
        draft = Draft(Identity("decision", "queue", ""), '{"content":"use NATS"}', tags=("infra",))
        entity = new_entity(draft, "mem-3f9a1c0d77e2", 1_760_000_000_000)
        links = tuple(
            Link(target, kind, created_at_unix_ms=1_760_000_000_000)
            for target, kind in [("mem-b2c3d4e5f607", "depends_on"), ("mem-gone", "related")]
        )
        return Entity(**{**vars(entity), "links": links, "retrieval_count": 2})

    return make
