"""The bytes of models and of data for jobs: fetching them, and giving them to a worker that pulls."""

import asyncio
import hashlib

import models
import wire
from wire import require

WINDOW_BYTES = 4_194_304
WINDOW_CHUNKS = 64
WINDOWS_AT_ONCE = 3
ASKED_AT_MOST = 3


async def fetch(peer, digest, manifest, folder):
    """Asks for each different chunk once, in windows of which a few are open at a time."""
    wanted = {}
    for chunk, parts in zip(manifest["chunks"], models.places(manifest)):
        wanted.setdefault(chunk["digest"], (chunk["size"], []))[1].append(parts)
    slots = asyncio.Semaphore(WINDOWS_AT_ONCE)

    async def fetch_window(window):
        async with slots:
            for chunk, data in (await get_chunks(peer, digest, window)).items():
                for parts in wanted[chunk][1]:
                    write_parts(folder, parts, data)

    try:
        async with asyncio.TaskGroup() as group:
            for window in windows({chunk: size for chunk, (size, _) in wanted.items()}):
                group.create_task(fetch_window(window))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return sum(size for size, _ in wanted.values())


def windows(sizes):
    """Cuts {digest: size} into pieces that one request asks for."""
    window = {}
    for digest, size in sizes.items():
        if window and (len(window) == WINDOW_CHUNKS or sum(window.values()) + size > WINDOW_BYTES):
            yield window
            window = {}
        window[digest] = size
    if window:
        yield window


async def get_chunks(peer, model, window):
    """The chunks of a window by digest; those that were damaged on their way are asked for again."""
    whole = {}
    for _ in range(ASKED_AT_MOST):
        missing = [digest for digest in window if digest not in whole]
        if not missing:
            break
        buffers = [bytearray() for _ in missing]

        def take(frame):
            require(frame.index < len(buffers), "A chunk came that nobody asked for.")
            # A damaged frame leaves a gap, and with it a chunk of another digest.
            if frame.intact and frame.offset == len(buffers[frame.index]):
                buffers[frame.index] += frame.payload

        asked = [{"index": index, "digest": digest} for index, digest in enumerate(missing)]
        await peer.request("get_chunks", {"digest": model, "chunks": asked}, on_frame=take)
        whole |= {digest: data for digest, data in zip(missing, buffers) if sha256(data) == digest}
    require(len(whole) == len(window), "Chunks were damaged again and again.", "verification_failed")
    return whole


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_parts(folder, parts, data):
    at = 0
    for path, offset, length in parts:
        with (folder / path).open("r+b") as stream:
            stream.seek(offset)
            stream.write(data[at : at + length])
        at += length


def check_file(path, file):
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    require(actual == file["sha256"], f"{file['path']} is not what it should be.", "verification_failed")
    path.chmod(0o755 if file.get("mode", 0) & 0o111 else 0o644)


def chunk_server(peer, folder, model, manifest):
    """Answers `get_chunks` for one model."""
    parts_of = {chunk["digest"]: parts for chunk, parts in zip(manifest["chunks"], models.places(manifest))}
    params_of = wire.fields(
        digest=models.digest,
        chunks=wire.list_of(wire.fields(index=wire.u32, digest=models.digest), 256, 1),
    )

    async def answer(request, params):
        asked = params_of(params)
        require(asked["digest"] == model, "This client offers another model.", "not_found")
        for chunk in asked["chunks"]:
            require(chunk["digest"] in parts_of, "That chunk is not of this model.", "not_found")
            data = b"".join(read_part(folder, *part) for part in parts_of[chunk["digest"]])
            require(sha256(data) == chunk["digest"], "A file changed since it was hashed.", "source_changed")
            await peer.send_chunk(request, chunk["index"], data)
        return {}

    return answer


def read_part(folder, path, offset, length):
    with (folder / path).open("rb") as stream:
        stream.seek(offset)
        return stream.read(length)
