"""One polite HTTP client for the Hub: timeouts, the shared rate budget, retries by the table in `errors`.
What the replies mean is for `listings` and `accounts`; this module knows no field of any item."""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx2
import orjson
from huggingface_hub.utils import build_hf_headers, parse_ratelimit_headers

from orchestration.hub.errors import (
    Action,
    HubConfigurationError,
    HubIntegrityError,
    HubUnavailable,
    HubUnreachable,
    MalformedBody,
    action_for_exception,
    action_for_status,
)
from orchestration.hub.governor import Governor, Priority, governor_for
from orchestration.settings import Settings

TIMEOUT = httpx2.Timeout(connect=10, read=60, write=10, pool=10)
# The read timeout starts anew with each byte: a reply that drips needs a bound of its own. A page takes seconds.
REPLY_SECONDS = 180.0
NO_CONNECTION = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
HUGE_INTEGER, HUGE_INTEGER_TEXT = re.compile(rb"[:,\[\s]-?\d{19,}\s*[,}\]]"), re.compile(r"[:,\[\s]-?\d{19,}\s*[,}\]]")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class RetryPolicy:
    """How long to insist. Defaults: an outage of minutes is sat out, one of half an hour is reported."""

    tries: int = 10
    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 1800.0  # seconds spent on one request, waits included
    throttled_windows: int = 3  # rate-limit windows for which a 429 doesn't count as a try
    connect_tries: int = 3  # before any connection was ever made
    connect_patience: float = 10.0


