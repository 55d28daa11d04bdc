"""Secrets at rest: encrypted by a key made from SECRET_KEY, so that a copied database is mute.

Each purpose has a key of its own: what was sealed for one does not open for another.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


def seal(purpose: str, text: str) -> str:
    """Encrypt a text, and guard it against change (Fernet: AES-128-CBC and HMAC-SHA256)."""
    return _cipher(purpose).encrypt(text.encode()).decode()


def unseal(purpose: str, sealed: str) -> str | None:
    """Give a sealed text; None when another SECRET_KEY or purpose sealed it, or it was changed."""
    try:
        return _cipher(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _cipher(purpose: str) -> Fernet:
    key = sha256(f"billclock {purpose} {settings.SECRET_KEY}".encode()).digest()
    return Fernet(urlsafe_b64encode(key))
