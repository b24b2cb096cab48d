"""Secrets at rest: AES-256-GCM under a key derived from `SECRET_KEY`, bound to the tenant and place of use."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from tenants.names import tenant_tag

KEY_VERSION = b"\x01"
NONCE_BYTES = 12


class Unsealable(RuntimeError):
    """The sealed value was made with another key, for another tenant, or for another place."""


def _cipher() -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"panal vault v1")
    return AESGCM(derived.derive(settings.SECRET_KEY.encode()))


def _associated(context: str) -> bytes:
    return f"{tenant_tag()}|{context}".encode()


def seal(plaintext: str, *, context: str) -> bytes:
    """Encrypt for the current tenant; `context` names table, column and row (for example `provider.key|<id>`)."""
    nonce = os.urandom(NONCE_BYTES)
    return KEY_VERSION + nonce + _cipher().encrypt(nonce, plaintext.encode(), _associated(context))


def unseal(sealed: bytes | memoryview, *, context: str) -> str:
    """Decrypt what `seal` made with the same tenant and context. Raises `Unsealable`."""
    data = bytes(sealed)
    nonce, ciphertext = data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :]
    try:
        return _cipher().decrypt(nonce, ciphertext, _associated(context)).decode()
    except InvalidTag as error:
        raise Unsealable("the secret cannot be read with this key") from error
