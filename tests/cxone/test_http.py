"""The session against every way in which a platform can fail, over real HTTP."""

from __future__ import annotations

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.clock import Clock, SystemClock
from bot.cxone.errors import (
    AnswerError,
    CXoneError,
    DeadlineError,
    ForbiddenError,
    MethodError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    SignInError,
    UnreachableError,
    shown,
)
from bot.cxone.http import Call, Deadline, Session, Token
from bot.cxone.platform import client_credentials
from bot.demo.tenant import Tenant
from tests.clock import HandClock
from tests.cxone.raw import HEAD, RawServer, at_once, bytewise

SECRET = "demo-secret"
PATH = "/api/v2/users/u-1"
LIST = "/api/v2/conversations"


def session_to(url: str, clock: Clock, **more: object) -> Session:
    """A session with the demo account."""
    return Session(url, client_credentials("demo-client", SECRET), clock, **more)  # type: ignore[arg-type]


def plain(url: str, **more: object) -> Session:
    """A session in real time that needs no sign-in."""
    return Session(url, lambda *_: Token("tok-1"), SystemClock(), **more)  # type: ignore[arg-type]


def paths(server: Tenant) -> list[str]:
    """What was asked for, in order."""
    return [seen.path for seen in server.requests]


# ---- the token ----


def test_the_token_is_fetched_once_and_used_for_every_call(server: Tenant, clock: HandClock) -> None:
    """One sign-in, then only calls."""
    session = session_to(server.url, clock)
    for _ in range(3):
        assert session.get(PATH, deadline=Deadline(clock, 20)).body["name"] == "Anna"
    assert paths(server) == ["/oauth2/token", PATH, PATH, PATH]
    assert session.requests_last_hour() == 4


def test_thirty_threads_sign_in_once(server: Tenant, clock: HandClock) -> None:
    """Single flight: the others wait for the one that signs in."""
    server.latency = 0.02
    session = session_to(server.url, clock)
    with ThreadPoolExecutor(30) as pool:
        list(pool.map(lambda _: session.get(PATH, deadline=Deadline(clock, 20)), range(30)))
    assert paths(server).count("/oauth2/token") == 1


def test_a_sign_in_that_fails_is_not_repeated_by_those_who_waited_for_it(server: Tenant, clock: HandClock) -> None:
    """Thirty threads and a wrong secret are one request, not thirty."""
    server.latency = 0.1
    session = Session(server.url, client_credentials("demo-client", "wrong"), clock)
    barrier = threading.Barrier(8)

    def ask(_: int) -> Exception | None:
        barrier.wait()
        try:
            session.get(PATH, deadline=Deadline(clock, 20))
        except SignInError as error:
            return error
        return None

    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(ask, range(8)))
    assert all(isinstance(error, SignInError) for error in errors)
    assert paths(server) == ["/oauth2/token"]


def test_the_token_is_renewed_before_it_ends(server: Tenant, clock: HandClock) -> None:
    """Nobody meets a 401 because an hour went by."""
    session = session_to(server.url, clock)
    session.get(PATH, deadline=Deadline(clock, 20))
    clock.advance(3545)
    session.get(PATH, deadline=Deadline(clock, 20))
    assert paths(server) == ["/oauth2/token", PATH, "/oauth2/token", PATH]


def test_a_401_renews_the_token_once(server: Tenant, clock: HandClock) -> None:
    """A token that was withdrawn is replaced without anybody noticing."""
    session = session_to(server.url, clock)
    server.faults.add(PATH, "expired_token", times=1)
    assert session.get(PATH, deadline=Deadline(clock, 20)).body["name"] == "Anna"
    assert paths(server) == ["/oauth2/token", PATH, "/oauth2/token", PATH]


def test_a_second_401_says_what_to_check(server: Tenant, clock: HandClock) -> None:
    """With a new token too: then it is the account."""
    server.faults.add(PATH, "status", status=401)
    with pytest.raises(SignInError, match=r"401 on GET /api/v2/users/u-1.*CXONE_CLIENT_ID") as caught:
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))
    assert caught.value.status == 401
    assert paths(server) == ["/oauth2/token", PATH, "/oauth2/token", PATH]


@pytest.mark.parametrize(("status", "kind"), [(401, SignInError), (400, SignInError), (403, SignInError)])
def test_a_refused_sign_in_says_what_to_check(
    server: Tenant, clock: HandClock, status: int, kind: type[CXoneError]
) -> None:
    """The settings are named, their values are not."""
    server.faults.add("/oauth2", "status", status=status)
    with pytest.raises(kind, match=rf"{status} on POST /oauth2/token.*CXONE_CLIENT_SECRET") as caught:
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))
    assert SECRET not in repr(caught.value)


