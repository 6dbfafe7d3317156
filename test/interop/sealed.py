"""The sealed exchange: envelopes between a visitor and a worker that pass through a signaling server.

The client needs the visitor's side alone. The worker's is here so that the test vectors can be checked whole.
"""

import hashlib
import struct

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from wire import ERROR, ProtocolError, read_value, require

TO_WORKER, TO_VISITOR = b"\x01", b"\x02"
MAX_ENVELOPE_BYTES = 65_536
MAX_ENVELOPES = 4096


class Refused(ProtocolError):
    """The worker's own signed word that it will not talk: the exchange is over."""


def sealing_key(secret, worker_key, direction, exchange_id):
    info = b"model-rtc/1/sealed/key\0" + direction + exchange_id
    return HKDF(hashes.SHA256(), 32, worker_key, info).derive(secret)


class Chain:
    """The hash chain over the envelopes of one direction, with every value that it had."""

    def __init__(self, direction, exchange_id):
        self.values = [hashlib.sha256(b"model-rtc/1/sealed/chain\0" + direction + exchange_id).digest()]

    def add(self, envelope):
        self.values.append(hashlib.sha256(self.values[-1] + envelope).digest())

    @property
    def count(self):
        return len(self.values) - 1


# The keys of small order of Ed25519 without their sign, in every encoding: they verify what nobody signed.
_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL_ORDER = {0, 1, _P - 1, _P, _P + 1, _ORDER_8, _P - _ORDER_8}


def verify(public_key, signature, signed):
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    require(y < _P and y not in SMALL_ORDER, "The worker's key is none.", "refused")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise ProtocolError("The worker's signature is not right.", "refused") from error


def open_sealed(key, nonce, sealed, associated):
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError) as error:
        raise ProtocolError("The envelope does not open.", "refused") from error


def answer_signed_part(chain_seen, chain_own, head, sealed):
    return b"model-rtc/1/sealed/signature\0" + chain_seen + chain_own + head + sealed


class _Exchange:
    def __init__(self, worker_key, key_id, secret, exchange_id):
        self.worker_key, self.key_id, self.exchange_id = worker_key, key_id, exchange_id
        self.key_to_worker = sealing_key(secret, worker_key, TO_WORKER, exchange_id)
        self.key_to_visitor = sealing_key(secret, worker_key, TO_VISITOR, exchange_id)
        self.to_worker = Chain(TO_WORKER, exchange_id)
        self.to_visitor = Chain(TO_VISITOR, exchange_id)


class VisitorExchange(_Exchange):
    """The visitor's side of one exchange."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._seen = 1
        self._first = b""

    def seal(self, plaintext, nonce):
        sequence = self.to_worker.count
        require(sequence < MAX_ENVELOPES, "Those are too many envelopes.", "refused")
        head = b"\x01\x01" + self.key_id + self.exchange_id + struct.pack(">I", sequence) + nonce
        envelope = head + AESGCM(self.key_to_worker).encrypt(nonce, plaintext, head)
        require(len(envelope) <= MAX_ENVELOPE_BYTES, "That envelope is too long.", "refused")
        self._first = self._first or envelope
        self.to_worker.add(envelope)
        return envelope

    def open(self, envelope):
        """
        What is inside an envelope of the worker; nothing changes when it is refused.
        Raises Refused when the worker says in the clear, and signed, that it will not talk.
        """
        require(2 <= len(envelope) <= MAX_ENVELOPE_BYTES and envelope[0] == 1, "That is no envelope.", "refused")
        if envelope[1] == 3:
            raise self._refusal(envelope)
        require(envelope[1] == 2 and len(envelope) >= 118, "That is no envelope of a worker.", "refused")
        head, signature, sealed = envelope[:38], envelope[38:102], envelope[102:]
        sequence, seen = struct.unpack(">II", head[18:26])
        require(head[2:18] == self.exchange_id, "That is another exchange.", "refused")
        require(sequence == self.to_visitor.count, "An envelope is missing or repeated.", "refused")
        require(self._seen <= seen <= self.to_worker.count, "The worker cannot have seen that.", "refused")
        chains = self.to_worker.values[seen], self.to_visitor.values[-1]
        verify(self.worker_key, signature, answer_signed_part(*chains, head, sealed))
        plaintext = open_sealed(self.key_to_visitor, head[26:38], sealed, head)
        self.to_visitor.add(envelope)
        self._seen = seen
        return plaintext

    def _refusal(self, envelope):
        require(len(envelope) > 82, "That refusal is cut off.", "refused")
        head, signature, error = envelope[:18], envelope[18:82], envelope[82:]
        require(head[2:] == self.exchange_id, "That is another exchange.", "refused")
        first = hashlib.sha256(self._first).digest()
        verify(self.worker_key, signature, b"model-rtc/1/sealed/refusal\0" + first + head + error)
        content = ERROR(read_value(error))
        return Refused(content["message"], content["code"])


class WorkerExchange(_Exchange):
    """The worker's side, as far as the test vectors go."""

    def open(self, envelope):
        require(58 <= len(envelope) <= MAX_ENVELOPE_BYTES, "That is no envelope of a visitor.", "refused")
        head = envelope[:42]
        expected = b"\x01\x01" + self.key_id + self.exchange_id + struct.pack(">I", self.to_worker.count)
        require(head[:30] == expected, "That is not the visitor's next envelope.", "refused")
        plaintext = open_sealed(self.key_to_worker, head[30:], envelope[42:], head)
        self.to_worker.add(envelope)
        return plaintext

    def seal(self, plaintext, nonce, seen, private_key):
        head = b"\x01\x02" + self.exchange_id + struct.pack(">II", self.to_visitor.count, seen) + nonce
        sealed = AESGCM(self.key_to_visitor).encrypt(nonce, plaintext, head)
        chains = self.to_worker.values[seen], self.to_visitor.values[-1]
        envelope = head + private_key.sign(answer_signed_part(*chains, head, sealed)) + sealed
        self.to_visitor.add(envelope)
        return envelope
