"""Running a model of the worker: sending the data, submitting a job, following it over lost connections, fetching the results."""

import asyncio
from pathlib import Path

import models
import wire
from chunks import check_file, chunk_server, fetch
from wire import require

ENDED = ("completed", "failed", "cancelled", "lost")

# What this client uses of the results.
INFO = wire.fields(entry=wire.fields(digest_=models.digest))
MISSING = wire.fields(missing=wire.list_of(models.digest, 64))
EXIT = wire.fields(code_=wire.integer, signal_=wire.text(32))
JOB = wire.fields(job=wire.fields(id=wire.text(32, 8), state=wire.text(64), lastEvent=wire.integer, exit_=EXIT))
EVENT = wire.fields(number=wire.integer, type=wire.text(64), text_=wire.text(4096))
EVENTS = wire.fields(events=wire.list_of(EVENT, 1024, 1))
RESULTS = wire.fields(form=wire.one_of("file", "folder"), manifest_=models.manifest)


class Enough(Exception):
    """So many events came that the connection is given up, to follow the job over another one."""


async def submit(with_worker, args):
    """Runs a job to its end. `with_worker` runs an action over a new connection."""
    job = await with_worker(lambda peer, handlers: start(peer, handlers, args))
    seen = []
    if args.reconnect_after is not None:
        try:
            return await with_worker(lambda peer, _: finish(peer, job["id"], seen, args))
        except Enough:
            args.reconnect_after = None
    return await with_worker(lambda peer, _: finish(peer, job["id"], seen, args))


async def start(peer, handlers, args):
    require("jobs" in peer.capabilities, "This worker runs no jobs.", "protocol_mismatch")
    model = INFO(await peer.query("get_model_info", {"ref": args.ref}))["entry"].get("digest")
    require(model, "That model has no digest yet: it is training.", "not_found")
    data = await send_data(peer, handlers, args.data)
    params = {"models": [model], "data": [data], "settings": dict(text.split("=", 1) for text in args.set)}
    if args.runner is not None:
        params["runner"] = args.runner
    answer = await peer.request("submit_job", params)
    require(answer.get("outcome") in ("queued", "found"), "The worker did not take the job.")
    return JOB(answer)["job"]


async def send_data(peer, handlers, path):
    """Sends a file or folder, unless the worker has it; gives what a job calls it by."""
    manifest = await asyncio.to_thread(models.manifest_of, path)  # pings are answered meanwhile
    digest = models.model_digest(manifest["files"])
    if MISSING(await peer.query("check_data", {"digests": [digest]}))["missing"]:
        root = path if path.is_dir() else path.parent
        handlers["get_chunks"] = chunk_server(peer, root, digest, manifest)
        await peer.request("push_data", {"manifest": manifest})
    return {"digest": digest, "name": path.name, "form": "folder" if path.is_dir() else "file"}


async def finish(peer, job_id, seen, args):
    job = await follow(peer, job_id, seen, args.reconnect_after)
    report = {"job": job, "lines": [event["text"] for event in seen if event["type"] == "log"], "events": len(seen)}
    if job["state"] == "completed":
        await fetch_results(peer, job_id, args.out)
    return report


async def follow(peer, job_id, seen, at_most):
    """Waits until the job has ended. `seen` gets each event once, whatever comes twice."""
    enough = asyncio.get_running_loop().create_future()

    def take(batch):
        for event in EVENTS(batch)["events"]:
            require(event["number"] <= len(seen) + 1, "An event is missing.")
            if event["number"] == len(seen) + 1:
                seen.append(event)
        if at_most is not None and len(seen) >= at_most and not enough.done():
            enough.set_result(None)

    asked = {"id": job_id, "fromEvent": len(seen) + 1}
    following = asyncio.ensure_future(peer.request("follow_job", asked, on_event=take))
    await asyncio.wait([following, enough], return_when=asyncio.FIRST_COMPLETED)
    if not following.done():
        following.cancel()
        raise Enough
    return JOB(following.result())["job"]


async def fetch_results(peer, job_id, out):
    """Fetches what the runner wrote: a file, or a folder."""
    require(not out.exists(), f"{out} is there already.", "bad_argument")
    results = RESULTS(await peer.query("get_results", {"id": job_id}))
    manifest = results.get("manifest")
    staging = out.with_name(f"{out.name}.partial")
    staging.mkdir()
    if manifest is not None:
        for file in manifest["files"]:
            path = staging / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        await fetch(peer, models.model_digest(manifest["files"]), manifest, staging)
        for file in manifest["files"]:
            await asyncio.to_thread(check_file, staging / file["path"], file)
    if results["form"] == "folder":
        staging.rename(out)
        return
    (staging / manifest["files"][0]["path"]).rename(out)
    Path(staging).rmdir()
