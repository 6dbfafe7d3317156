"""How a client comes to a lane: signaling, the sealed exchange, and a webrtc or relay lane that it brings up."""

import asyncio
import json
import os

import websockets
from relay_lane import RelayLane
from sealed import Refused, VisitorExchange
from tokens import base64url, from_base64url, room_of, signaling_address
from webrtc import WebRtcLane
from windowed import network_error
from wire import SEALED, ProtocolError, read_message, require, write_value

SIGNALING_FRAME_BYTES = 88_406
SIGNALING_PING_SECONDS = 4
SIGNALING_GONE_SECONDS = 12
LANE_OPEN_SECONDS = 10
ATTEMPTS = 3


async def open_lane(token, kind="webrtc", change_offer=lambda sdp: sdp):
    """
    An open lane to the token's worker. An attempt that the network spoiled is made again, at any of the servers.
    `change_offer` gets the SDP of each offer before it is sent.
    """
    for attempt in range(1, ATTEMPTS + 1):
        for url in token.urls:
            try:
                return await _open_lane_by(url, token, kind, change_offer)
            except Refused:
                raise
            except ProtocolError as error:
                failure = error
            except (OSError, ValueError, websockets.WebSocketException) as error:
                failure = network_error(str(error) or "it took too long")
                failure.__cause__ = error
        if attempt < ATTEMPTS:
            await asyncio.sleep(attempt)
    raise ProtocolError(f"No connection to the worker came about: {failure}", failure.code) from failure


async def _open_lane_by(url, token, kind, change_offer):
    options = {"compression": None, "max_size": SIGNALING_FRAME_BYTES, "ping_interval": None, "open_timeout": 10}
    async with websockets.connect(signaling_address(url), **options) as socket:
        signaling = Signaling(socket)
        await signaling.visit(room_of(token.worker_key))
        exchange = VisitorExchange(token.worker_key, token.key_id, token.secret, os.urandom(16))
        lane = RelayLane(url, 0) if kind == "relay" else WebRtcLane()
        tasks = [asyncio.create_task(signaling.keep_alive())]
        try:
            await signaling.send(_seal(exchange, await _first(lane, change_offer)))
            tasks.append(asyncio.create_task(_negotiate(signaling, exchange, lane)))
            tasks.append(asyncio.create_task(lane.until_open()))
            done, _ = await asyncio.wait(tasks, timeout=LANE_OPEN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            require(done, "The lane did not open in time.", "network")
            done.pop().result()  # only until_open ends without an error
            return lane
        except BaseException:
            await lane.abort()
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _first(lane, change_offer):
    if isinstance(lane, RelayLane):
        return lane.ask
    return {"type": "offer", "lane": 0, "engine": "aiortc", "sdp": change_offer(await lane.offer())}


def _seal(exchange, message):
    return exchange.seal(write_value(message), os.urandom(12))


async def _negotiate(signaling, exchange, lane):
    """Takes in what the worker says. The own candidates go out only after its answer."""
    while True:
        message = read_message(exchange.open(await signaling.receive()), SEALED)
        if message["type"] == "refuse":
            raise Refused(message["error"]["message"], message["error"]["code"])
        if message.get("lane") != 0:
            continue
        require(message["type"] != "unavailable", str(message.get("message")), "network")
        if message["type"] == "relay_offer":
            await lane.accept(message)
        elif message["type"] == "answer":
            await lane.accept(message["sdp"])
            for candidate in lane.candidates:
                await signaling.send(_seal(exchange, {"type": "candidate", "lane": 0, **candidate}))
        elif message["type"] == "candidate":
            await lane.add_candidate(message["candidate"], message["mid"])


class Signaling:
    """A visitor's connection to a signaling server."""

    def __init__(self, socket):
        self._socket = socket

    async def visit(self, room):
        await self._say({"type": "visit", "room": room})
        while (await self._hear())["type"] != "visiting":
            pass

    async def send(self, envelope):
        await self._say({"type": "send", "payload": base64url(envelope)})

    async def receive(self):
        while True:
            message = await self._hear()
            if message["type"] == "from":
                return from_base64url(str(message.get("payload")))

    async def keep_alive(self):
        while True:
            await asyncio.sleep(SIGNALING_PING_SECONDS)
            await self._say({"type": "ping"})

    async def _say(self, message):
        await self._socket.send(json.dumps(message))

    async def _hear(self):
        message = json.loads(await asyncio.wait_for(self._socket.recv(), SIGNALING_GONE_SECONDS))
        require(isinstance(message, dict) and isinstance(message.get("type"), str), "The server said no message.")
        if message["type"] == "error":
            raise ProtocolError(str(message.get("message")), str(message.get("code")))
        require(message["type"] != "gone", "The worker left the signaling server.", "network")
        return message