def test_a_token_endpoint_that_is_down_is_named(server: Tenant, clock: HandClock) -> None:
    """Not the call that was to follow."""
    server.faults.add("/oauth2", "status", status=503)
    with pytest.raises(ServerFaultError, match="503 on POST /oauth2/token"):
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))


@pytest.mark.parametrize("body", [{"token_type": "Bearer"}, {"access_token": None}, [], {"access_token": 7}])
def test_an_answer_without_a_token_is_said_to_be_one(server: Tenant, clock: HandClock, body: object) -> None:
    """Whatever shape it has."""
    server.faults.add("/oauth2", "body", body=body)
    with pytest.raises(SignInError, match="without a token"):
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))


# ---- 429 ----


@pytest.mark.parametrize("asked", [{"retry_after": 3}, {"retry_date": 3}])
def test_retry_after_is_waited_for(server: Tenant, clock: HandClock, asked: dict[str, int]) -> None:
    """In seconds or as a date."""
    server.faults.add(PATH, "status", times=1, status=429, **asked)
    session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))
    assert sum(clock.slept) == pytest.approx(3, abs=0.1)


def test_a_429_without_a_time_is_repeated_later(server: Tenant, clock: HandClock) -> None:
    """Ever later, within the deadline."""
    server.faults.add(PATH, "status", times=2, status=429)
    session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))
    assert 1 < sum(clock.slept) < 20


@pytest.mark.parametrize("asked", [{"retry_after": 600}, {"retry_after": 2}, {}])
def test_a_429_for_ever_is_told_within_the_deadline(server: Tenant, clock: HandClock, asked: dict[str, int]) -> None:
    """Nobody waits for what comes after the deadline."""
    server.faults.add(PATH, "status", status=429, **asked)
    deadline = Deadline(clock, 20)
    with pytest.raises(RateLimitedError, match=r"429 on GET /api/v2/users/u-1.*CXONE_MAX_RPS"):
        session_to(server.url, clock).get(PATH, deadline=deadline)
    assert deadline.spent() <= 20


# ---- 5xx and broken connections ----


@pytest.mark.parametrize("kind", ["status", "reset", "cut_json"])
def test_what_passes_is_not_noticed(server: Tenant, clock: HandClock, kind: str) -> None:
    """Two failures, then the answer."""
    server.faults.add(PATH, kind, times=2, status=503)
    assert session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20)).body["name"] == "Anna"
    assert 0.1 < sum(clock.slept) < 2


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        ("status", ServerFaultError, r"503 on GET .*4 times.*status page"),
        ("reset", UnreachableError, r"broke the connection off"),
        ("cut_json", CXoneError, r"broke"),
        ("html", AnswerError, r"web page instead of JSON.*CXONE_BASE_URL"),
        ("not_json", AnswerError, r"not JSON.*CXONE_API"),
    ],
)
def test_what_stays_is_a_sentence_with_the_call(
    server: Tenant, clock: HandClock, kind: str, error: type[CXoneError], says: str
) -> None:
    """Which call, what happened, what to check."""
    server.faults.add(PATH, kind, **({"status": 503} if kind == "status" else {}))
    with pytest.raises(error, match=says) as caught:
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))
    assert "GET /api/v2/users/u-1" in str(caught.value)
    assert sum(clock.slept) < 5


def test_json_that_breaks_off_though_its_length_is_right_is_told(server: Tenant, clock: HandClock) -> None:
    """A proxy may cut a body and correct its length."""
    server.faults.add(PATH, "body", body=b'{"id": "u-1", "na')
    with pytest.raises(AnswerError, match="breaks off after 17 bytes"):
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))


def test_json_that_nests_for_ever_is_told(server: Tenant, clock: HandClock) -> None:
    """No RecursionError leaves the house."""
    server.faults.add(PATH, "body", body=b"[" * 200_000 + b"]" * 200_000)
    with pytest.raises(AnswerError, match="damaged"):
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20))


def test_nobody_there(clock: HandClock) -> None:
    """A refused connection names host and settings."""
    with RawServer(at_once(b"")) as gone:
        url = gone.url
    with pytest.raises(UnreachableError, match=r"refused the connection.*CXONE_TENANT_ID"):
        session_to(url, clock).get(PATH, deadline=Deadline(clock, 20))


