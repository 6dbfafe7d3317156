"""The keys and frames of a relay lane. Everything here is pure: what meets at the relay is in lane.py."""

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from wire import ProtocolError

TO_ANSWERER, TO_ASKER = b"\x01", b"\x02"
FRAMES_PER_KEY = 1_048_576
MESSAGE, WORD = 0, 1


def shared_secret(private_key, public_key):
    """A public key of small order gives zeros, which anyone could guess: it is refused."""
    try:
        own = X25519PrivateKey.from_private_bytes(private_key)
        return own.exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError as error:
        raise ProtocolError("That key protects nothing.", "refused") from error


def lane_key(shared, meeting, direction, asker, answerer):
    info = b"model-rtc/1/relay/key\0" + direction + asker + answerer
    return HKDF(hashes.SHA256(), 32, meeting, info).derive(shared)


def next_key(key):
    return HKDF(hashes.SHA256(), 32, b"", b"model-rtc/1/relay/next-key\0").derive(key)


class Direction:
    """The frames of one direction, in order: the number is in none of them."""

    def __init__(self, key, number=0):
        """`key` is the direction's first, and `number` that of the next frame."""
        self._key, self._number, self._keys = key, number, 0

    def seal(self, kind, body):
        key, nonce = self._next()
        return AESGCM(key).encrypt(nonce, body + bytes([kind]), None)

    def open(self, frame):
        """The kind and the body of the next frame."""
        key, nonce = self._next()
        try:
            opened = AESGCM(key).decrypt(nonce, frame, None)
        except (InvalidTag, ValueError) as error:
            raise ProtocolError("The relay changed a frame.", "refused") from error
        if opened == b"":
            raise ProtocolError("A frame is empty.", "refused")
        return opened[-1], opened[:-1]

    def _next(self):
        while self._keys < self._number // FRAMES_PER_KEY:
            self._key, self._keys = next_key(self._key), self._keys + 1
        nonce = bytes(4) + struct.pack(">Q", self._number)
        self._number += 1
        return self._key, nonce
