"""How a client comes to a lane: signaling, the sealed exchange, and a WebRTC data channel with aiortc."""

import asyncio
import json
import os
import re
from contextlib import suppress

import websockets
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from sdp import is_usable, parse_description
from sealed import Refused, VisitorExchange
from tokens import base64url, from_base64url, room_of, signaling_address
from wire import SEALED, ProtocolError, read_message, require, write_value

OWN_MAX_MESSAGE_BYTES = 65_536  # what aiortc writes into its SDP
CREDIT_BYTES = 4_194_304
CREDIT_STEP_BYTES = 262_144
MESSAGE_COST_BYTES = 64
BUFFERED_BYTES = 262_144
SIGNALING_FRAME_BYTES = 88_406
SIGNALING_PING_SECONDS = 4
SIGNALING_GONE_SECONDS = 12
LANE_OPEN_SECONDS = 10
ATTEMPTS = 3


def network_error(message):
    return ProtocolError(message, "network")


async def open_lane(token, change_offer=lambda sdp: sdp):
    """
    An open lane to the token's worker. An attempt that the network spoiled is made again, at any of the servers.
    `change_offer` gets the SDP of each offer before it is sent.
    """
    for attempt in range(1, ATTEMPTS + 1):
        for url in token.urls:
            try:
                return await _open_lane_by(url, token, change_offer)
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


async def _open_lane_by(url, token, change_offer):
    options = {"compression": None, "max_size": SIGNALING_FRAME_BYTES, "ping_interval": None, "open_timeout": 10}
    async with websockets.connect(signaling_address(url), **options) as socket:
        signaling = Signaling(socket)
        await signaling.visit(room_of(token.worker_key))
        exchange = VisitorExchange(token.worker_key, token.key_id, token.secret, os.urandom(16))
        lane = Lane()
        tasks = [asyncio.create_task(signaling.keep_alive())]
        try:
            offer = {"type": "offer", "lane": 0, "engine": "aiortc", "sdp": change_offer(await lane.offer())}
            await signaling.send(_seal(exchange, offer))
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
        if message["type"] == "answer":
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


class Lane:
    """One ordered stream of binary messages over a negotiated data channel, with credit in both directions."""

    def __init__(self):
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._connection.createDataChannel("lane", negotiated=True, id=0, ordered=True)
        self._channel.bufferedAmountLowThreshold = BUFFERED_BYTES
        self._inbox = asyncio.Queue()
        self._changed = asyncio.Event()  # credit came, the buffer drained, or the lane ended
        self._sending = asyncio.Lock()
        self._opened = self._ended = self._lost = False
        self._may_send = self._sent = self._granted = self._received = self._read = 0
        self.heard = 0  # grows with whatever arrives
        self.candidates = []
        self.max_message_bytes = OWN_MAX_MESSAGE_BYTES
        self._channel.on("open", self._grant)
        self._channel.on("message", self._on_message)
        self._channel.on("bufferedamountlow", self._changed.set)
        self._channel.on("close", self._lose)
        self._connection.on("connectionstatechange", self._on_state)

    async def offer(self):
        """The SDP of the offer, without candidates: those are told after the answer."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        lines = self._connection.localDescription.sdp.splitlines()
        mid = next(line[len("a=mid:") :] for line in lines if line.startswith("a=mid:"))
        own = [line[2:] for line in lines if line.startswith("a=candidate:")]
        self.candidates = [{"candidate": line, "mid": mid} for line in own]
        kept = [line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
        return _as_rfc_8841("\r\n".join(kept) + "\r\n")

    async def accept(self, sdp):
        self.max_message_bytes = min(OWN_MAX_MESSAGE_BYTES, parse_description("answer", sdp)["maxMessageSize"])
        await self._connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def add_candidate(self, text, mid):
        """Passes over what is no UDP candidate with an IP address."""
        if not is_usable(text):
            return
        candidate = candidate_from_sdp(text.removeprefix("candidate:"))
        candidate.sdpMid = mid
        await self._connection.addIceCandidate(candidate)

    async def until_open(self):
        """The lane is open when the other side's first credit arrived: "connected" proves nothing."""
        await self._until(lambda: self._opened)

    async def send(self, data):
        """Sends one binary message when the other side's credit and the own buffer have room for it."""
        require(len(data) <= self.max_message_bytes, "That message is too long for this lane.")
        cost = len(data) + MESSAGE_COST_BYTES
        async with self._sending:
            await self._until(
                lambda: self._sent + cost <= self._may_send and self._channel.bufferedAmount <= BUFFERED_BYTES
            )
            self._sent += cost
            self._channel.send(data)

    async def receive(self):
        data = await self._inbox.get()
        if data is None:
            self._inbox.put_nowait(None)
            raise network_error("The connection to the worker was lost.")
        self._read += len(data) + MESSAGE_COST_BYTES
        if self._read + CREDIT_BYTES - self._granted >= CREDIT_STEP_BYTES:
            self._grant()
        return data

    async def close(self):
        """Ends the lane once all that was sent has arrived."""
        with suppress(asyncio.TimeoutError, ProtocolError):
            if not self._lost:
                self._channel.send("end")
                await asyncio.wait_for(self._until(lambda: self._ended), 5)
        await self.abort()

    async def abort(self):
        await self._connection.close()

    def _grant(self):
        self._granted = self._read + CREDIT_BYTES
        if self._channel.readyState == "open":
            self._channel.send(f"credit {self._granted}")

    def _on_message(self, data):
        self.heard += 1
        if isinstance(data, bytes):
            self._received += len(data) + MESSAGE_COST_BYTES
            if self._received > self._granted or len(data) > self.max_message_bytes:
                self._lose()
            else:
                self._inbox.put_nowait(data)
            return
        if match := re.fullmatch(r"credit (\d{1,15})", data, re.ASCII):
            self._opened = True
            self._may_send = max(self._may_send, int(match[1]))
        elif data == "end" and self._channel.readyState == "open":
            self._channel.send("ended")
        elif data == "ended":
            self._ended = True
        self._changed.set()

    def _on_state(self):
        if self._connection.connectionState in ("failed", "closed"):
            self._lose()

    def _lose(self):
        if not self._lost:
            self._lost = True
            self._changed.set()
            self._inbox.put_nowait(None)

    async def _until(self, condition):
        while not condition():
            if self._lost:
                raise network_error("The connection to the worker was lost.")
            self._changed.clear()
            await self._changed.wait()


def _as_rfc_8841(sdp):
    """aiortc offers in the form of an early draft unless it was offered the final one; workers read the final one."""
    final = r"m=application \1 UDP/DTLS/SCTP webrtc-datachannel"
    sdp = re.sub(r"^m=application (\d+) DTLS/SCTP \d+", final, sdp, flags=re.MULTILINE)
    return re.sub(r"^a=sctpmap:(\d+) [^\r\n]*", r"a=sctp-port:\1", sdp, flags=re.MULTILINE)
