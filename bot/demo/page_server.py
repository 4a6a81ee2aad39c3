"""The page for people: a calm chat client on loopback, over the same workspace that the bot talks to.

The HTML comes from here with the channels and the card of first steps in it; a small script draws the messages as
DOM nodes, never as HTML, and asks for changes by a long poll. Nothing is loaded from elsewhere, and the page's policy
forbids it. No other web page can use this server: it answers to its own host name, and takes JSON from its own origin.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from bot.demo import page_data
from bot.demo.state import SlackError

if TYPE_CHECKING:
    from bot.demo.workspace import Workspace

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
FILES = ("app.css", "blocks.css", "app.js", "render.js", "text.js", "dialogs.js", "panel.js", "steps.js", "icon.svg")
LONGEST_BODY = 1_000_000


class Step(NamedTuple):
    """One line of the card. `text` is what is typed at a click, or with `place` only what the button says."""

    text: str
    about: str
    channel: str = ""  # the name of the channel to be in; "" is where one is
    place: str = ""  # which calls come in at a click


class Panel(Protocol):
    """The contact centre beside the chat, as far as the page shows and uses it."""

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """Recent calls, newest first: `id`, `number`, `state` (words), `at` (ISO time), `failed` (bool)."""
        ...

    def scenarios(self) -> Mapping[str, Mapping[str, str]]:
        """What can be played, in groups: name and one line about it."""
        ...

    def now(self) -> str:
        """What is broken in the centre at the moment, as a sentence; "" when all is well."""
        ...

    def place(self, scenario: str, number: str) -> str:
        """Place a call; returns its conversation's id. Raises ValueError with a sentence for people."""
        ...

    def place_some(self, what: str) -> None:
        """Let a few callers ring one after the other. Raises ValueError with a sentence for people."""
        ...

    def faults(self) -> Sequence[Mapping[str, Any]]:
        """The switches: `name`, `label`, `effect` (what to expect meanwhile), `on`."""
        ...

    def set_fault(self, name: str, on: bool) -> None:  # noqa: FBT001  a switch
        """Turn a switch."""
        ...


class PageServer:
    """The HTTP door for people."""

    def __init__(self, workspace: Workspace, port: int) -> None:
        self.workspace = workspace
        self.port = port
        self.steps: Sequence[Step] = ()
        self.panel: Panel | None = None
        self.stopping = False
        self.ready = threading.Event()  # until then, what people do waits for the bot to have started
        self.ready.set()
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        owner = self

        class Handler(_Handler):
            page = owner

        self.stopping = False
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="slack-page", daemon=True).start()

    def stop(self) -> None:
        """Stop listening, and let the waiting polls go."""
        if self._server is None:
            return
        self.stopping = True
        with self.workspace.team.lock:
            self.workspace.team.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def html(self) -> str:
        """The page with what does not change while it is open, readable without its script."""
        team = self.workspace.team
        channels = "".join(
            f'<li><button type="button" class="place" data-channel="{escape(c.id)}">'
            f'<span class="hash" aria-hidden="true">{"🔒" if c.private else "#"}</span>'
            f'<span class="name">{escape(c.name)}</span><span class="count" hidden></span></button></li>'
            for c in list(team.channels.values())
            if not c.im_of
        )
        ids = {c.name: c.id for c in team.channels.values()}
        steps = "".join(_step(step, ids.get(step.channel, "")) for step in self.steps)
        me = team.users[self.workspace.user]
        return Template(_file("page.html")).substitute(
            channels=channels,
            steps=steps,
            steps_hidden="" if self.steps else "hidden",
            panel_hidden="" if self.panel else "hidden",
            me=escape(me.real_name),
        )


def _step(step: Step, channel: str) -> str:
    given = {"text": step.text, "channel": channel, "place": step.place}
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in given.items() if value)
    label = escape(step.text) if step.place else f"<code>{escape(step.text)}</code>"
    return f'<li><button type="button" class="try"{data}>{label}</button><span>{escape(step.about)}</span></li>'


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _file(name: str) -> str:
    return resources.files("bot.demo").joinpath("pages", name).read_text("utf-8")


class _Handler(BaseHTTPRequestHandler):
    """One connection of a browser."""

    page: PageServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing."""

    def handle(self) -> None:
        """Serve until the browser goes."""
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        """The page, its files, and what it shows."""
        if not self._ours():
            self._send(403, "text/plain", "This page answers to its own address only.")
            return
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        name = url.path.removeprefix("/static/")
        workspace = self.page.workspace
        if url.path == "/":
            self._send(200, "text/html", self.page.html())
        elif url.path.startswith("/static/") and name in FILES:
            self._send(200, KINDS[name.rpartition(".")[2]], _file(name))
        elif url.path == "/state":
            self._json(page_data.overview(workspace))
        elif url.path == "/messages":
            self._json_or_404(lambda: page_data.messages(workspace, query.get("channel", ""), query.get("before", "")))
        elif url.path == "/thread":
            self._json_or_404(lambda: page_data.thread(workspace, query.get("channel", ""), query.get("ts", "")))
        elif url.path == "/poll":
            self._json(page_data.changes(workspace, _whole(query.get("since")), lambda: self.page.stopping))
        elif url.path == "/panel":
            self._json(page_data.panel(self.page.panel))
        else:
            self._send(404, "text/plain", "There is nothing here.")

    def do_POST(self) -> None:
        """What a person does."""
        length = _whole(self.headers.get("Content-Length"))
        body = self.rfile.read(min(length, LONGEST_BODY))
        if not self._ours() or not self.headers.get("Content-Type", "").startswith("application/json"):
            self._send(403, "text/plain", "This page takes JSON from itself only.")
            return
        try:
            done = page_data.do(self.page.workspace, self.page.panel, json.loads(body))
        except (LookupError, ValueError, TypeError, SlackError) as error:
            self._json({"error": str(error).strip("'")})
            return
        self._json(done)

    def _ours(self) -> bool:
        """Whether the request names this host and comes from this page, not from another site or by another name."""
        hosts = (f"127.0.0.1:{self.page.port}", f"localhost:{self.page.port}")
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in hosts and (not origin or origin.removeprefix("http://") in hosts)

    def _json_or_404(self, make: Any) -> None:
        try:
            self._json(make())
        except SlackError as error:
            self._send(404, "text/plain", error.code)

    def _json(self, answer: object) -> None:
        self._send(200, "application/json", json.dumps(answer))

    def _send(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
