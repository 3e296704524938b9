"""OpenAPI: what Litestar derives from the handlers, completed by what every operation shares."""

import inspect
from collections.abc import Iterator

import msgspec
from litestar import Litestar
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Reference,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType
from litestar.routes import HTTPRoute

_METHODS = ("get", "put", "post", "delete", "patch")
_ENVELOPE = "ErrorEnvelope"


def openapi_config(version: str) -> OpenAPIConfig:
    """Return the configuration: the schema is served at /schema/openapi.json."""
    bearer = SecurityScheme(
        type="http", scheme="bearer", bearer_format="JWT", description="The access token of a login."
    )
    return OpenAPIConfig(
        title="Parlour",
        version=version,
        description="Rooms, messages and calls in real time. Errors are `{error: {code, message}}`; codes are permanent.",
        use_handler_docstrings=True,
        components=Components(security_schemes={"bearer": bearer}),
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    )


def complete_schema(application: Litestar) -> None:
    """Give every operation its error answer, and the security requirement where its handler declares `principal`; describe the shapes."""
    schema = application.openapi_schema
    docstrings = {
        (kind.__name__, frozenset(kind.__struct_encode_fields__)): inspect.cleandoc(kind.__doc__)
        for kind in _structs(msgspec.Struct)
        if kind.__doc__
    }
    for name, component in schema.components.schemas.items():
        if component.properties:
            component.description = docstrings.get((name, frozenset(component.properties)), component.description)
    schema.components.schemas[_ENVELOPE] = _envelope()
    error = OpenAPIResponse(
        description="An error.",
        content={"application/json": OpenAPIMediaType(schema=Reference(ref=f"#/components/schemas/{_ENVELOPE}"))},
    )
    for path, item in (schema.paths or {}).items():
        for method in _METHODS:
            operation: Operation | None = getattr(item, method)
            if operation is None:
                continue
            responses = operation.responses or {}
            # What Litestar writes for a validation error is its own form, which is never sent.
            operation.responses = {
                status: response for status, response in responses.items() if not status.startswith("4")
            } | {"default": error}
            if _asks_who(application, path, method):
                operation.security = [{"bearer": []}]


def _structs(root: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _structs(kind)


def _asks_who(application: Litestar, path: str, method: str) -> bool:
    for route in application.routes:
        if isinstance(route, HTTPRoute) and route.path_format == path:
            for handler in route.route_handlers:
                if method.upper() in handler.http_methods:
                    return "principal" in handler.parsed_fn_signature.parameters
    return False


def _envelope() -> Schema:
    text, number = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.NUMBER)
    body = Schema(
        type=OpenAPIType.OBJECT,
        required=["code", "message"],
        properties={
            "code": text,
            "message": text,
            "retry_after": number,
            "details": Schema(type=OpenAPIType.OBJECT),
        },
    )
    return Schema(type=OpenAPIType.OBJECT, required=["error"], properties={"error": body})
