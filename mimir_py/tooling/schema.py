"""JSON schemas for the listing, as short as clients can use: hosts put every byte into a prompt."""

import json
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

from mimir_py.tooling.tool import AnyTool
from mimir_py.values import MAX_UNIX_MS

MOST_OUTPUT_BYTES: Final = 90

_JSON_TYPES: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    tuple: "array",
    type(None): "null",
}


def input_schema(tool: type[AnyTool]) -> dict[str, Any]:
    """The arguments, without pydantic's titles, null branches and absent defaults."""
    schema = tool.model_json_schema()
    definitions = schema.get("$defs", {})
    properties = {
        name: _short(value, definitions) for name, value in schema.get("properties", {}).items()
    }
    properties |= tool.shared_arguments()
    short: dict[str, Any] = {"type": "object", "properties": properties}
    if schema.get("required"):
        short["required"] = schema["required"]
    return short


def output_schema(tool: type[AnyTool]) -> dict[str, Any]:
    """The top level of the answer, as far as `MOST_OUTPUT_BYTES` go.

    No field is required, since an error answer has none of them.
    """
    answer = typing.get_type_hints(tool.run)["return"]
    properties: dict[str, Any] = {}
    schema = {"type": "object", "properties": properties}
    for name, kind in typing.get_type_hints(answer).items():
        properties[name] = {"type": _json_type(kind)}
        if len(json.dumps(schema, separators=(",", ":"))) > MOST_OUTPUT_BYTES:
            del properties[name]
            break
    return schema


def _json_type(kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return [_json_type(part) for part in typing.get_args(kind)]
    return _JSON_TYPES.get(origin or kind, "object")


def _short(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_short(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = definitions[value["$ref"].rsplit("/", 1)[1]]
        value = {**{k: v for k, v in target.items() if k != "description"}, **value}
        del value["$ref"]
    branches = value.get("anyOf")
    if branches is not None:
        [branch, *others] = [b for b in branches if b.get("type") != "null"]
        if not others:
            rest = {name: inner for name, inner in value.items() if name != "anyOf"}
            return _short({**branch, **rest}, definitions)
    return {
        name: _short_properties(inner, definitions)
        if name == "properties"
        else _short(inner, definitions)
        for name, inner in value.items()
        if not _is_noise(name, inner)
    }


def _is_noise(name: str, value: Any) -> bool:
    """Whether a schema keyword tells a caller nothing: every integer fits 64 bits."""
    if name in ("title", "additionalProperties"):
        return True
    # Left out is as good as empty, or no.
    return (name == "default" and (value is None or value is False or value == "")) or (
        name in ("minimum", "maximum") and abs(value) == MAX_UNIX_MS
    )


def _short_properties(properties: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    # Names here are arguments; one may well be called `title`.
    return {name: _short(value, definitions) for name, value in properties.items()}
