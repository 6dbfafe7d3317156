"""Chunks in the encoding planes-zstd-1. Compressed blocks need the module zstandard; raw and repeated ones do not."""

import struct

from wire import require

try:
    import zstandard
except ImportError:
    zstandard = None

HEAD = struct.Struct(">BII")
MAGIC = b"\x28\xb5\x2f\xfd"


class NeedsZstandard(Exception):
    """The block is compressed, and this machine has no zstd."""


def decode_chunk(encoded, size):
    """The chunk of `size` bytes (what its manifest says) that comes in this form."""
    require(len(encoded) > HEAD.size, "The form is cut off.")
    transform, chunk_bytes, encoded_bytes = HEAD.unpack_from(encoded)
    require(transform in (1, 2, 4), "That transform is unknown.")
    require(chunk_bytes == size and encoded_bytes == len(encoded) < size, "The form has another length than it says.")
    content = _decompress(encoded[HEAD.size :], size)
    return content if transform == 1 else _join_planes(content, transform)


def _join_planes(content, width):
    count = len(content) // width
    chunk = bytearray(content)
    for plane in range(width):
        chunk[plane : count * width : width] = content[plane * count : (plane + 1) * count]
    return bytes(chunk)


def _decompress(frame, size):
    content_size, at = _content_size(frame)
    require(content_size == size, "The zstd frame is of another size than the chunk.")
    content, is_last = bytearray(), False
    while not is_last:
        require(len(frame) >= at + 3, "The zstd frame is cut off.")
        head = int.from_bytes(frame[at : at + 3], "little")
        is_last, kind, length, at = head & 1, head >> 1 & 3, head >> 3, at + 3
        require(len(content) + (length if kind < 2 else 0) <= size, "The content is longer than the chunk.")
        if kind == 0:
            content += frame[at : at + length]
        elif kind == 1:
            content += frame[at : at + 1] * length
        else:
            return _by_library(frame, size)
        at += length if kind == 0 else 1
    require(len(content) == size and at == len(frame), "The content is not as long as it should be.")
    return bytes(content)


def _content_size(frame):
    """What the head of the frame says (RFC 8878, 3.1.1.1), and where its blocks begin."""
    require(len(frame) > 5 and frame[:4] == MAGIC, "That is no frame of zstd.")
    flags = frame[4]
    is_single, field = flags >> 5 & 1, flags >> 6
    require(flags & 0b1111 == 0 and (is_single or field), "The frame does not say its size, or needs more than it has.")
    at, length = (5 if is_single else 6), (1, 2, 4, 8)[field]
    require(len(frame) >= at + length, "The zstd frame is cut off.")
    return int.from_bytes(frame[at : at + length], "little") + (256 if length == 2 else 0), at + length


def _by_library(frame, size):
    if zstandard is None:
        raise NeedsZstandard
    try:
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=size)
    except zstandard.ZstdError as error:
        require(False, str(error))
