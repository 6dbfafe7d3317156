"""Checks the test vectors of packages/protocol/vectors: each must be taken or refused as it says."""

import json
from datetime import datetime, timezone
from pathlib import Path

import encoded
import models
import relay
import sdp
import sealed
import tokens
import wire
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class Report:
    """Counts what was checked, and keeps what went wrong."""

    def __init__(self):
        self.checked = {}
        self.failures = []
        self.file = ""

    def same(self, what, actual, expected):
        self.checked[self.file] = self.checked.get(self.file, 0) + 1
        if actual != expected:
            self.failures.append(f"{self.file}: {what}: {actual!r} is not {expected!r}")

    def taken(self, what, expected, function, *arguments):
        try:
            self.same(what, function(*arguments), expected)
        except wire.ProtocolError as error:
            self.same(what, error, expected)

    def refused(self, what, function, *arguments):
        try:
            self.same(what, function(*arguments), "refused")
        except wire.ProtocolError:
            self.same(what, "refused", "refused")


def check_vectors(folder):
    """The report over every vector file in a folder. A file that nobody here knows is a failure: it is not checked."""
    report, folder = Report(), Path(folder)
    for path in sorted(folder.rglob("*.*")):
        report.file = path.relative_to(folder).as_posix()
        if path.suffix == ".json" and path.stem in CHECKS:
            CHECKS[path.stem](report, json.loads(path.read_text("utf-8")))
        elif path.suffix == ".txt" and path.stem.rpartition("-")[0] in SYNTAX:
            check_syntax(report, path)
        else:
            report.same("is known", "no", "yes")
    return report


def unhex(text):
    return bytes.fromhex(text)


def check_tokens(report, vectors):
    def facts(text):
        token = tokens.parse_token(text)
        expiry = datetime.fromtimestamp(token.expires_at, timezone.utc).isoformat(timespec="milliseconds")
        return {
            "urls": list(token.urls),
            "workerKey": token.worker_key.hex(),
            "keyId": token.key_id.hex(),
            "secret": token.secret.hex(),
            "scopes": list(token.scopes),
            "expiresAt": expiry.replace("+00:00", "Z") if token.expires_at else None,
            **({"features": list(token.features)} if token.features else {}),
        }

    for case in vectors["accepted"]:
        expected = {key: value for key, value in case.items() if key not in ("name", "text")}
        report.taken(case["name"], expected, facts, case["text"])
    for case in vectors["acceptedToo"]:
        report.taken(case["name"], facts(case["same"]), facts, case["text"])
    for case in vectors["refused"]:
        report.refused(case["name"], tokens.parse_token, case["text"])


def check_identities(report, vectors):
    for case in vectors["accepted"]:
        key, wanted = Ed25519PrivateKey.from_private_bytes(unhex(case["seed"])), case["registration"]
        public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        report.same("public key", public_key.hex(), case["publicKey"])
        report.same("room", tokens.room_of(public_key), case["room"])
        text = tokens.registration_text(wanted["host"], unhex(wanted["nonce"]))
        report.same("registration", text.hex(), wanted["text"])
        report.same("signature", key.sign(text).hex(), wanted["signature"])
    for case in vectors["refusedSignatures"]:
        facts = [unhex(case[name]) for name in ("publicKey", "signature", "text")]
        report.refused(case["name"], sealed.verify, *facts)


def check_sealed(report, vectors):
    facts = [unhex(vectors[name]) for name in ("workerKey", "keyId", "secret", "exchangeId")]
    private_key = Ed25519PrivateKey.from_private_bytes(unhex(vectors["workerSeed"]))

    def after(count):
        """Both sides after so many steps, each of which is checked."""
        sides = {"visitor": sealed.VisitorExchange(*facts), "worker": sealed.WorkerExchange(*facts)}
        for step in vectors["steps"][:count]:
            plaintext, envelope = unhex(step["plaintext"]), unhex(step["envelope"])
            if step["from"] == "visitor":
                written = sides["visitor"].seal(plaintext, envelope[30:42])
                report.taken("opens", plaintext, sides["worker"].open, envelope)
            else:
                written = sides["worker"].seal(plaintext, envelope[26:38], step["seen"], private_key)
                report.taken("opens", plaintext, sides["visitor"].open, envelope)
            report.same("envelope", written.hex(), step["envelope"])
        return sides

    visitor = after(len(vectors["steps"]))["visitor"]
    report.same("key to the worker", visitor.key_to_worker.hex(), vectors["keys"]["toWorker"])
    report.same("key to the visitor", visitor.key_to_visitor.hex(), vectors["keys"]["toVisitor"])
    for case in vectors["refused"]:
        side = after(case["after"])[case["receiver"]]
        report.refused(case["name"], side.open, unhex(case["envelope"]))
    try:
        after(1)["visitor"].open(unhex(vectors["refusal"]["envelope"]))
        report.same("refusal", "taken for an envelope", "a refusal")
    except sealed.Refused as refusal:
        report.same("refusal", refusal.as_map(), vectors["refusal"]["error"])


