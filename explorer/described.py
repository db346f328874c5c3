"""The API's OpenAPI description as a person reads it: operations by their tags, parameters and forms in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

Schema = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """A parameter, or a part of a body or of an answer. `form` names what it consists of, if that has a name."""

    name: str
    kind: str
    form: str | None
    description: str
    is_required: bool = False


@dataclass(frozen=True)
class Operation:
    """What may be asked; `example` is an address, or for a change the JSON to send."""

    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    has_filters: bool
    needs_token: bool
    example: str
    answer: Field


def operations(described: Schema, tag: str, filters: Iterable[str]) -> Iterator[Operation]:
    """Yield the operations with a tag; parameters that are filters are left to a section of their own."""
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            if tag in one["tags"]:
                yield _operation(described, method.upper(), path, one, set(filters))


def filter_fields(described: Schema, path: str, filters: Iterable[str]) -> list[Field]:
    """Return the filters, as one operation takes them."""
    wanted = set(filters)
    return [_parameter(one) for one in described["paths"][path]["get"]["parameters"] if one["name"] in wanted]


def forms(described: Schema) -> dict[str, tuple[str, list[Field]]]:
    """Return what answers and bodies consist of: name -> description and fields."""
    return {
        _name(key): (form.get("description", ""), _fields(form))
        for key, form in sorted(described["components"]["schemas"].items())
        if "properties" in form and not key.startswith(("HTTPValidation", "ValidationError"))
    }


def _operation(described: Schema, method: str, path: str, one: Schema, filters: set[str]) -> Operation:
    parameters = one.get("parameters", [])
    body = one.get("requestBody", {}).get("content", {}).get("application/json", {})
    form = described["components"]["schemas"].get(_reference(body.get("schema", {})) or "", {})
    own = [_parameter(parameter) for parameter in parameters if parameter["name"] not in filters]
    return Operation(
        method,
        path,
        one["summary"],
        one["description"],
        (*own, *_fields(form)),
        any(parameter["name"] in filters for parameter in parameters),
        "security" in one,
        _example_body(body, form) if body else _example_address(path, parameters),
        _field("", one["responses"]["200"]["content"]["application/json"]["schema"]),
    )


def _parameter(one: Schema) -> Field:
    return _field(one["name"], {**one["schema"], "description": one["description"]}, one["required"])


def _fields(form: Schema) -> list[Field]:
    required = form.get("required", ())
    return [_field(name, schema, name in required) for name, schema in form.get("properties", {}).items()]


def _field(name: str, schema: Schema, is_required: bool = False) -> Field:
    form = next(filter(None, map(_reference, _parts(schema))), None)
    described = schema.get("description", "")
    return Field(name, _kind(schema), form and _name(form), described, is_required)


def _kind(schema: Schema) -> str:
    """Say in words what a value is, and in brackets what it is if nothing is given."""
    if "anyOf" in schema:
        said = " or ".join(_kind(one) for one in schema["anyOf"] if one != {"type": "null"})
    elif reference := _reference(schema):
        said = _name(reference)
    elif "enum" in schema:
        said = ", ".join(schema["enum"])
    elif schema.get("type") == "array":
        said = f"list of {_kind(schema.get('items', {}))}"
    elif isinstance(schema.get("additionalProperties"), dict):
        said = f"object of {_kind(schema['additionalProperties'])}"
    else:
        said = str(schema.get("type", "any"))
    default = schema.get("default")
    return said if default in (None, [], False) else f"{said} ({default})"


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    for one in [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(one, dict):
            yield from _parts(one)


def _reference(schema: Schema) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


def _name(key: str) -> str:
    """Write the name of a form: Answer_TopRow_ is an Answer of TopRow.

    >>> _name("Answer_TopRow_")
    'Answer of TopRow'
    """
    return key.strip("_").replace("_", " of ")


def _example_address(path: str, parameters: Iterable[Schema]) -> str:
    values = {one["name"]: one["schema"]["examples"][0] for one in parameters if "examples" in one["schema"]}
    inside = [name for name in values if f"{{{name}}}" in path]
    for name in inside:
        path = path.replace(f"{{{name}}}", str(values.pop(name)))
    return f"{path}?{urlencode(values, doseq=True, safe=':=*')}" if values else path


def _example_body(body: Schema, form: Schema) -> str:
    if "examples" in body:
        value: Any = next(iter(body["examples"].values()))["value"]
    else:
        value = {name: _example(schema) for name, schema in form["properties"].items() if name in form["required"]}
    return json.dumps(value, ensure_ascii=False)


def _example(schema: Schema) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    return [_example(schema["items"])] if schema.get("type") == "array" else 1
