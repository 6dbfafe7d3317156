"""What goes over a lane: MessagePack, messages and frames (docs/protocol.md).

Everything here is pure: bytes in, values out. Whatever breaks a rule of the page raises ProtocolError.
"""

import struct
from dataclasses import dataclass

import msgpack
import xxhash

MAX_MESSAGE_BYTES = 33_554_432
MAX_PARTIAL_MESSAGES = 4
MAX_FRAME_BYTES = 65_536
MAX_NESTING = 16
MAX_ITEMS = 380_000
MAX_MAP_ENTRIES = 4096
MAX_VALUES = 2_500_000
MAX_STRING_BYTES = 262_144
MAX_CHUNK_BYTES = 4_194_304
MAX_INTEGER = 2**53 - 1
U32 = 2**32 - 1


class ProtocolError(Exception):
    """Something that the protocol says must be refused, or an error that the other side sent."""

    def __init__(self, message, code="malformed_message"):
        super().__init__(message)
        self.code = code

    def as_map(self):
        return {"code": self.code, "message": str(self)}


def require(condition, message, code="malformed_message"):
    if not condition:
        raise ProtocolError(message, code)


# MessagePack


def write_value(value):
    return msgpack.packb(value)


def read_value(data):
    """One MessagePack value by the page's rules."""
    try:
        value = msgpack.unpackb(
            data,
            strict_map_key=False,  # the keys are checked below, together with their number
            object_pairs_hook=_checked_map,
            ext_hook=_refuse_extension,
            max_str_len=MAX_STRING_BYTES,
            max_bin_len=MAX_STRING_BYTES,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_MAP_ENTRIES,
        )
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise ProtocolError("That is not MessagePack as the protocol has it.") from error
    _check_values(value)
    return value


def _checked_map(pairs):
    pairs = list(pairs)
    result = dict(pairs)
    require(len(result) == len(pairs), "A key is there twice.")
    require(all(isinstance(key, str) and key != "__proto__" for key in result), "A key is no name of a field.")
    return result


def _refuse_extension(_code, _data):
    raise ProtocolError("There are no extension types.")


