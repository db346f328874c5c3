"""A bound on what a request may carry, so that nobody fills the memory."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 32 * 2**20  # bytes


class BodyLimit:
    """Answers 413 to a request whose body is larger, whether it says so beforehand or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > MOST:
                await _too_large(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        await self._app(scope, _once({**message, "body": bytes(body), "more_body": False}, receive), send)


def _once(message: Message, receive: Receive) -> Receive:
    """Return what hands out the whole body first, and then what comes: the end of the connection."""
    messages = iter([message])

    async def hand_out() -> Message:
        try:
            return next(messages)
        except StopIteration:
            return await receive()

    return hand_out


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    error = f"the request is larger than {MOST // 2**20} MiB; send fewer tweets at once"
    await JSONResponse({"error": error}, status_code=413)(scope, receive, send)
