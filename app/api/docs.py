"""The OpenAPI document as one page of HTML without scripts, fonts or anything from the internet."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from app.api.texts import GATES, KINDS, LANGUAGES

Json = Mapping[str, Any]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color-scheme:light dark}
code,pre{font:14px/1.4 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}
details{border:1px solid #8886;border-radius:.4rem;margin:.5rem 0;padding:.5rem .75rem}
summary{cursor:pointer}
.method{display:inline-block;min-width:4.5rem;font-weight:700}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #8886;padding:.35rem .5rem;text-align:left;vertical-align:top}
"""


def page(document: Json) -> str:
    """The page for a document of `openapi.document`."""
    title = escape(document["info"]["title"])
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title} {escape(document['info']['version'])}</h1>",
            f"<p>{_inline(document['info']['description'])}</p>",
            '<p><a href="/openapi.json">openapi.json</a></p>',
            *_operations(document),
            *_problems(),
            *_gates(),
            *_schemas(document["components"]["schemas"]),
            "</body></html>",
        ]
    )


def _operations(document: Json) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(
                "".join(_operation(path, method, operation))
            )
    for tag, shown in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>"
        yield from shown


def _operation(path: str, method: str, operation: Json) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary>'
    yield f'<span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
    yield f"{escape(operation['summary'])}</summary>"
    yield f"<p>{_inline(operation.get('description', ''))}</p>"
    if operation.get("parameters"):
        yield "<table><tr><th>parameter</th><th>in</th><th>schema</th></tr>"
        for p in operation["parameters"]:
            schema = escape(json.dumps(p["schema"], ensure_ascii=False))
            yield f"<tr><td><code>{escape(p['name'])}</code></td><td>{p['in']}</td>"
            yield f"<td><code>{schema}</code></td></tr>"
        yield "</table>"
    if "requestBody" in operation:
        yield "<h4>Body</h4>" + _content(operation["requestBody"]["content"])
    for status, answer in operation["responses"].items():
        yield f"<h4>{status} {escape(answer['description'])}</h4>"
        yield _content(answer.get("content", {}))
    yield "</details>"


def _content(content: Json) -> str:
    shown = []
    for media in content.values():
        ref = media["schema"].get("$ref", "").rsplit("/", 1)[-1]
        if ref:
            shown.append(f'<p><a href="#schema-{escape(ref)}">{escape(ref)}</a></p>')
        examples = [media["example"]] if "example" in media else []
        examples += [e["value"] for e in media.get("examples", {}).values()]
        shown += [_pre(example) for example in examples]
    return "".join(shown)


def _problems() -> Iterator[str]:
    yield "<h2>Problems</h2><table><tr><th>type</th><th>status</th><th>what it says</th></tr>"
    for name, kind in KINDS.items():
        said = "<br>".join(
            f'<span lang="{language}">{escape(getattr(kind.title, language))}. '
            f"{escape(getattr(kind.detail, language))}</span>"
            for language in LANGUAGES
        )
        yield f'<tr id="{name}"><td><code>/docs#{name}</code></td><td>{kind.status}</td>'
        yield f"<td>{said}</td></tr>"
    yield "</table>"


def _gates() -> Iterator[str]:
    yield "<h2>Gates</h2><table><tr><th>gate</th><th>what it says</th></tr>"
    for name, text in GATES.items():
        said = "<br>".join(
            f'<span lang="{language}">{escape(getattr(text, language))}</span>'
            for language in LANGUAGES
        )
        yield f"<tr><td><code>{escape(name.split('.')[1])}</code></td><td>{said}</td></tr>"
    yield "</table>"


def _schemas(schemas: Json) -> Iterator[str]:
    yield "<h2>Schemas</h2>"
    for name, schema in sorted(schemas.items()):
        yield f'<details id="schema-{escape(name)}"><summary>{escape(name)}</summary>'
        yield f"<p>{escape(schema.get('description', ''))}</p>{_pre(schema)}</details>"


def _pre(value: object) -> str:
    shown = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return f"<pre>{escape(shown)}</pre>"


def _inline(text: str) -> str:
    """Plain text with `code` in back quotes."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