def _check_values(root):
    """Without recursion: what is nested too deeply must not reach Python's own limit."""
    count, waiting = 0, [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if isinstance(value, (dict, list)):
            require(depth < MAX_NESTING, "That is nested too deeply.")
            count += len(value) if isinstance(value, dict) else 0
            waiting += [(item, depth + 1) for item in (value.values() if isinstance(value, dict) else value)]
        elif isinstance(value, int):
            require(abs(value) <= MAX_INTEGER, "That integer is too large.")
        else:
            # msgpack gives timestamps as a type of their own, whatever the hook for extensions says.
            require(value is None or isinstance(value, (str, bytes, float)), "There are no extension types.")
        require(count <= MAX_VALUES, "Those are too many values.")


# Messages: for each type its fields, and whether a field may be left out. Unknown fields are dropped.


def u32(value):
    require(isinstance(value, (int, float)) and not isinstance(value, bool), "A number is expected.")
    require(0 <= value <= U32 and value == int(value), "That is no u32.")
    return int(value)


def integer(value):
    require(isinstance(value, (int, float)) and not isinstance(value, bool), "A number is expected.")
    require(0 <= value <= MAX_INTEGER and value == int(value), "A whole number is expected.")
    return int(value)


def text(longest, shortest=0):
    """Lengths are counted in UTF-16 code units."""

    def check(value):
        require(isinstance(value, str), "A text is expected.")
        length = len(value.encode("utf-16-le")) // 2
        require(shortest <= length <= longest, "A text of another length is expected.")
        return value

    return check


def binary(length):
    def check(value):
        require(isinstance(value, bytes) and len(value) == length, "A binary of another length is expected.")
        return value

    return check


def binary_to(longest, shortest=0):
    def check(value):
        require(isinstance(value, bytes) and shortest <= len(value) <= longest, "A binary of another length is expected.")
        return value

    return check


def any_map(value):
    require(isinstance(value, dict), "A map is expected.")
    return value


def fields(**checks):
    """A map with these fields; `name_` in place of `name` may be left out."""

    def check(value):
        any_map(value)
        result = {}
        for key, check_field in checks.items():
            name = key.rstrip("_")
            if name in value:
                result[name] = check_field(value[name])
            else:
                require(key != name, f"The field {name} is missing.")
        return result

    return check


def list_of(check_item, longest, shortest=0):
    def check(value):
        require(isinstance(value, list) and shortest <= len(value) <= longest, "A list is expected.")
        return [check_item(item) for item in value]

    return check


def one_of(*values):
    def check(value):
        require(value in values, f"One of {values} is expected.")
        return value

    return check


ERROR = fields(code=text(64, 1), message=text(4096), details_=any_map)
HELLO = fields(
    protocol=fields(major=u32, minor=u32),
    agent=fields(role=one_of("worker", "client"), name=text(256), version=text(64)),
    capabilities=list_of(text(64), 256),
    limits=fields(maxMessageBytes=u32, maxOpenRequests=u32),
)
MESSAGES = {
    "hello": HELLO,
    "request": fields(id=u32, method=text(64, 1), params=any_map, again_=one_of(True)),
    "event": fields(id=u32, event=any_map),
    "reply": fields(id=u32, result=any_map),
    "error": fields(id=u32, error=ERROR),
    "cancel": fields(id=u32),
    "ping": fields(nonce=u32),
    "pong": fields(nonce=u32),
    "bye": fields(error_=ERROR),
    "exchange": fields(message=any_map),
}
# One piece of a request without a lane, or of its answer.
PIECE = fields(lane=u32, bytes=binary_to(61_440), more_=one_of(True))
# What is inside the sealed exchange.
SEALED = {
    "offer": fields(lane=u32, engine=text(64), sdp=text(65_536)),
    "answer": fields(lane=u32, sdp=text(65_536)),
    "candidate": fields(lane=u32, candidate=text(4096), mid=text(64)),
    "direct_ask": fields(lane=u32),
    "direct_offer": fields(
        lane=u32,
        addresses=list_of(fields(host=text(253, 1), port=u32), 64),
        certificate=binary(32),
        token=binary(32),
    ),
    "relay_ask": fields(lane=u32, meeting=binary(16), publicKey=binary(32)),
    "relay_offer": fields(lane=u32, publicKey=binary(32)),
    "unavailable": fields(lane=u32, message=text(1024)),
    "refuse": fields(error=ERROR),
    "request": PIECE,
    "reply": PIECE,
}


def read_message(data, types=MESSAGES):
    message = any_map(read_value(data))
    kind = message.get("type")
    require(isinstance(kind, str) and kind in types, "That type of message is unknown.")
    return {"type": kind, **types[kind](message)}


def read_known_message(data, types=MESSAGES):
    """The message, or None for one of a type that a later version has: it is passed over."""
    kind = any_map(read_value(data)).get("type")
    return None if isinstance(kind, str) and len(kind) <= 64 and kind not in types else read_message(data, types)


# Frames

FRAME_MARK = 0xC1
CHUNK_HEAD = struct.Struct(">BBHIIIIQ")
FRAGMENT_HEAD = struct.Struct(">BBHIIII")


@dataclass(frozen=True)
class ChunkFrame:
    request: int
    index: int
    offset: int
    payload: bytes
    xxh64: int
    encoded: bool = False

    @property
    def intact(self):
        return xxhash.xxh64_intdigest(self.payload) == self.xxh64


@dataclass(frozen=True)
class Fragment:
    message: int
    total: int
    offset: int
    payload: bytes


def chunk_frame(request, index, offset, payload, encoded=False):
    head = (FRAME_MARK, 1, int(encoded), request, index, offset, len(payload), xxhash.xxh64_intdigest(payload))
    return CHUNK_HEAD.pack(*head) + payload


def fragments(number, message, longest):
    """A message as what the lane takes, at most `longest` bytes at once: itself if it fits, else in fragments."""
    if len(message) <= longest:
        yield message
        return
    step = longest - FRAGMENT_HEAD.size
    for offset in range(0, len(message), step):
        payload = message[offset : offset + step]
        yield FRAGMENT_HEAD.pack(FRAME_MARK, 2, 0, number, len(message), offset, len(payload)) + payload


def is_unknown_frame(data):
    """Whether a frame is of a kind that a later version has: it is passed over."""
    return len(data) >= 2 and data[0] == FRAME_MARK and data[1] not in (1, 2)


def read_frame(data):
    require(len(data) > 4 and data[0] == FRAME_MARK, "That is no frame.")
    flags = int.from_bytes(data[2:4], "big")
    require(flags == 0 or (flags == 1 and data[1] == 1), "That frame has an unknown flag.")
    head = {1: CHUNK_HEAD, 2: FRAGMENT_HEAD}.get(data[1])
    require(head and len(data) > head.size, "That frame is of an unknown kind, or has no payload.")
    payload, (_, _, _, *numbers) = data[head.size :], head.unpack_from(data)
    if data[1] == 1:
        request, index, offset, length, xxh64 = numbers
        limit, frame = MAX_CHUNK_BYTES, ChunkFrame(request, index, offset, payload, xxh64, flags == 1)
    else:
        message, total, offset, length = numbers
        require(total <= MAX_MESSAGE_BYTES, "That message is too long.")
        limit, frame = total, Fragment(message, total, offset, payload)
    require(length == len(payload), "That frame has another length than it says.")
    require(offset + length <= limit, "That frame goes beyond its end.")
    return frame


class Joiner:
    """Makes messages of fragments."""

    def __init__(self):
        self._partial = {}

    def add(self, fragment):
        """The message, when this was its last fragment."""
        total, parts = self._partial.setdefault(fragment.message, (fragment.total, bytearray()))
        require(total == fragment.total and len(parts) == fragment.offset, "A fragment is missing.")
        require(len(self._partial) <= MAX_PARTIAL_MESSAGES, "Those are too many messages at once.")
        parts += fragment.payload
        if len(parts) < total:
            return None
        del self._partial[fragment.message]
        require(parts[0] != FRAME_MARK, "Fragments never make a frame.")
        return bytes(parts)
