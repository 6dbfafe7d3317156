"""The relay lane: sealed frames over a WebSocket through the signaling server."""

import asyncio
import os

import relay
import websockets
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tokens import base64url, signaling_address
from windowed import WindowedLane
from wire import ProtocolError

MAX_MESSAGE_BYTES = 263_168
MAX_FRAME_BYTES = 264_192
WAITING_FRAMES = 8


class RelayLane(WindowedLane):
    """The side that asks. `ask` goes to the worker, whose answer `accept` takes; both meet at the server meanwhile."""

    def __init__(self, url, lane):
        super().__init__()
        self.max_message_bytes = MAX_MESSAGE_BYTES
        own = X25519PrivateKey.generate()
        self._private = own.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self._public = own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._meeting = os.urandom(16)
        self.ask = {"type": "relay_ask", "lane": lane, "meeting": self._meeting, "publicKey": self._public}
        self._address = signaling_address(url, f"/relay/{base64url(self._meeting)}")
        self._outgoing, self._tasks, self._socket = asyncio.Queue(), [], None

    async def accept(self, offer):
        theirs = offer["publicKey"]
        shared = relay.shared_secret(self._private, theirs)
        keys = [
            relay.lane_key(shared, self._meeting, direction, self._public, theirs)
            for direction in (relay.TO_ANSWERER, relay.TO_ASKER)
        ]
        self._sending_frames, self._receiving_frames = (relay.Direction(key) for key in keys)
        options = {"compression": None, "max_size": MAX_FRAME_BYTES, "ping_interval": None, "open_timeout": 10}
        self._socket = await websockets.connect(self._address, **options)
        self._tasks = [asyncio.create_task(self._read_frames())]

    async def abort(self):
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()
        self._lose()

    async def _read_frames(self):
        """Before "joined" nothing is sent; other text is passed over."""
        try:
            while await self._socket.recv() != "joined":
                pass
            self._tasks.append(asyncio.create_task(self._write_frames()))
            self._begin()
            async for frame in self._socket:
                if isinstance(frame, bytes):
                    self._take_frame(*self._receiving_frames.open(frame))
        except (ProtocolError, OSError, websockets.WebSocketException):
            pass
        self._lose()

    def _take_frame(self, kind, body):
        if kind == relay.MESSAGE:
            self._take(body)
        elif kind == relay.WORD:
            self._take_word(body.decode("utf-8", "replace"))

    async def _write_frames(self):
        while True:
            await self._socket.send(await self._outgoing.get())
            self._changed.set()

    def _has_room(self):
        return self._outgoing.qsize() < WAITING_FRAMES

    def _give(self, data):
        self._outgoing.put_nowait(self._sending_frames.seal(relay.MESSAGE, data))

    def _say(self, word):
        self._outgoing.put_nowait(self._sending_frames.seal(relay.WORD, word.encode()))
