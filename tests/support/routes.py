"""Requests to every route that there is, made from the routes and their description.

What a parameter or a field of a body is filled with stands in tables of the tests. A name that no
table has is an error that says so: whoever adds a route meets it, and a new route is attacked
without anybody remembering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from camkeep.server.web.guard import Guarded, routes_of

JSON = "application/json"


class NotInTable(AssertionError):
    """A route has something that no table says how to fill."""

    def __init__(self, route: Guarded, what: str) -> None:
        super().__init__(
            f"{'/'.join(route.methods) or 'WebSocket'} {route.path}: nobody knows how to fill "
            f"{what}: add it to the tables of the test that told this"
        )


@dataclass(frozen=True)
class Described:
    """An operation, as the description of the API has it."""

    route: Guarded
    method: str
    operation: Mapping[str, Any]
    schema: Mapping[str, Any]
    """The whole description."""

    @property
    def lasting(self) -> bool:
        """Whether it may never end: what plays while it comes."""
        return bool(self.operation.get("x-lasting"))

    def query(self) -> dict[str, bool]:
        """The names of the parameters in its query, and whether it must have them; without whole
        numbers, which are no ids, where they may be left away."""
        found = [
            each
            for each in self.operation.get("parameters", ())
            if each["in"] == "query"
            and (each.get("required") or each["schema"].get("type") != "integer")
        ]
        return {each["name"]: bool(each.get("required")) for each in found}

    def body(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The least body that it takes; None where it takes none."""
        content = self.operation.get("requestBody", {}).get("content", {})
        if JSON not in content:
            return None
        model = self._resolved(content[JSON]["schema"])
        required = [*model.get("required", ()), *(n for n in model["properties"] if n in values)]
        return {name: self._value(name, model, values) for name in dict.fromkeys(required)}

    def _value(self, name: str, model: Mapping[str, Any], values: Mapping[str, Any]) -> Any:
        if name in values:
            return values[name]
        of = self._resolved(model["properties"][name])
        if "enum" in of:
            return of["enum"][0]
        if of.get("type") == "boolean":
            return True
        raise NotInTable(self.route, f"the field {name} of its body")

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            found: Any = self.schema
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema


def described(app: FastAPI) -> list[Described]:
    """All operations; one that is not described has no parameters in its query and no body."""
    schema = app.openapi()
    return [
        Described(route, method, _operation(schema, route, method), schema)
        for route in routes_of(app)
        if not route.mount
        for method in route.methods or ("WEBSOCKET",)
    ]


def _operation(schema: Mapping[str, Any], route: Guarded, method: str) -> Mapping[str, Any]:
    operations = schema["paths"].get(route.path, {})
    found: Mapping[str, Any] = operations.get("get" if method == "HEAD" else method.lower(), {})
    return found


def path_of(route: Guarded, values: Mapping[str, str]) -> str:
    """The path of a route with `values` for its parameters. Raises NotInTable."""
    path = route.path
    for name in route.parameters:
        if name not in values:
            raise NotInTable(route, f"the parameter {name} of its path")
        for written in (f"{{{name}}}", f"{{{name}:path}}"):
            path = path.replace(written, values[name])
    return path