@dataclass(frozen=True)
class HubReply:
    """A reply that was accepted: `document` is the parsed body (None for an accepted status other than 200, and where
    the caller wanted the body as it came)."""

    url: str
    status: int
    headers: Mapping[str, str]
    document: object
    next_url: str | None
    damaged: bool = False  # the body held invalid UTF-8, twice the same; bad bytes are replaced by U+FFFD
    body: bytes = b""

    @property
    def date(self) -> datetime:
        """The Hub's clock, UTC, to the second. Raises `MalformedBody` without a readable `Date` header."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError) as error:
            raise MalformedBody("no readable Date header") from error


class HubClient:
    """Asks one Hub. Use as a context manager.

    With a `governor` it shares that one's budget, else it has its own of `rate_share`. `sleep` and `clock` (seconds,
    monotonic) are for tests.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str | None = None,
        rate_share: float = 0.5,
        retry: RetryPolicy = RetryPolicy(),
        timeout: httpx2.Timeout = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        governor: Governor | None = None,
    ):
        self.endpoint = endpoint.rstrip("/")
        self.has_token = token is not None
        self.retries: Counter[str] = Counter()
        self._retry, self._sleep, self._clock = retry, sleep, clock
        self._jitter = random.Random()  # spreads clients in time; decides nothing that is written
        self._governor = governor or Governor(rate_share, sleep, clock)
        self._connected = False
        address = urlsplit(self.endpoint)
        self._http = httpx2.Client(
            headers=build_hf_headers(
                library_name="open-model-observatory", library_version=own_version(), token=token or False
            ),
            timeout=timeout,
            follow_redirects=False,
            trust_env=address.hostname not in LOOPBACK,  # no proxy between us and our own machine
            # loading the certificates takes longer than a sandbox day; without TLS there is nothing to verify
            verify=address.scheme != "http",
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "HubClient":
        token = settings.hf_token.get_secret_value() if settings.hf_token else None
        governor = governor_for(settings.hub_endpoint, token or None, settings.rate_share)
        return cls(settings.hub_endpoint, token=token or None, governor=governor)

    def __enter__(self) -> "HubClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(
        self,
        target: str,
        *,
        params: Iterable[tuple[str, str]] = (),
        answers: frozenset[int] = frozenset({200}),
        check: Callable[[HubReply], None] = lambda reply: None,
        bucket: str = "api",
        priority: Priority = Priority.WALK,
        tries: int | None = None,
        is_parsed: bool = True,
    ) -> HubReply:
        """GET a path of the endpoint, or a whole address on it, until its status is one of `answers`.

        `check` may raise `MalformedBody` to have the page asked for again. With `is_parsed` false the reply has its
        body, and nobody has looked into it. Raises `HubUnreachable`, `HubUnavailable`,
        `HubConfigurationError` or `HubIntegrityError`, as the table in `errors` says.
        """
        url = self._address(target, params)
        attempt = _Attempt(self._retry, tries or self._retry.tries, self._clock())
        while True:
            sent = self._governor.wait(bucket, priority)
            try:
                reply = self._ask(url, answers, bucket, sent, attempt, is_parsed=is_parsed)
                check(reply)
            except (httpx2.TransportError, httpx2.DecodingError, httpx2.InvalidURL, MalformedBody) as error:
                self._treat_exception(url, error, attempt)
            except _Refusal as refusal:
                self._treat_refusal(url, refusal, attempt, bucket)
            else:
                return reply

    def _address(self, target: str, params: Iterable[tuple[str, str]]) -> str:
        whole = target if "://" in target else self.endpoint + target
        if origin(whole) != origin(self.endpoint):  # the token goes to the endpoint and to no one else
            raise HubIntegrityError(f"Asked for {whole}", expected=f"an address on {self.endpoint}")
        try:
            return str(httpx2.URL(whole).copy_merge_params(list(params)) if params else httpx2.URL(whole))
        except httpx2.InvalidURL as error:
            raise bad_address(whole, error) from error

    def _ask(
        self,
        url: str,
        answers: frozenset[int],
        bucket: str,
        sent: float,
        attempt: "_Attempt",
        *,
        is_parsed: bool,
    ) -> HubReply:
        deadline = self._clock() + REPLY_SECONDS
        with self._http.stream("GET", url) as response:
            self._connected = True
            self._governor.observe(bucket, response.headers, sent)
            chunks = []
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                if self._clock() > deadline:
                    raise httpx2.ReadTimeout(f"no whole reply within {REPLY_SECONDS:.0f} s")
        whole = b"".join(chunks)
        if response.status_code not in answers:
            raise _Refusal(response.status_code, response.headers, whole)
        document, damaged = None, False
        if response.status_code == 200 and is_parsed:
            document, damaged = attempt.parse(whole)
        link = response.links.get("next", {}).get("url")
        body_as_it_came = b"" if is_parsed else whole
        return HubReply(url, response.status_code, response.headers, document, link, damaged, body_as_it_came)

    def _treat_exception(self, url: str, error: Exception, attempt: "_Attempt") -> None:
        if action_for_exception(error) is Action.CONFIGURATION:
            raise bad_address(url, error) from error
        kind = type(error).__name__
        self.retries[kind] += 1
        attempt.failed += 1
        elapsed = attempt.elapsed(self._clock())
        is_first = not self._connected and isinstance(error, NO_CONNECTION)
        if is_first and (attempt.failed >= self._retry.connect_tries or elapsed >= self._retry.connect_patience):
            raise HubUnreachable(self.endpoint, f"{kind}: {error}, {attempt.failed} tries") from error
        wait = attempt.backoff(self._jitter)
        if attempt.is_spent(wait, self._clock()):
            if isinstance(error, MalformedBody):
                raise HubIntegrityError(
                    f"{url} was answered {attempt.failed} times with a body that is none: {error}",
                    expected="a JSON document of the usual shape",
                    do_this="look at the address in a browser; if the Hub changed its shape, the listing must follow",
                ) from error
            raise self._unavailable(url, f"{kind}: {error}", attempt) from error
        attempt.waited += wait
        self._sleep(wait)

    def _treat_refusal(self, url: str, refusal: "_Refusal", attempt: "_Attempt", bucket: str) -> None:
        action = action_for_status(refusal.status)
        if action is Action.CONFIGURATION:
            raise self._refused(url, refusal)
        self.retries[str(refusal.status)] += 1
        wait = max(attempt.backoff(self._jitter), asked_wait(refusal.status, refusal.headers))
        window = self._governor.window(bucket)
        if action is Action.WAIT and attempt.throttled <= self._retry.throttled_windows * window:
            attempt.throttled += wait
        else:
            attempt.failed += 1
        if attempt.is_spent(wait, self._clock()):
            raise self._unavailable(url, f"status {refusal.status} {refusal.said()}", attempt)
        attempt.waited += wait
        self._sleep(wait)

    def _unavailable(self, url: str, cause: str, attempt: "_Attempt") -> HubUnavailable:
        return HubUnavailable(
            f"{url} failed {attempt.failed} times in {attempt.elapsed(self._clock()):.0f} s, last with {cause}",
            expected=f"an answer within {attempt.tries} tries and {self._retry.patience / 60:.0f} minutes",
            do_this="run the same day again later today: it resumes where it stopped",
        )

    def _refused(self, url: str, refusal: "_Refusal") -> HubConfigurationError:
        with_token = "with the token of HF_TOKEN" if self.has_token else "without a token"
        advice = {
            400: "see which field or parameter the Hub no longer takes",
            401: "correct or remove HF_TOKEN; a refused token is never dropped silently",
            403: "correct or remove HF_TOKEN; a refused token is never dropped silently",
        }
        location = f" to {refusal.headers['location']}" if "location" in refusal.headers else ""
        return HubConfigurationError(
            f"{url} was refused with status {refusal.status}{location} ({with_token}): {refusal.said() or 'no reason'}",
            expected="status 200",
            do_this=advice.get(refusal.status, "check that OBSERVATORY_HUB_ENDPOINT is the address of a Hub"),
            status=refusal.status,
            said=refusal.said(),
        )


