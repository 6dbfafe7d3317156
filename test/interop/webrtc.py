"""The webrtc lane: a data channel with aiortc that both sides agreed on beforehand."""

import re

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from sdp import is_usable, parse_description
from windowed import WindowedLane

OWN_MAX_MESSAGE_BYTES = 65_536  # what aiortc writes into its SDP
BUFFERED_BYTES = 262_144


class WebRtcLane(WindowedLane):
    def __init__(self):
        super().__init__()
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel = self._connection.createDataChannel("lane", negotiated=True, id=0, ordered=True)
        self._channel.bufferedAmountLowThreshold = BUFFERED_BYTES
        self.candidates = []
        self.max_message_bytes = OWN_MAX_MESSAGE_BYTES
        self._channel.on("open", self._begin)
        self._channel.on("message", lambda data: self._take(data) if isinstance(data, bytes) else self._take_word(data))
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

    async def abort(self):
        await self._connection.close()

    def _has_room(self):
        return self._channel.bufferedAmount <= BUFFERED_BYTES

    def _give(self, data):
        self._channel.send(data)

    def _say(self, word):
        if self._channel.readyState == "open":
            self._channel.send(word)

    def _on_state(self):
        if self._connection.connectionState in ("failed", "closed"):
            self._lose()


def _as_rfc_8841(sdp):
    """aiortc offers in the form of an early draft unless it was offered the final one; workers read the final one."""
    final = r"m=application \1 UDP/DTLS/SCTP webrtc-datachannel"
    sdp = re.sub(r"^m=application (\d+) DTLS/SCTP \d+", final, sdp, flags=re.MULTILINE)
    return re.sub(r"^a=sctpmap:(\d+) [^\r\n]*", r"a=sctp-port:\1", sdp, flags=re.MULTILINE)