# ---- statuses ----


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (403, ForbiddenError, "most likely lacks the scope users:read"),
        (404, NotFoundError, "404 on GET"),
        (405, MethodError, "does not take GET"),
        (302, AnswerError, "follows no redirect"),
        (400, AnswerError, "CXONE_API"),
    ],
)
def test_a_status_is_a_sentence(
    server: Tenant, clock: HandClock, status: int, error: type[CXoneError], says: str
) -> None:
    """And is not repeated."""
    server.faults.add(PATH, "status", status=status)
    with pytest.raises(error, match=says):
        session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20), needs="the scope users:read")
    assert paths(server).count(PATH) == 1


@pytest.mark.parametrize("item", ["", ".", "..", "..."])
def test_an_id_that_would_be_another_path_is_not_asked_for(server: Tenant, clock: HandClock, item: str) -> None:
    """A dot is a step up in a path."""
    with pytest.raises(NotFoundError):
        session_to(server.url, clock).get("/api/v2/users/{id}", item=item, deadline=Deadline(clock, 20))
    assert not server.requests


def test_an_id_is_quoted(server: Tenant, clock: HandClock) -> None:
    """Slashes, question marks and broken characters stay within it."""
    with pytest.raises(NotFoundError):
        session_to(server.url, clock).get("/api/v2/users/{id}", item="a/../b?c=d\ud800", deadline=Deadline(clock, 20))
    assert server.requests[-1].path == "/api/v2/users/a%2F..%2Fb%3Fc%3Dd%3F"


# ---- the deadline ----


@pytest.mark.parametrize(
    "script",
    [
        bytewise(b" " * 1000, 0.05, HEAD + b"Content-Length: 1000\r\n\r\n"),
        bytewise(b"X-Slow: " + b"x" * 1000, 0.05, HEAD),
        bytewise(HEAD, 0.05),
        lambda _, stopped: stopped.wait(10),
    ],
    ids=["body", "header", "status line", "hang"],
)
def test_no_server_outlives_the_deadline(script: object) -> None:
    """Neither silence nor a byte now and then holds a call longer."""
    with RawServer(script) as server:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(DeadlineError, match=r"GET /api/v2/users/u-1 .* within the 0.5 s"):
            plain(server.url).get(PATH, deadline=Deadline(SystemClock(), 0.5))
        assert time.monotonic() - began < 0.8


