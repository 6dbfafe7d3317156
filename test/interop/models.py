"""Models as the protocol sees them: paths, manifests, digests, aliases, and the chunks of a folder."""

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from wire import MAX_CHUNK_BYTES, MAX_ITEMS, fields, integer, list_of, one_of, require, text

PLAIN_CHUNK_BYTES = 1_048_576
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³]|con(in|out)\$)(\..*)?", re.IGNORECASE | re.DOTALL)
_ALIAS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def digest(value):
    require(isinstance(value, str) and _SHA256.fullmatch(value), "That is no digest.", "invalid_model")
    return value


def alias(value):
    fits = isinstance(value, str) and _ALIAS.fullmatch(value)
    require(fits and value not in ("all", "latest", "none", "null"), "That is no alias.", "bad_argument")
    require(not re.fullmatch(r"[0-9A-Fa-f]{8}", value), "That alias would look like an id.", "bad_argument")
    return value


def model_path(value):
    def check(condition):
        require(condition, f"A model has no file of the name {value!r}.", "invalid_model")

    check(isinstance(value, str) and unicodedata.is_normalized("NFC", value))
    check(not re.search(r"[\\\x00-\x1f\x7f\ud800-\udfff]", value) and not re.match(r"[A-Za-z]:(/|$)", value))
    check(len(value.encode()) <= 3072)
    names = value.split("/")
    for name in names:
        check(name not in ("", ".", "..") and not name.endswith((" ", ".")))
        check(len(name.encode()) <= 255 and not _DEVICE.fullmatch(name))
    check(names[0].lower() != ".model-rtc")
    return value


def _mode(value):
    require(integer(value) <= 0o777, "Those are no permission bits.", "invalid_model")
    return int(value)


_MANIFEST = fields(
    version=one_of(1),
    files=list_of(fields(path=model_path, size=integer, sha256=digest, mode_=_mode), 200_000, 1),
    chunker=text(64, 1),
    chunks=list_of(fields(digest=digest, size=integer), MAX_ITEMS),
)


def manifest(value):
    """The manifest, checked by every rule of the page."""
    checked = _MANIFEST(value)
    sizes = [chunk["size"] for chunk in checked["chunks"]]
    require(all(1 <= size <= MAX_CHUNK_BYTES for size in sizes), "A chunk has no such size.", "invalid_model")
    total = sum(file["size"] for file in checked["files"])
    require(sum(sizes) == total <= 2**53 - 1, "The chunks do not cover the files.", "invalid_model")
    path_bytes = sum(len(file["path"].encode()) for file in checked["files"])
    require(path_bytes <= max(160 * len(checked["files"]), 2**20), "The paths are too long together.", "invalid_model")
    paths = [_folded(file["path"]) for file in checked["files"]]
    folders = {path[:at] for path in paths for at, letter in enumerate(path) if letter == "/"}
    require(len(set(paths)) == len(paths), "A path is there twice.", "invalid_model")
    require(folders.isdisjoint(paths), "A file is also a folder.", "invalid_model")
    return checked


def _folded(path):
    return unicodedata.normalize("NFC", path.upper().lower())


def canonical(files):
    """The text whose SHA-256 is the digest of a model."""
    ordered = sorted(files, key=lambda file: file["path"].encode())
    return "".join(f"{file['sha256']} {file['size']} {file['path']}\n" for file in ordered).encode()


def model_digest(files):
    return hashlib.sha256(canonical(files)).hexdigest()


def places(checked):
    """For each chunk of a manifest in turn, where its bytes belong: a list of (path, offset in the file, length)."""
    files = iter(checked["files"])
    file, at = next(files), 0
    for chunk in checked["chunks"]:
        parts, left = [], chunk["size"]
        while left > 0:
            length = min(left, file["size"] - at)
            if length > 0:
                parts.append((file["path"], at, length))
            at, left = at + length, left - length
            if left > 0:
                file, at = next(files), 0
        yield parts


def manifest_of(path):
    """The manifest of a folder, or of one file under its own name, in chunks of 1 MiB that start anew at each file."""
    root = path if path.is_dir() else path.parent
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    files, chunks = [], []
    for file in found:
        if not file.is_file():
            continue
        whole, size = hashlib.sha256(), 0
        with file.open("rb") as stream:
            while piece := stream.read(PLAIN_CHUNK_BYTES):
                whole.update(piece)
                size += len(piece)
                chunks.append({"digest": hashlib.sha256(piece).hexdigest(), "size": len(piece)})
        name = file.relative_to(root).as_posix()
        mode = os.stat(file).st_mode & 0o777
        files.append({"path": name, "size": size, "sha256": whole.hexdigest(), "mode": mode})
    return manifest({"version": 1, "files": files, "chunker": "plain-1", "chunks": chunks})