class _Refusal(Exception):
    """A status that isn't an answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes):
        super().__init__(status)
        self.status, self.headers, self.body = status, headers, body

    def said(self) -> str:
        """What the Hub says about it, shortened."""
        try:
            error = orjson.loads(self.body)["error"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            error = None
        return str(error or self.headers.get("x-error-message") or "")[:2000]


@dataclass
class _Attempt:
    """One request and its tries so far."""

    policy: RetryPolicy
    tries: int
    started: float
    failed: int = 0
    waited: float = 0.0
    throttled: float = 0.0
    undecodable: bytes = b""

    def elapsed(self, now: float) -> float:
        return max(now - self.started, self.waited)

    def backoff(self, jitter: random.Random) -> float:
        """Exponential, with full jitter above a tenth of it: clients that failed together don't return together."""
        longest = min(self.policy.longest_wait, self.policy.first_wait * 2 ** min(max(self.failed - 1, 0), 30))
        return jitter.uniform(longest / 10, longest)

    def is_spent(self, wait: float, now: float) -> bool:
        return self.failed >= self.tries or self.elapsed(now) + wait > self.policy.patience

    def parse(self, body: bytes) -> tuple[object, bool]:
        """The JSON document, and whether bad bytes had to be replaced (only if the same body came twice)."""
        try:
            return parse_json(body), False
        except BadEncoding:
            if body != self.undecodable:
                self.undecodable = body
                raise
        return parse_json(body.decode("utf-8", errors="replace")), True


class BadEncoding(MalformedBody):
    """A body that isn't UTF-8."""


def parse_json(body: bytes | str) -> object:
    """The document. Raises `MalformedBody` where it is none, `BadEncoding` where it isn't UTF-8."""
    has_huge = (HUGE_INTEGER if isinstance(body, bytes) else HUGE_INTEGER_TEXT).search(body)
    if not has_huge:  # of which orjson would make rounded doubles
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(body)
    try:  # takes what orjson refuses and the Hub may send: lone surrogates, NaN
        return json.loads(body)
    except UnicodeDecodeError as error:
        raise BadEncoding(f"invalid UTF-8 ({error.reason} at byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"not JSON ({error}); begins with {body[:60]!r}") from error


def origin(url: str) -> tuple[str, str]:
    """Scheme and host with port: what must not change between pages."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def bad_address(url: str, error: Exception) -> HubConfigurationError:
    """What to raise where the endpoint, or what follows from it, can't be asked at all."""
    return HubConfigurationError(
        f"{url!r} is no address ({error})",
        expected="an http or https address",
        do_this="correct OBSERVATORY_HUB_ENDPOINT",
    )


def asked_wait(status: int, headers: Mapping[str, str]) -> float:
    """Seconds that a refusal asks us to wait: Retry-After (seconds or date), or the end of a used-up window."""
    waits = [0.0]
    told = parse_ratelimit_headers(headers)
    if status == 429 and told is not None and told.remaining == 0:
        waits.append(told.reset_in_seconds + 1)
    after = headers.get("retry-after", "").strip()
    if after.isdigit():
        waits.append(float(after))
    elif after:
        with suppress(KeyError, TypeError, ValueError):  # an unreadable wish is no wish; the backoff stands
            waits.append((parsedate_to_datetime(after) - parsedate_to_datetime(headers["date"])).total_seconds())
    return max(waits)


def own_version() -> str:
    """What we call ourselves to the Hub, beside our name."""
    try:
        return version("open-model-observatory")
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "0"