def test_a_name_that_is_never_resolved_does_not_outlive_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can break that off, so it is left behind."""
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: never.wait(30))
    session, clock = plain("http://localhost:1"), SystemClock()
    began = time.monotonic()
    with pytest.raises(DeadlineError, match=r"GET /x on localhost:1 did not answer within the 0\.5 s"):
        session.get("/x", deadline=Deadline(clock, 0.5))
    assert time.monotonic() - began < 1.0
    never.set()


def test_a_handshake_that_comes_byte_by_byte_does_not_outlive_the_deadline() -> None:
    """The record says that 16,384 bytes follow."""
    with RawServer(bytewise(b"x" * 100, 0.1, head=b"\x16\x03\x03\x40\x00")) as server:
        session = plain(server.url.replace("http:", "https:"))
        began = time.monotonic()
        with pytest.raises(DeadlineError):
            session.get("/x", deadline=Deadline(SystemClock(), 0.5))
        assert time.monotonic() - began < 1.0


def test_a_hang_leaves_time_for_a_second_try(tenant: Tenant) -> None:
    """One lost answer is not a lost look-up."""
    tenant.users["u-1"] = {"id": "u-1"}
    tenant.faults.add(PATH, "hang", times=1)
    deadline = Deadline(SystemClock(), 1.0)
    assert session_to(tenant.url, SystemClock()).get(PATH, deadline=deadline).body == {"id": "u-1"}


def test_nothing_is_asked_after_the_deadline(server: Tenant, clock: HandClock) -> None:
    """The call that did not start is the one that is named."""
    deadline = Deadline(clock, 20)
    clock.advance(21)
    with pytest.raises(DeadlineError, match="GET /api/v2/users/u-1"):
        session_to(server.url, clock).get(PATH, deadline=deadline)
    assert not server.requests


def test_closing_a_deadline_ends_what_is_under_way(tenant: Tenant) -> None:
    """A look-up that has its answer leaves nothing behind."""
    tenant.faults.add(PATH, "hang")
    deadline = Deadline(SystemClock(), 20)
    threading.Timer(0.1, deadline.close).start()
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        session_to(tenant.url, SystemClock()).get(PATH, deadline=deadline)
    assert time.monotonic() - began < 2


def test_a_huge_body_is_not_read_to_its_end() -> None:
    """Memory is bounded, whatever a server sends."""
    answer = HEAD + b"Content-Length: 3000000\r\n\r\n" + b" " * 3_000_000
    with RawServer(at_once(answer)) as server, pytest.raises(AnswerError, match="more than 1,000,000 bytes"):
        plain(server.url, largest=1_000_000).get(PATH)


# ---- what is never told ----


def test_no_secret_and_no_number_is_told(server: Tenant, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    """In no text, repr, cause or log of any failure."""
    caplog.set_level(logging.DEBUG)
    server.latency = 0.0
    session = session_to(server.url, clock)
    told = [repr(session), str(vars(session)), str(vars(session._tokens))]
    for kind, args in [("status", {"status": status}) for status in (400, 401, 403, 404, 405, 429, 500, 503)] + [
        ("html", {}),
        ("not_json", {}),
        ("reset", {}),
        ("cut_json", {}),
    ]:
        for path in (LIST, "/oauth2"):
            server.faults.clear()
            server.faults.add(path, kind, **args)
            session._tokens._kept = None
            clock.advance(60)
            with pytest.raises(CXoneError) as caught:
                session.get(LIST, {"identity": "+15550199888"}, Deadline(clock, 20))
            error = caught.value
            told += [str(error), repr(error), str(vars(error)), repr(error.__cause__), error.path]
    server.faults.clear()
    tokens = list(server.tokens)
    told += [caplog.text]
    for text in told:
        assert SECRET not in text
        assert "5550199888" not in text.replace("%2B", "+") or text is caplog.text
        assert not any(token in text for token in tokens)


@pytest.mark.parametrize("path", ["/x/+15550199888", "/x/%2B15550199888", "/x/tel:15550199888", "/x?q=+15550199888"])
def test_a_number_in_a_path_is_cut(path: str) -> None:
    """Somebody may type a number where an id belongs."""
    assert "5550199" not in shown(path)


@pytest.mark.parametrize(
    "url", ["http://demo.api.example.com", "ftp://x", "https://", "https://user:pw@host", "http://127.0.0.1.evil.com"]
)
def test_an_address_that_no_token_may_go_to_is_refused(url: str, clock: HandClock) -> None:
    """Plain http is for loopback alone, and the refusal does not repeat the address."""
    with pytest.raises(ValueError, match=r"the platform|plain http") as caught:
        session_to(url, clock)
    assert "pw" not in str(caught.value)


def test_a_netrc_does_not_take_the_tokens_place(
    server: Tenant, clock: HandClock, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its own accord requests would put it over the header."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")  # type: ignore[operator]
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))  # type: ignore[operator]
    assert session_to(server.url, clock).get(PATH, deadline=Deadline(clock, 20)).status == 200


# ---- counting ----


def test_every_request_is_counted_and_told(server: Tenant, clock: HandClock) -> None:
    """Sign-in and repetitions too; routes without ids, for metrics."""
    calls: list[Call] = []
    session = session_to(server.url, clock, on_call=calls.append)
    server.faults.add(PATH, "status", times=1, status=503)
    deadline = Deadline(clock, 20)
    session.get("/api/v2/users/{id}", item="u-1", deadline=deadline)
    assert [(call.method, call.route, call.status) for call in calls] == [
        ("POST", "/oauth2/token", 200),
        ("GET", "/api/v2/users/{id}", 503),
        ("GET", "/api/v2/users/{id}", 200),
    ]
    assert deadline.requests == session.requests_last_hour() == len(server.requests) == 3
    clock.advance(hours=1.1)
    assert session.requests_last_hour() == 0


# ---- the way there ------------------------------------------------------------------------------------------------


def test_a_proxy_and_an_own_ca_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As requests does, but once: where the API is at another address than the sign-in, once more."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    answer = HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    with RawServer(at_once(answer)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "localhost")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/own-ca.pem")
        session = plain("http://127.0.0.1:9")
        monkeypatch.delenv("HTTP_PROXY")
        session.get("/here")
        assert proxy.heads[0].startswith(b"GET http://127.0.0.1:9/here ")
        assert session._http.verify == "/etc/own-ca.pem"
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        session.move("http://localhost:9")
        with pytest.raises(UnreachableError):
            session.get("/there", deadline=Deadline(SystemClock(), 2))
        session.close()
    assert len(proxy.heads) == 1