def check_frames(report, vectors):
    for case in vectors["chunks"]:
        numbers, payload = [case[name] for name in ("request", "index", "offset")], unhex(case["payload"])
        flag = case["encoded"]
        report.same("chunk frame", wire.chunk_frame(*numbers, payload, flag).hex(), case["frame"])
        expected = wire.ChunkFrame(*numbers, payload, int(case["xxh64"], 16), flag)
        report.taken("chunk frame", expected, wire.read_frame, unhex(case["frame"]))
        report.same("chunk frame is intact", expected.intact, True)
    for case in vectors["damaged"]:
        report.same(case["name"], wire.read_frame(unhex(case["frame"])).intact, False)
    for case in vectors["fragments"]:
        message, joiner, joined = unhex(case["message"]), wire.Joiner(), None
        frames = wire.fragments(case["messageId"], message, case["maxMessageSize"])
        report.same("fragments", [frame.hex() for frame in frames], case["frames"])
        for frame in map(unhex, case["frames"]):
            joined = joiner.add(wire.read_frame(frame)) if frame[0] == wire.FRAME_MARK else frame
        report.same("joined fragments", joined, message)
    for case in vectors["refused"]:
        report.refused(case["name"], wire.read_frame, unhex(case["bytes"]))


def check_relay(report, vectors):
    for case in vectors["keys"]:
        facts = {name: unhex(value) for name, value in case.items()}
        shared = relay.shared_secret(facts["askerPrivate"], facts["answererPublic"])
        report.same("shared secret", shared, facts["shared"])
        report.same("shared secret", relay.shared_secret(facts["answererPrivate"], facts["askerPublic"]), shared)
        for name, direction in {"toAnswerer": relay.TO_ANSWERER, "toAsker": relay.TO_ASKER}.items():
            publics = [facts["askerPublic"], facts["answererPublic"]]
            report.same(name, relay.lane_key(shared, facts["meeting"], direction, *publics), facts[name])
    for case in vectors["refusedPublicKeys"]:
        report.refused(case["name"], relay.shared_secret, bytes([5] * 32), unhex(case["publicKey"]))
    first_key = unhex(vectors["firstKey"])
    key = first_key
    for expected in vectors["nextKeys"]:
        key = relay.next_key(key)
        report.same("next key", key.hex(), expected)
    for case in vectors["frames"]:
        kind, body, frame = case["kind"], unhex(case["body"]), unhex(case["frame"])
        report.same(case["name"], relay.Direction(first_key, case["number"]).seal(kind, body), frame)
        report.taken(case["name"], (kind, body), relay.Direction(first_key, case["number"]).open, frame)
    for case in vectors["refusedFrames"]:
        report.refused(case["name"], relay.Direction(first_key, case["number"]).open, unhex(case["frame"]))


def check_encoded_chunks(report, vectors):
    for case in vectors["accepted"]:
        chunk = unhex(case["chunk"])
        try:
            report.taken(case["name"], chunk, encoded.decode_chunk, unhex(case["encoded"]), len(chunk))
        except encoded.NeedsZstandard:
            report.same(case["name"], case.get("compressed"), True)
    for case in vectors["refused"]:
        report.refused(case["name"], encoded.decode_chunk, unhex(case["encoded"]), case["size"])


def check_descriptions(report, vectors):
    for case in vectors["accepted"]:
        report.taken(case["name"], case["says"], sdp.parse_description, case["type"], case["sdp"])
    for case in vectors["refused"]:
        report.refused(case["name"], sdp.parse_description, case["type"], case["sdp"])
    for usable, texts in {True: vectors["candidates"]["used"], False: vectors["candidates"]["passedOver"]}.items():
        for text in texts:
            report.same(text, sdp.is_usable(text), usable)


def check_digests(report, vectors):
    for case in vectors["accepted"]:
        report.same(case["name"], models.canonical(case["files"]).decode(), case["canonical"])
        report.same(case["name"], models.model_digest(case["files"]), case["digest"])


def without_hex(value):
    """JSON has no binaries: {"hex": ...} stands for one."""
    if isinstance(value, list):
        return [without_hex(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"hex"}:
        return unhex(value["hex"])
    return {key: without_hex(item) for key, item in value.items()}


def check_messages(report, vectors):
    def both_ways(case, types):
        message = without_hex(case["message"])
        report.taken(case["name"], message, wire.read_message, unhex(case["bytes"]), types)
        report.taken(case["name"], message, wire.read_message, wire.write_value(message), types)

    for case in vectors["accepted"] + vectors["acceptedToo"]:
        both_ways(case, wire.MESSAGES)
    for case in vectors["exchange"]:
        both_ways(case, wire.SEALED)
    for case in vectors["refused"]:
        report.refused(case["name"], wire.read_message, unhex(case["bytes"]))
    for case in vectors["values"]:
        value = case["value"]
        expected = unhex(value["hex"]) if isinstance(value, dict) else value
        report.taken(case["name"], expected, wire.read_value, unhex(case["bytes"]))


def check_syntax(report, path):
    rule, _, verdict = path.stem.rpartition("-")
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line == "" or line.startswith("#"):
            continue
        case = f"line {number}"
        if verdict == "valid":
            report.taken(case, True, lambda value: SYNTAX[rule](value) is not None, json.loads(line))
        else:
            report.refused(case, SYNTAX[rule], json.loads(line))


CHECKS = {
    "tokens": check_tokens,
    "identities": check_identities,
    "sealed": check_sealed,
    "frames": check_frames,
    "relay": check_relay,
    "encoded-chunks": check_encoded_chunks,
    "descriptions": check_descriptions,
    "digests": check_digests,
    "messages": check_messages,
}
SYNTAX = {"alias": models.alias, "model-path": models.model_path, "manifest": models.manifest}
