"""The outermost layer: security headers on every answer, and an end to requests that are too large."""

from __future__ import annotations

import base64
import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery import limits, look

# No cross-origin-opener-policy: for it a browser starts another process after it has asked for the first page, which is
# painted 40 ms later; and there is nothing here, no account and no secret, that an opener could be kept from.
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "geolocation=(), microphone=(), camera=(), payment=()",
}
# Our own pages hold no script in the page but the theme's, known by its hash. The frameworks' pages do, and Vega and
# Plotly build functions as they run; both may reach this host only. There is no frame-ancestors: galleries are shown
# inside other pages (Spaces).
STRICT = ("default-src 'self'; script-src 'self' 'sha256-{}'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
          "object-src 'none'; base-uri 'self'; form-action 'self'")
FRAMEWORK = ("default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
             "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss: data: blob:; worker-src 'self' blob:; "
             "object-src 'none'; base-uri 'self'; form-action 'self'")


class Guard:
    """ASGI middleware; touches neither the body nor the pace of a stream."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.strict = STRICT.format(base64.b64encode(hashlib.sha256(look.head_script().encode()).digest()).decode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        in_demo = scope["path"].removeprefix(scope.get("root_path", "")).startswith("/demo/")

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                if "html" in headers.get("content-type", ""):
                    headers.setdefault("content-security-policy", FRAMEWORK if in_demo else self.strict)
            await send(message)

        await self.app(scope, _counted(receive), guarded)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        if len(scope.get("query_string", b"")) > limits.QUERY_CHARACTERS:
            return JSONResponse({"error": f"The address has more than {limits.QUERY_CHARACTERS} characters: "
                                          "shorten what follows the question mark."}, 414)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdigit() and int(length) > limits.BODY_BYTES:
            return JSONResponse({"error": f"This is {int(length) / 2**20:.1f} MB; the limit is "
                                          f"{limits.BODY_BYTES / 2**20:.0f} MB: send a smaller file."}, 413)
        return None


def _counted(receive: Receive) -> Receive:
    """`receive`, which hangs up once a body without a stated length grows past the limit."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > limits.BODY_BYTES else message

    return counting
