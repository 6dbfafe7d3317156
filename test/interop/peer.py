"""One side of the conversation on a lane: hello, requests in both directions, frames, and signs of life."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Callable

import wire
from wire import ProtocolError, require

TICK_SECONDS = 0.25
PING_SECONDS = 1.5
GONE_SECONDS = 5
MUTE_SECONDS = 60
HELLO_SECONDS = 5
QUERY_SECONDS = 10


@dataclass
class OpenRequest:
    on_frame: Callable
    on_event: Callable
    answer: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def ignore(_):
    pass


class Peer:
    """
    Speaks over an open lane. `handlers` answers the other side's requests, by method: each is awaited with the
    request's id and params and gives the result.
    """

    def __init__(self, lane, handlers):
        self._lane = lane
        self._handlers = handlers
        self._open = {}
        self._answering = {}
        self._joiner = wire.Joiner()
        self._last_id = self._last_number = self._nonce = 0
        self._messages = 0
        self._tasks = []
        self.capabilities = []  # of the worker, once it has said hello
        self.exchanges = asyncio.Queue()  # what the worker says of further lanes

    async def start(self, capabilities=(), behind=()):
        """Says hello, and the messages `behind` it at once; waits for the other side's hello, and gives it."""
        await self._say(
            {
                "type": "hello",
                "protocol": {"major": 1, "minor": 3},
                "agent": {"role": "client", "name": "interop", "version": "1.0.0"},
                "capabilities": [*capabilities],
                "limits": {"maxMessageBytes": wire.MAX_MESSAGE_BYTES, "maxOpenRequests": 64},
            }
        )
        for message in behind:
            await self._say(message)
        hello = await asyncio.wait_for(self._next_message(), HELLO_SECONDS)
        if hello["type"] == "bye":
            raise _bye_error(hello)
        require(hello["type"] == "hello", "The worker did not say hello.")
        require(hello["protocol"]["major"] == 1, "The worker speaks another version.", "protocol_mismatch")
        self.capabilities = hello["capabilities"]
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]
        return hello

    async def query(self, method, params):
        """A request that is answered within 10 s, asked at most twice."""
        try:
            return await asyncio.wait_for(self.request(method, params), QUERY_SECONDS)
        except asyncio.TimeoutError:
            return await asyncio.wait_for(self.request(method, params), QUERY_SECONDS)

    async def say(self, message):
        """A message beside those of requests."""
        await self._say(message)

    async def request(self, method, params, on_frame=ignore, on_event=ignore):
        self._last_id += 1
        number, waiting = self._last_id, OpenRequest(on_frame, on_event)
        self._open[number] = waiting
        try:
            await self._say({"type": "request", "id": number, "method": method, "params": params})
            return await waiting.answer
        finally:
            del self._open[number]

    async def send_chunk(self, request, index, data):
        """A chunk as frames, each of which fits into one message of the lane."""
        step = min(self._lane.max_message_bytes, wire.MAX_FRAME_BYTES) - wire.CHUNK_HEAD.size
        for offset in range(0, len(data), step):
            await self._lane.send(wire.chunk_frame(request, index, offset, data[offset : offset + step]))

    async def close(self):
        for task in [*self._tasks, *self._answering.values()]:
            task.cancel()
        if not any(task.done() for task in self._tasks):
            await self._say({"type": "bye"})
            await self._lane.close()
        await self._lane.abort()

    async def _say(self, message):
        self._last_number = (self._last_number + 1) & wire.U32
        longest = min(self._lane.max_message_bytes, wire.MAX_FRAME_BYTES)
        for piece in wire.fragments(self._last_number, wire.write_value(message), longest):
            await self._lane.send(piece)

    async def _next_message(self):
        """The next message; chunk frames go to their requests on the way."""
        while True:
            data = await self._lane.receive()
            self._messages += 1
            if data[:1] != bytes([wire.FRAME_MARK]):
                message = wire.read_known_message(data)
                if message is None:
                    continue
                return message
            if wire.is_unknown_frame(data):
                continue
            frame = wire.read_frame(data)
            if isinstance(frame, wire.Fragment):
                message = self._joiner.add(frame)
                if message is not None:
                    return wire.read_message(message)  # a long message is of a known type
            elif frame.request in self._open:
                self._open[frame.request].on_frame(frame)

    async def _read(self):
        try:
            while True:
                await self._take(await self._next_message())
        except ProtocolError as error:
            if error.code == "malformed_message":
                await self._say({"type": "bye", "error": error.as_map()})
            self._fail(error)

    async def _take(self, message):
        kind, number = message["type"], message.get("id")
        if kind == "ping":
            await self._say({"type": "pong", "nonce": message["nonce"]})
        elif kind == "request":
            require(number not in self._answering, "That request is open already.")
            self._answering[number] = asyncio.create_task(self._answer(message))
        elif kind == "cancel" and number in self._answering:
            self._answering[number].cancel()
        elif kind == "bye":
            raise _bye_error(message)
        elif kind == "exchange":
            self.exchanges.put_nowait(message["message"])
        elif number in self._open:
            self._take_answer(self._open[number], message)

    def _take_answer(self, waiting, message):
        if message["type"] == "event":
            waiting.on_event(message["event"])
        elif not waiting.answer.done():
            if message["type"] == "reply":
                waiting.answer.set_result(message["result"])
            else:
                error = message["error"]
                waiting.answer.set_exception(ProtocolError(error["message"], error["code"]))

    async def _answer(self, request):
        number, handler = request["id"], self._handlers.get(request["method"])
        try:
            require(handler, "This client answers no such request.", "protocol_mismatch")
            reply = {"type": "reply", "id": number, "result": await handler(number, request["params"])}
        except asyncio.CancelledError:
            reply = {"type": "error", "id": number, "error": {"code": "cancelled", "message": "It was cancelled."}}
        except ProtocolError as error:
            reply = {"type": "error", "id": number, "error": error.as_map()}
        except OSError as error:
            reply = {"type": "error", "id": number, "error": {"code": "storage", "message": str(error)}}
        del self._answering[number]
        await self._say(reply)

    async def _watch(self):
        silent = messageless = 0
        next_ping = PING_SECONDS
        heard, messages, before = self._lane.heard, self._messages, time.monotonic()
        while silent < GONE_SECONDS and messageless < MUTE_SECONDS:
            await asyncio.sleep(TICK_SECONDS)
            # A late tick means that this process was busy or asleep: what arrived meanwhile is still to be read.
            passed, before = min(time.monotonic() - before, 2 * TICK_SECONDS), time.monotonic()
            silent = silent + passed if self._lane.heard == heard else 0
            messageless = messageless + passed if self._messages == messages else 0
            heard, messages = self._lane.heard, self._messages
            next_ping = next_ping if messageless else PING_SECONDS
            if messageless >= next_ping:
                next_ping += PING_SECONDS
                self._nonce = (self._nonce + 1) & wire.U32
                await self._say({"type": "ping", "nonce": self._nonce})
        self._fail(ProtocolError("Nothing was heard from the worker for too long.", "network"))
        await self._lane.abort()

    def _fail(self, error):
        for waiting in self._open.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(error)


def _bye_error(bye):
    error = bye.get("error", {"message": "The worker closed the connection.", "code": "network"})
    return ProtocolError(error["message"], error["code"])
