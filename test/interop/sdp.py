"""What an SDP says of the one data channel that it has to describe. All else in it is ignored."""

import ipaddress
import re

from wire import require

MAX_SDP_CHARS = 32_768
MAX_LANE_MESSAGE_BYTES = 262_144
MIN_LANE_MESSAGE_BYTES = 4096
_MEDIA = re.compile(r"m=application \d{1,5} UDP/DTLS/SCTP webrtc-datachannel", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")


def parse_description(kind, sdp):
    require(len(sdp.encode("utf-16-le")) // 2 <= MAX_SDP_CHARS, "The SDP is too long.")
    lines = re.split(r"\r\n|\n", sdp)
    media = [line for line in lines if line.startswith("m=")]
    require(len(media) == 1 and _MEDIA.fullmatch(media[0]), "The SDP does not describe one data channel.")
    require("a=ice-lite" not in lines, "ICE-lite is not supported.")

    def attribute(name, rule, fallback=None):
        start = f"a={name}:"
        values = {line.removeprefix(start) for line in lines if line.startswith(start)}
        values = values or {fallback} - {None}
        require(len(values) == 1, f"The SDP has no single {name}.")
        (value,) = values
        require(re.fullmatch(rule, value, re.ASCII), f"The SDP has no valid {name}.")
        return value

    port = int(attribute("sctp-port", r"[1-9]\d{0,4}"))
    require(port <= 65_535, "The SDP has no valid sctp-port.")
    return {
        "mid": attribute("mid", r"[A-Za-z0-9._-]{1,32}"),
        "iceUfrag": attribute("ice-ufrag", r"[A-Za-z0-9+/]{4,256}"),
        "icePwd": attribute("ice-pwd", r"[A-Za-z0-9+/]{22,256}"),
        "fingerprint": _fingerprint(lines),
        "setup": attribute("setup", "actpass" if kind == "offer" else "active|passive"),
        "sctpPort": port,
        "maxMessageSize": _message_size(int(attribute("max-message-size", r"\d{1,15}", "65536"))),
        "candidates": [line[2:] for line in lines if line.startswith("a=candidate:")],
    }


def _fingerprint(lines):
    found = {match[1].strip().upper() for line in lines if (match := re.match(r"a=fingerprint:sha-256 (.*)$", line, re.I))}
    require(len(found) == 1, "The SDP has no single SHA-256 fingerprint.")
    (value,) = found
    require(_FINGERPRINT.fullmatch(value), "The fingerprint is no SHA-256.")
    return value


def _message_size(size):
    require(size == 0 or size >= MIN_LANE_MESSAGE_BYTES, "The other side takes only tiny messages.")
    return min(size or MAX_LANE_MESSAGE_BYTES, MAX_LANE_MESSAGE_BYTES)


def is_usable(candidate):
    """Whether a candidate is for UDP, of component 1, and has an IP address."""
    parts = candidate.removeprefix("candidate:").split()
    if len(parts) < 8 or parts[1] != "1" or parts[2].lower() != "udp":
        return False
    try:
        ipaddress.ip_address(parts[4])
    except ValueError:
        return False
    return True
