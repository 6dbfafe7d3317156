"""Promises of the page that no ordinary transfer shows: what a worker says of requests and messages that break a rule."""

import asyncio

import wire
from lane import open_lane
from peer import Peer
from wire import ProtocolError

SECONDS = 20
BAD_OFFERS = {
    "an offer of an agent with ICE-lite": lambda sdp: sdp.replace("t=0 0", "t=0 0\r\na=ice-lite"),
    "an offer with tiny messages": lambda sdp: sdp + "a=max-message-size:4095\r\n",
    "an offer that is no SDP": lambda _: "nothing",
    "an offer that is too long": lambda sdp: sdp + "a=x:" + "x" * 40_000,
}


async def probe(token):
    """What the worker answered, by what it was asked."""
    answers = {}
    for name, change in BAD_OFFERS.items():
        answers[name] = await _code_of(_refused_offer(token, change))
    answers["a malformed first message"] = await _code_of(_malformed_first(token))
    answers["another major version"] = await _code_of(_other_major(token))
    for kind in ("webrtc", "relay"):
        answers[f"an exchange right behind hello on a {kind} lane"] = await _behind_hello(token, kind)
    return answers | await _asked(token)


async def _refused_offer(token, change):
    await (await open_lane(token, change_offer=change)).abort()


async def _malformed_first(token):
    await _first_message(token, bytes([0xC2, 1, 2]))


async def _other_major(token):
    await _first_message(token, wire.write_value({"type": "hello", "protocol": {"major": 2, "minor": 0}}))


async def _first_message(token, data):
    """Says this in place of hello, and raises the error of the worker's bye."""
    lane = await open_lane(token)
    try:
        await lane.send(data)
        while True:
            message = wire.read_message(await lane.receive())
            if message["type"] == "bye":
                raise ProtocolError(message["error"]["message"], message["error"]["code"])
    finally:
        await lane.abort()


async def _behind_hello(token, kind):
    peer = Peer(await open_lane(token, kind), {})
    try:
        await peer.start(["lanes"], [{"type": "exchange", "message": {"type": "direct_ask", "lane": 7}}])
        answer = await asyncio.wait_for(peer.exchanges.get(), SECONDS)
        return f"{answer['type']} {answer['lane']}"
    finally:
        await peer.close()


async def _asked(token):
    """What the worker answers on a good connection."""
    peer = Peer(await open_lane(token), {})
    try:
        await peer.start()
        await peer.say({"type": "weather", "of": "a later version"})
        bad_manifest = {"version": 1, "files": [{"path": "../a", "size": 0, "sha256": "0" * 64}], "chunker": "c", "chunks": []}
        return {
            "a manifest that breaks a rule": await _code_of(peer.request("plan_push", {"manifest": bad_manifest})),
            "a request that nobody knows": await _code_of(peer.request("format_disk", {})),
            "parameters that break a rule": await _code_of(peer.request("get_model_info", {"ref": 7})),
            "a chunk of no model": await _code_of(
                peer.request("get_chunks", {"digest": "0" * 64, "chunks": [{"index": 0, "digest": "0" * 64}]})
            ),
        }
    finally:
        await peer.close()


async def _code_of(awaitable):
    try:
        await asyncio.wait_for(awaitable, SECONDS)
    except ProtocolError as error:
        return error.code
    return "done"
