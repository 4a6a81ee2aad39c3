"""Slack's signature, looked at before anything reads what was sent.

Bolt looks at it too, but only once it has read the body: what is no JSON object fails there with a 500, a timestamp
that is no number passes for an answered request, and a refused body goes to the log with the caller's number in it
(seen in slack-bolt 1.30).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from slack_sdk.signature import SignatureVerifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


def only_signed(slack: WSGIApplication, signing_secret: str) -> WSGIApplication:
    """`slack` for what Slack signed within five minutes; 401 for the rest, and 400 for what cannot be read."""
    verifier = SignatureVerifier(signing_secret)

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if not _signed(verifier, body, environ):
            log.warning("a request without Slack's signature was refused; check SLACK_SIGNING_SECRET if it was Slack's")
            return _refuse(start, "401 Unauthorized")
        try:
            return slack({**environ, "wsgi.input": io.BytesIO(body)}, start)
        except Exception:  # a listener's own fault is caught by Bolt, so this is about the body
            log.exception("a signed request could not be read")
            return _refuse(start, "400 Bad Request")

    return application


def _signed(verifier: SignatureVerifier, body: bytes, environ: WSGIEnvironment) -> bool:
    stamp, mark = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP"), environ.get("HTTP_X_SLACK_SIGNATURE")
    try:
        return verifier.is_valid(body, stamp, mark)
    except (ValueError, TypeError):  # no number, no UTF-8, no ASCII: Slack sends none of them
        return False


def _refuse(start: StartResponse, status: str) -> Iterable[bytes]:
    body = f"{status[4:].lower()}\n".encode()
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
