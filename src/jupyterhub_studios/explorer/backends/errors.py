"""What a store says when it cannot: one text for each case, whatever the store.

Nothing of the store's or the library's own message is passed on: it may hold a signature, a key or a signed
URL. The store's error code is, when it is a plain word.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ...models import StudiosError
from .guard import blocked_in, refusal

Translate = Callable[[Exception], tuple[int, str] | None]

NO_BUCKET = {"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"}
WRONG_KEY = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed", "InvalidAuthenticationInfo",
    "InvalidToken", "NoCredentials", "AuthError", "AuthorizationHeaderMalformed", "NoAuthenticationInformation",
}  # fmt: skip
EXPIRED = {"ExpiredToken", "RequestExpired", "TokenRefreshRequired"}
SLOW_DOWN = {
    "SlowDown",
    "ServerBusy",
    "TooManyRequests",
    "Throttling",
    "RequestLimitExceeded",
    "ServiceUnavailable",
}

UNREACHABLE = 0  # as a status: no answer came
TIMEOUT = -1  # as a status: none came in time


@contextlib.contextmanager
def faults(translate: Translate, bucket: str, key: str | None = None) -> Iterator[None]:
    """What ``translate`` knows of becomes a StudiosError; anything else is a mistake of ours and stays one."""
    try:
        yield
    except StudiosError:
        raise
    except Exception as error:
        told = translate(error)
        if blocked_in(error):
            raise refusal() from None
        if told is None:
            raise
        raise fault(*told, bucket=bucket, key=key) from None


def fault(status: int, code: str = "", *, bucket: str, key: str | None = None) -> StudiosError:
    """The error for an answer with ``status`` and the store's ``code``."""
    word = code if code.isalnum() and code.isascii() and len(code) < 60 else ""
    said = f"the store said “{word}”" if word else "the store gave no reason"
    if status in (UNREACHABLE, TIMEOUT):
        why = "it did not answer in time" if status == TIMEOUT else "no connection to it could be made"
        return StudiosError(
            "The store cannot be reached", why, "Try again; check the endpoint if it stays so", status=502
        )
    if code in NO_BUCKET or (status == 404 and key is None):
        return StudiosError(
            f"The bucket “{bucket}” was not found", said, "Check its name and region", status=404
        )
    if code in EXPIRED:
        return StudiosError(
            "The credential has expired", said, "Add a new credential", status=403, field="credential"
        )
    if code in WRONG_KEY or status == 401:
        return StudiosError(
            "The store did not accept the credential",
            said,
            "Check the credential of this link",
            status=403,
            field="credential",
        )
    if status == 404:
        return gone(key or "")
    if status == 403:
        return StudiosError(
            "The store refused this", said, "Use a credential that may do it, or ask its owner", status=403
        )
    if status == 412:
        return changed(key or "")
    if status in (429, 503) or code in SLOW_DOWN:
        return StudiosError("The store asks to slow down", said, "Wait a minute, then try again", status=429)
    if 400 <= status < 500:
        return StudiosError("The store does not take this", said, "", status=409 if status == 409 else 400)
    return StudiosError("The store failed", said, "Try again", status=502)


def gone(key: str) -> StudiosError:
    return StudiosError(
        f"“{shown(key)}” does not exist",
        "it was removed, or never was there",
        "Reload the folder",
        status=404,
    )


def exists(key: str) -> StudiosError:
    return StudiosError(
        f"“{shown(key)}” exists already",
        "nothing was changed",
        "Choose another name, or replace it",
        status=409,
    )


def changed(key: str) -> StudiosError:
    return StudiosError(
        f"“{shown(key)}” was changed meanwhile", "it is no longer what was read", "Reload it", status=412
    )


def not_possible(why: str, action: str = "", *, status: int = 409) -> StudiosError:
    return StudiosError("This is not possible here", why, action, status=status)


def shown(key: str) -> str:
    """The last part of a key, fit for a sentence."""
    name = key.rstrip("/").rpartition("/")[2] or key
    name = "".join(c if c.isprintable() else "�" for c in name)
    return name if len(name) <= 80 else f"{name[:77]}…"
