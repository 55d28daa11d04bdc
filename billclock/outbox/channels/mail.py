"""Mail through the SMTP relay that BILLCLOCK_SMTP names."""

import hashlib
import smtplib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message as MimeMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend

from billclock.outbox.channels import Answer, ChannelError, Letter, register

TIMEOUT = 10
"""Seconds one step of the conversation may take."""

PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
GOODBYE = 421
PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail goes, read from the setting."""

    scheme: str
    host: str
    port: int
    username: str
    password: str

    @classmethod
    def parse(cls, url: str) -> "Relay":
        """Read smtp://[user:password@]host[:port]; raise ValueError, which repeats no password."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(
                "BILLCLOCK_SMTP is not smtp://, smtps:// or smtp+starttls:// with a host: "
                "write it as smtp://user:password@mail.example.org:25"
            )
        try:
            port = parts.port or PORTS[parts.scheme]
        except ValueError:
            raise ValueError("BILLCLOCK_SMTP: the port is not a number up to 65535") from None
        username, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.scheme, parts.hostname, port, username, password)

    def backend(self) -> EmailBackend:
        """Give Django's connection to it, not yet open; certificates are checked."""
        return EmailBackend(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            use_ssl=self.scheme == "smtps",
            use_tls=self.scheme == "smtp+starttls",
            timeout=TIMEOUT,
        )


@register
class Mail:
    """Sends letters as mail, all of a round over one connection."""

    name = "mail"

    def __init__(self) -> None:
        self._backend: EmailBackend | None = None

    def unready(self) -> str:
        """Say what is wrong with the setting, or that there is none."""
        if not settings.SMTP:
            return "no mail server is set: give one as BILLCLOCK_SMTP"
        try:
            Relay.parse(settings.SMTP)
        except ValueError as error:
            return str(error)
        return ""

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        """Hand the letter to the relay; its answers are per recipient."""
        try:
            data = mime(letter).as_bytes(linesep="\r\n")  # type: ignore[call-arg]
        except (ValueError, LookupError) as error:
            return Answer(refused=dict.fromkeys(recipients, f"can't be written as mail: {error}"))
        try:
            refused = self._connection().sendmail(
                parseaddr(letter.sender)[1], list(recipients), data
            )
        except smtplib.SMTPRecipientsRefused as error:
            return _answer(error.recipients)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            if error.smtp_code == GOODBYE:
                raise ChannelError(_words(error.smtp_code, error.smtp_error)) from error
            return _answer(dict.fromkeys(recipients, (error.smtp_code, error.smtp_error)))
        except UnicodeError:
            return Answer(refused=dict.fromkeys(recipients, "the address is not plain ASCII"))
        except OSError as error:
            raise ChannelError(self._why(error)) from error
        return _answer(refused)

    def close(self) -> None:
        """Take leave of the relay."""
        backend, self._backend = self._backend, None
        if backend is not None:
            with suppress(OSError):
                backend.close()

    def _connection(self) -> smtplib.SMTP:
        """Give a connection that answers: a relay may have closed the one used before."""
        if self._backend is not None and isinstance(self._backend.connection, smtplib.SMTP):
            with suppress(OSError):
                self._backend.connection.rset()
                return self._backend.connection
            self.close()
        self._backend = Relay.parse(settings.SMTP).backend()
        self._backend.open()
        connection = self._backend.connection
        if not isinstance(connection, smtplib.SMTP):
            raise smtplib.SMTPServerDisconnected("the connection could not be opened")
        return connection

    def _why(self, error: OSError) -> str:
        relay = Relay.parse(settings.SMTP)
        if isinstance(error, smtplib.SMTPResponseException):
            text = _words(error.smtp_code, error.smtp_error)
        else:
            text = str(error) or type(error).__name__
        return f"mail server {relay.host}:{relay.port}: {text}"


def mime(letter: Letter) -> MimeMessage:
    """Write a letter as a MIME message.

    Its Message-ID follows from the letter, so that a copy sent again after a crash is known as
    one. The payload's `html` is another form of the body, its `attached` are Attachments. Raise
    ValueError for what no header may hold, LookupError for an unknown charset.
    """
    mail = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.body,
        from_email=letter.sender,
        to=list(letter.recipients),
        headers={"Date": format_datetime(letter.at), "Message-ID": _message_id(letter)},
    )
    mail.content_subtype = str(letter.payload.get("subtype", "plain"))
    mail.encoding = str(letter.payload.get("charset", "utf-8"))
    if page := letter.payload.get("html"):
        mail.attach_alternative(str(page), "text/html")
    for file in letter.payload.get("attached", ()):
        mail.attach(file.name, file.content, file.type)
    message = mail.message()
    for name, value in letter.headers:
        message[name] = value
    return message


def _message_id(letter: Letter) -> str:
    digest = hashlib.sha256(f"{letter.dedupe_key} {letter.at.isoformat()}".encode()).hexdigest()
    return f"<{digest[:32]}@{parseaddr(letter.sender)[1].rpartition('@')[2] or 'billclock'}>"


def _answer(said: Mapping[str, tuple[int, bytes | str]]) -> Answer:
    """Part the relay's refusals into those for good (5xx) and those for now."""
    words = {recipient: (code, _words(code, text)) for recipient, (code, text) in said.items()}
    return Answer(
        refused={r: text for r, (code, text) in words.items() if code >= PERMANENT},
        delayed={r: text for r, (code, text) in words.items() if code < PERMANENT},
    )


def _words(code: int, text: bytes | str) -> str:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return f"{code} {' '.join(text.split())}"[:500]
