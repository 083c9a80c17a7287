"""Header rules that several routes share: entity tags, links, and the version of the data."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from medkg import __version__
from medkg.services.explore import Page

__all__ = ["cached", "matches", "page_links", "safety"]

# No page of ours loads anything from elsewhere, and no script runs in one.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def safety(content_type: str) -> Mapping[str, str]:
    """Return the headers that every answer has, and a page more of them."""
    fields = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    if content_type.startswith("text/html"):
        fields["Content-Security-Policy"] = _POLICY
    return fields


def cached(
    request: Request, version: int, response: Response, *, vary: str = "Accept, Accept-Language"
) -> Response:
    """Tag *response* with the version of the data, and answer 304 when the client has it already.

    The tag is weak: it covers the address, what was negotiated, the data and the software.  Without versions
    that tell everything there is none.
    """
    app = request.scope.get("app")
    if app is not None and not app.state.context.engine.versioned:
        response.headers.update({"Vary": vary, "Cache-Control": "no-cache"})
        return response
    seen = [str(version), __version__, str(request.url)]
    seen += [request.headers.get(name, "") for name in ("accept", "accept-language")]
    tag = f'W/"{version}-{hashlib.sha256("|".join(seen).encode()).hexdigest()[:16]}"'
    fields = {"ETag": tag, "Vary": vary, "Cache-Control": "no-cache", "X-Medkg-Version": str(version)}
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=fields)
    response.headers.update(fields)
    return response


def matches(header: str, tag: str) -> bool:
    """Tell whether an If-None-Match value names *tag* (weak comparison, RFC 9110, section 8.8.3.2).

    The name of a content coding at the end of a tag does not count: it says how the same answer was sent.
    """
    if not header:
        return False
    plain = tag.removeprefix("W/")
    for item in header[:4_000].split(","):
        known = item.strip().removeprefix("W/")
        for coding in ("gzip", "zstd"):
            known = known.removesuffix(f'-{coding}"') + '"' if known.endswith(f'-{coding}"') else known
        if known in {plain, "*"}:
            return True
    return False


def page_links(request: Request, base_url: str, page: Page) -> Mapping[str, str]:
    """Return the addresses of the first, previous, next and last page (RFC 8288 relation names)."""
    numbers = {"first": 1, "prev": page.page - 1, "next": page.page + 1, "last": page.pages}
    links = {}
    for name, number in numbers.items():
        if 1 <= number <= page.pages and (name in {"first", "last"} or number != page.page):
            query = {**request.query_params, "page": str(number)}
            links[name] = f"{base_url}{request.url.path}?{urlencode(query)}"
    return links
