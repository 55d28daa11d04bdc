"""A real SMTP server on loopback that behaves as a test says."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from billclock import clock


@dataclass
class Relay:
    """What the server does: answers by recipient and after DATA; and what it took."""

    recipients: dict[str, list[str]] = field(default_factory=dict)
    after_data: list[str] = field(default_factory=list)
    drops_after_data: int = 0
    drops_after: int | None = None
    taken: list[Envelope] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mails(self) -> list[EmailMessage]:
        """Every mail taken, as a mail program reads it."""
        texts = [envelope.content.replace(b"\r\n", b"\n") for envelope in self.taken]
        return [message_from_bytes(text, policy=default) for text in texts]

    async def handle_EHLO(  # noqa: N802
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = self.recipients.get(address)
        if answers:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.drops_after_data:
            self.drops_after_data -= 1
            server.transport.abort()
            return "250 nobody hears this"
        if self.after_data:
            return self.after_data.pop(0)
        self.taken.append(envelope)
        if self.drops_after is not None and len(self.taken) % self.drops_after == 0:
            server.loop.call_later(0.05, server.transport.close)
        return "250 OK"


@contextmanager
def serving(relay: Relay, **options: object) -> Iterator[Relay]:
    """Run the server on a free loopback port inside the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        relay.port = probe.getsockname()[1]
    controller = Controller(relay, hostname="127.0.0.1", port=relay.port, **options)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()


def password_is(user: str, password: str) -> dict[str, object]:
    """Give the options of a server that wants this user and password."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object):
        good = (data.login, data.password) == (user.encode(), password.encode())  # type: ignore[attr-defined]
        return AuthResult(success=good, handled=False)

    return {"authenticator": check, "auth_required": True, "auth_require_tls": False}


@contextmanager
def silent() -> Iterator[int]:
    """Listen on a port, accept and never say a word; give the port."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        held = []

        def accept() -> None:
            while not stop.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            thread.join()
            for connection in held:
                connection.close()


def nobody() -> int:
    """Give a loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tls(certificate: str, key: str) -> ssl.SSLContext:
    """Give a server's TLS context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def self_signed(folder: Path) -> tuple[str, str]:
    """Make a certificate for 127.0.0.1; give its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = clock.now()
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place, key_place = folder / "certificate.pem", folder / "key.pem"
    place.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_place.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(place), str(key_place)
