"""A lane on which both ends say how much may be sent: the words credit, end and ended are the same on webrtc and relay lanes."""

import asyncio
import re
from contextlib import suppress

from wire import ProtocolError, require

CREDIT_BYTES = 4_194_304
CREDIT_STEP_BYTES = 262_144
MESSAGE_COST_BYTES = 64


def network_error(message):
    return ProtocolError(message, "network")


class WindowedLane:
    """
    One ordered stream of binary messages. What carries it has three methods: `_has_room()`, `_give(data)` for a message and
    `_say(word)`; and it calls `_begin` when it carries data, `_take`, `_take_word` and `_lose`.
    """

    max_message_bytes = 0

    def __init__(self):
        self._inbox = asyncio.Queue()
        self._changed = asyncio.Event()  # credit came, the buffer drained, or the lane ended
        self._sending = asyncio.Lock()
        self._opened = self._ended = self._lost = False
        self._may_send = self._sent = self._granted = self._received = self._read = 0
        self.heard = 0  # grows with whatever arrives

    async def until_open(self):
        """The lane is open when the other side's first credit arrived."""
        await self._until(lambda: self._opened)

    async def send(self, data):
        """Sends one binary message when the other side's credit and the own buffer have room for it."""
        require(len(data) <= self.max_message_bytes, "That message is too long for this lane.")
        cost = len(data) + MESSAGE_COST_BYTES
        async with self._sending:
            await self._until(lambda: self._sent + cost <= self._may_send and self._has_room())
            self._sent += cost
            self._give(data)

    async def receive(self):
        data = await self._inbox.get()
        if data is None:
            self._inbox.put_nowait(None)
            raise network_error("The connection to the worker was lost.")
        self._read += len(data) + MESSAGE_COST_BYTES
        if self._read + CREDIT_BYTES - self._granted >= CREDIT_STEP_BYTES:
            self._begin()
        return data

    async def close(self):
        """Ends the lane once all that was sent has arrived."""
        with suppress(asyncio.TimeoutError, ProtocolError):
            if not self._lost:
                self._say("end")
                await asyncio.wait_for(self._until(lambda: self._ended), 5)
        await self.abort()

    def _begin(self):
        """Grants the other side what may be sent now."""
        self._granted = self._read + CREDIT_BYTES
        self._say(f"credit {self._granted}")

    def _take(self, data):
        self.heard += 1
        self._received += len(data) + MESSAGE_COST_BYTES
        if self._received > self._granted or not 0 < len(data) <= self.max_message_bytes:
            self._lose()
        else:
            self._inbox.put_nowait(data)

    def _take_word(self, word):
        self.heard += 1
        if match := re.fullmatch(r"credit (\d{1,15})", word, re.ASCII):
            self._opened = True
            self._may_send = max(self._may_send, int(match[1]))
        elif word == "end":
            self._say("ended")
        elif word == "ended":
            self._ended = True
        self._changed.set()

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
