"""Who may read and who may write: one token, shown as `Authorization: Bearer`, or once to the sign-in page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner

_LASTS = 12 * 3600  # seconds of a session
_SAID = 60  # seconds that a message is shown
_SHORTEST = 16  # characters of a token


@dataclass(frozen=True)
class Access:
    """The token, None where nobody may write, and whether reading takes it, too."""

    token: str | None = None
    is_closed: bool = False

    def admits(self, bearer: str | None) -> bool:
        """Tell whether a bearer token is the right one."""
        return bool(self.token and bearer) and hmac.compare_digest(_digest(bearer or ""), _digest(self.token or ""))

    def new_session(self) -> str:
        """Return what a browser keeps as its cookie."""
        return self._signer().sign(secrets.token_urlsafe(16)).decode()

    def is_session(self, cookie: str | None) -> bool:
        """Tell whether a cookie is one of ours and not too old; another token ends all sessions."""
        if not self.token or not cookie:
            return False
        try:
            self._signer().unsign(cookie, max_age=_LASTS)
        except BadSignature:
            return False
        return True

    def form_key(self, session: str) -> str:
        """Return what each form of a session carries, so that no other site can have the browser send one.

        It is another one each time: a secret that stays the same can be guessed from how well pages compress.
        """
        return self._form_key(session, secrets.token_hex(8))

    def is_form_of(self, session: str, key: str) -> bool:
        """Tell whether a form was made for this session."""
        once = key.partition("-")[0]
        return hmac.compare_digest(
            self._form_key(session, once).encode("utf-8", "replace"), key.encode("utf-8", "replace")
        )

    def _form_key(self, session: str, once: str) -> str:
        told = f"{once} {session}".encode("utf-8", "replace")
        return f"{once}-{hmac.new(_digest(self.token or ''), told, hashlib.sha256).hexdigest()}"

    def seal(self, text: str) -> str:
        """Sign what the next page is to say, so that no link can have it say something else."""
        return self._signer().sign(text.encode("utf-8", "replace")).decode()

    def unseal(self, sealed: str | None) -> str | None:
        """Return what was signed a moment ago, None for anything else."""
        try:
            return self._signer().unsign(sealed or "", max_age=_SAID).decode() if self.token else None
        except BadSignature:
            return None

    def _signer(self) -> TimestampSigner:
        return TimestampSigner(_digest(self.token or ""), salt="tweetspan.session", digest_method=hashlib.sha256)


def is_strong(token: str) -> bool:
    """Tell whether a token is long enough not to be guessed, and can be written into a header."""
    return len(token) >= _SHORTEST and token.isascii() and token.isprintable() and " " not in token


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
