"""Session tokens and what follows from them: where to dial, and the name of the worker's room."""

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from wire import ProtocolError, require

SCOPES = {1: "read", 2: "write", 4: "track"}
FEATURES = {1: "ask"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    """Only the one spelling: no padding, no white space, unused bits zero."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise ProtocolError("That is not base64url.") from error
    require(base64url(data) == text, "That is not base64url in its one spelling.")
    return data


@dataclass(frozen=True)
class Token:
    worker_key: bytes
    key_id: bytes
    secret: bytes
    scopes: tuple
    expires_at: int  # seconds since 1970; 0 is never
    urls: tuple
    features: tuple


def parse_token(text):
    text = text.strip()
    require(text.startswith("mrtc1_"), "That is no session token of this version.")
    require(len(text) <= 2048, "That token is too long.")
    data = from_base64url(text[6:])
    require(len(data) > 68, "That token is cut off.")
    body, checksum = data[:-4], data[-4:]
    expected = hashlib.sha256(b"model-rtc/1/token\0" + body).digest()[:4]
    require(checksum == expected, "That token is mistyped or cut off.")
    scopes = tuple(name for bit, name in SCOPES.items() if body[0] & bit)
    require(scopes, "That token allows nothing.")
    expires_at = int.from_bytes(body[1:7], "big")
    require(expires_at <= 8_640_000_000_000, "That token's expiry is no time.")
    urls, rest = _token_urls(body)
    features = tuple(name for bit, name in FEATURES.items() if rest and rest[0] & bit)
    return Token(body[7:39], body[39:47], body[47:63], scopes, expires_at, urls, features)


def _token_urls(body):
    require(1 <= body[63] <= 16, "A token names 1 to 16 signaling servers.")
    urls, at = [], 64
    for _ in range(body[63]):
        length = int.from_bytes(body[at : at + 2], "big")
        url, at = body[at + 2 : at + 2 + length], at + 2 + length
        require(at <= len(body), "A signaling URL is cut off.")
        urls.append(_checked_url(url))
    return tuple(urls), body[at:]


def _checked_url(url):
    require(len(url) <= 256 and all(0x21 <= byte <= 0x7E for byte in url), "That is no signaling URL.")
    text = url.decode("ascii")
    parts = urlsplit(text)
    require(text.startswith(("ws://", "wss://")) and parts.hostname, "That is no signaling URL.")
    require("@" not in parts.netloc and "#" not in text, "A signaling URL has no user name and no fragment.")
    return text


def signaling_address(url, below=""):
    """What is dialled for a signaling URL: `/v1` goes to the end of its path, and what is `below` it behind that."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/v1" + below))


def room_of(public_key):
    return base64url(hashlib.sha256(b"model-rtc/1/room\0" + public_key).digest())


def registration_text(host, nonce):
    name = host.encode()
    return b"model-rtc/1/register\0" + struct.pack(">H", len(name)) + name + nonce
