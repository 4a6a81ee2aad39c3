"""Further pages of a list: all at once where their number is known, else one after the other."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterator, Sequence

from bot.cxone.deadline import Deadline
from bot.cxone.errors import AnswerError, CXoneError, DeadlineError, NotFoundError
from bot.cxone.listing import Listing, Row, rows_of

_MOST_IDLE = 3
_FOR_PAGES = 0.75  # of what is left: one page that hangs must leave time for the details and the target

Asked = concurrent.futures.Future[Row]


def in_parallel(listing: Listing, path: str, asked: Sequence[Asked], deadline: Deadline) -> int:
    """Take the pages that were asked for as they come; one that fails stands in `failed`.

    Returns how many of them held only rows that were there before.
    """
    repeated = 0
    try:
        arrived = 0
        for each in _done(asked, deadline.left() * _FOR_PAGES):
            arrived += 1
            try:
                rows = rows_of(each.result(), "entities", path)
                repeated += bool(rows) and not listing.add(rows)
            except CXoneError as error:
                listing.failed.append(error)
        if arrived < len(asked):
            listing.failed.append(_no_answer(path, len(asked) - arrived, deadline))
    finally:
        for each in asked:
            each.cancel()
    return repeated


def one_by_one(  # noqa: PLR0917 - what a page is read with
    listing: Listing,
    body: Row,
    page: Callable[[int], Row],
    follow: Callable[[str], Row],
    number: int,
    most: int,
) -> None:
    """Follow `nextUri`, however little a page brings; or count up where none is given, until one brings nothing new.

    A list whose addresses lead nowhere is not complete.
    """
    followed: set[str] = set()
    idle = 0  # pages in a row that brought nothing new
    while True:
        following = body.get("nextUri")
        leads = isinstance(following, str) and bool(following)
        if not leads and (followed or "nextUri" in body):
            return
        if listing.pages >= most:
            listing.cut = True
            return
        if following in followed or idle == _MOST_IDLE:
            listing.failed.append(_leads_nowhere(listing.pages))
            return
        try:
            if isinstance(following, str) and following:
                followed.add(following)
                body = follow(following)
            else:
                number += 1
                body = page(number)
            new = listing.add(rows_of(body, "entities", "/api/v2/conversations"))
        except NotFoundError as error:
            if leads:
                listing.failed.append(error)
            return
        except CXoneError as error:
            listing.failed.append(error)
            return
        idle = 0 if new else idle + 1
        if not new and not leads:
            return


def _leads_nowhere(pages: int) -> CXoneError:
    path = "/api/v2/conversations"
    said = f"GET {path}: after {pages} pages `nextUri` brings nothing new and does not end, so calls may be missing."
    return AnswerError("GET", path, None, said)


def _done(asked: Sequence[Asked], seconds: float) -> Iterator[Asked]:
    """Those that are done within so many seconds, as they come."""
    try:
        yield from concurrent.futures.as_completed(asked, timeout=max(0.001, seconds))
    except TimeoutError:
        return


def _no_answer(path: str, pages: int, deadline: Deadline) -> CXoneError:
    return DeadlineError(
        "GET",
        path,
        None,
        f"GET {path}: {pages} pages did not come in time; the whole look-up may take {deadline.seconds:.3g} s.",
    )
