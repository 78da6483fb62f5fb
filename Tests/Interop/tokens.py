"""Access tokens made outside the service: with its own key or a foreign one, for any claims (RFC 7515, RFC 8037)."""

import base64
import hashlib
import json
import pathlib
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_FILE = "token-signing-key"


def load_key(data: pathlib.Path) -> Ed25519PrivateKey:
    """The signing key that the service keeps in its data folder."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex((data / KEY_FILE).read_text().strip()))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(key: Ed25519PrivateKey) -> str:
    """The key's name (RFC 7638 §3)."""
    public = encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    return encode(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}'.encode()).digest())


def sign(key: Ed25519PrivateKey, *, header: dict | None = None, **claims: object) -> str:
    """A token for publishing and watching in the incident `demo` that is good for an hour, unless `claims` say otherwise."""
    now = int(time.time())
    payload = {
        "sub": "test", "name": "test", "incident": "demo", "direction": ["publish", "subscribe"], "kind": "caller",
        "iat": now, "exp": now + 3600, "jti": f"test-{time.monotonic_ns()}",
    } | claims
    top = {"alg": "EdDSA", "kid": thumbprint(key), "typ": "JWT"} | (header or {})
    text = ".".join(encode(json.dumps(part).encode()) for part in (top, payload))
    return f"{text}.{encode(key.sign(text.encode()))}"
