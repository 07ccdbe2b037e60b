"""Small secrets that lie in a table, sealed: a dump of the table alone does not open them.

AES-256-GCM under a key derived (HKDF-SHA256) from the stage's `id-key`, which lies in SSM and never
changes, or from another secret that lies there. What a secret is for and whose it is are
authenticated with it: moved to another item, it does not open.
"""

import base64
import os
from typing import TYPE_CHECKING

from chalicelib.gateways import secrets

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_PURPOSE = b"tuan sealed 1"


def seal(content: bytes, *whose: str, key: str | None = None) -> str:
    """`content`, sealed for `whose` (what for, merchant, person); different every time.

    key: the secret to derive the key from; None: the stage's.
    """
    nonce = os.urandom(NONCE_BYTES)
    box = _cipher(key).encrypt(nonce, content, _context(whose))
    return base64.b64encode(nonce + box).decode()


def unseal(text: str, *whose: str, key: str | None = None) -> bytes:
    """What `seal` was given. Raises cryptography's InvalidTag when it was not for `whose`, or with
    another key."""
    raw = base64.b64decode(text, validate=True)
    return _cipher(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _context(whose))


def _context(whose: tuple[str, ...]) -> bytes:
    return "\x1f".join(whose).encode()


def _cipher(key: str | None) -> "AESGCM":
    # Imported here: only who logs in with a code needs them.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return AESGCM(derive.derive((key or secrets.secret("id-key")).encode()))
