"""An app with a page and a socket, served on the unix socket that it is given."""

from __future__ import annotations

import sys

from aiohttp import WSMsgType, web


async def page(request: web.Request) -> web.Response:
    return web.Response(text="the app")


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(f"echo {message.data}")
    return socket


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/user/ada/test/ws", echo)
    app.router.add_get("/{any:.*}", page)
    web.run_app(app, path=sys.argv[1], print=None)
