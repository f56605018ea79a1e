"""The gate's own answers: problem documents for programs, a small page for people."""

from __future__ import annotations

from html import escape

from aiohttp import web

from ..models import Problem
from .gate_headers import is_navigation

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
{refresh}<title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh }}
main {{ max-width: 34rem }} h1 {{ font-size: 1.4rem }} a {{ color: #e46e2e }}
</style></head><body><main><h1>{title}</h1><p>{detail}</p><p>{action}</p>{link}</main></body></html>
"""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Server": "studio",
}


def problem(
    request: web.BaseRequest,
    status: int,
    title: str,
    detail: str = "",
    action: str = "",
    *,
    link: tuple[str, str] | None = None,
    refresh: int | None = None,
) -> web.Response:
    """What, why and what to do; ``link`` is (address, text), ``refresh`` the seconds until trying again."""
    headers = dict(HEADERS)
    if refresh is not None:
        headers["Retry-After"] = str(refresh)
    if not is_navigation(request.method, request.headers):
        document = Problem(title=title, status=status, detail=detail, action=action)
        headers["Content-Type"] = "application/problem+json"
        return web.Response(status=status, body=document.model_dump_json(exclude_none=True), headers=headers)
    page = PAGE.format(
        title=escape(title),
        detail=escape(detail),
        action=escape(action),
        refresh=f'<meta http-equiv="refresh" content="{refresh}">' if refresh is not None else "",
        link=f'<p><a href="{escape(link[0])}">{escape(link[1])}</a></p>' if link else "",
    )
    return web.Response(status=status, text=page, content_type="text/html", headers=headers)


def redirect(place: str) -> web.Response:
    return web.Response(status=302, headers={**HEADERS, "Location": place})
