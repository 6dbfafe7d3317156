#!/usr/bin/python3
"""
A client of model-rtc in Python, written from docs/protocol.md alone: an example for clients in other languages, and
the proof that the page is complete (test/e2e/interop.test.ts).

    client.py check-vectors DIR            check every test vector in packages/protocol/vectors
    client.py list TOKEN                   the models of a worker
    client.py pull TOKEN REF OUT_DIR       fetch a model into a new folder
    client.py push TOKEN DIR ALIAS         send a folder as a model
    client.py submit TOKEN MODEL DATA OUT  run a model of the worker on a file or folder, and fetch the results
    client.py probe TOKEN                  what the worker answers to what breaks a rule

Results are JSON on standard output; an error is JSON on standard error, and the exit code is 1. Needs Python 3.11 and
Debian's python3-aiortc, python3-cryptography, python3-msgpack, python3-websockets and python3-xxhash.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import models
import wire
from chunks import check_file, chunk_server, fetch
from jobs import submit
from lane import open_lane
from peer import Peer
from probe import probe
from tokens import parse_token
from vectors import check_vectors
from wire import ProtocolError, require

# What this client uses of the results.
PAGE = wire.fields(models=wire.list_of(wire.any_map, 200), total=wire.integer, nextCursor_=wire.text(512))
INFO = wire.fields(entry=wire.fields(digest_=models.digest))
MANIFEST = wire.fields(manifest=models.manifest)


async def list_models(peer):
    found, cursor = [], {}
    while True:
        page = PAGE(await peer.query("list_models", {"sort": "name", **cursor}))
        found += page["models"]
        if "nextCursor" not in page:
            return {"models": found, "total": page["total"]}
        cursor = {"cursor": page["nextCursor"]}


# Pulling


async def pull(peer, ref, out):
    """Fetches a model. The folder appears when every file in it is right, and not before."""
    require(not out.exists(), f"{out} is there already.", "bad_argument")
    digest = INFO(await peer.query("get_model_info", {"ref": ref}))["entry"].get("digest")
    require(digest, "That model has no digest yet: it is training.", "not_found")
    manifest = await get_manifest(peer, digest)
    staging = out.with_name(f"{out.name}.partial")
    for file in manifest["files"]:
        path = staging / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    received = await fetch(peer, digest, manifest, staging)
    for file in manifest["files"]:
        await asyncio.to_thread(check_file, staging / file["path"], file)
    staging.rename(out)
    return {"digest": digest, "files": len(manifest["files"]), "receivedBytes": received}


async def get_manifest(peer, digest):
    manifest = MANIFEST(await peer.query("get_manifest", {"digest": digest}))["manifest"]
    actual = models.model_digest(manifest["files"])
    require(actual == digest, "The manifest is another model's.", "verification_failed")
    return manifest


# Pushing


async def push(peer, handlers, folder, alias):
    """Asks the worker to pull a folder from here, and answers its requests for chunks until it has it."""
    manifest = await asyncio.to_thread(models.manifest_of, folder)  # pings are answered meanwhile
    digest = models.model_digest(manifest["files"])
    handlers["get_chunks"] = chunk_server(peer, folder, digest, manifest)
    entry = {
        "id": digest[:8],
        "digest": digest,
        "modelType": "unknown",
        "source": "local-import",
        "status": "completed",
        "size": sum(file["size"] for file in manifest["files"]),
        "fileCount": len(manifest["files"]),
    }
    params = {"manifest": manifest, "entry": entry, "alias": models.alias(alias), "ifExists": "skip"}
    return await peer.request("push_model", params)


# The command line


async def with_worker(token_text, kind, action):
    """Runs an action with a peer that is connected to the token's worker, and the handlers of its requests."""
    handlers = {}
    peer = Peer(await open_lane(parse_token(token_text), kind), handlers)
    try:
        await peer.start()
        return await action(peer, handlers)
    finally:
        await peer.close()


def run(args):
    if args.command == "check-vectors":
        report = check_vectors(args.dir)
        require(not report.failures, "; ".join(report.failures), "verification_failed")
        return {"checked": report.checked}
    if args.command == "probe":
        return asyncio.run(probe(parse_token(args.token)))
    actions = {
        "list": lambda peer, _: list_models(peer),
        "pull": lambda peer, _: pull(peer, args.ref, args.out),
        "push": lambda peer, handlers: push(peer, handlers, args.dir, args.alias),
    }
    if args.command == "submit":
        return asyncio.run(submit(lambda action: with_worker(args.token, args.lane, action), args))
    return asyncio.run(with_worker(args.token, args.lane, actions[args.command]))


def arguments():
    parser = argparse.ArgumentParser(description="A client of model-rtc, written from docs/protocol.md alone.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check-vectors").add_argument("dir", type=Path)
    positional = {"list": (), "probe": (), "pull": ("ref", "out"), "push": ("dir", "alias")}
    for name, more in {**positional, "submit": ("ref", "data", "out")}.items():
        command = commands.add_parser(name)
        command.add_argument("token")
        command.add_argument("--lane", choices=["webrtc", "relay"], default="webrtc")
        for argument in more:
            command.add_argument(argument, type=Path if argument in ("out", "dir", "data") else str)
        if name == "submit":
            command.add_argument("--runner")
            command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
            command.add_argument("--reconnect-after", type=int, metavar="EVENTS")
    return parser.parse_args()


def main():
    try:
        print(json.dumps(run(arguments())))
    except (ProtocolError, OSError) as error:
        code = "timeout" if isinstance(error, TimeoutError) else "storage"
        known = error if isinstance(error, ProtocolError) else ProtocolError(str(error) or "It took too long.", code)
        print(json.dumps({"error": known.as_map()}), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
