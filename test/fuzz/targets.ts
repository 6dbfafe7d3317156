import { readFile } from 'node:fs/promises';
import {
  createWorkerSeal,
  decodeExchange,
  decodeKnownMessage,
  encodeMessage,
  FragmentAssembler,
  type FragmentFrame,
  isUnknownFrame,
  loadFrameCodec,
  parseContents,
  parseManifest,
  parseSessionToken,
  readMessageHead,
  unpackValue,
} from '@model-rtc/protocol';
import { planLayout } from '@model-rtc/transfer/core';
import { parseClientMessage, parseServerMessage } from '../../packages/signaling/src/messages.ts';
import { FrameReader } from '../../packages/transport/src/lanes/direct/frame-reader.ts';
import { decodeGreeting, decodeWelcome } from '../../packages/transport/src/lanes/direct/greeting.ts';
import { answered, bytesIn, parsedJson, texts } from './answers.ts';
import { BRIDGE_TARGETS } from './bridge-targets.ts';
import { FORMAT_TARGETS } from './format-targets.ts';
import type { FuzzTarget } from './fuzz.ts';
import { JOB_TARGETS } from './job-targets.ts';
import { MESH_TARGETS } from './mesh-targets.ts';
import { VALIDATION_TARGETS } from './validation-targets.ts';

async function vectors(name: string): Promise<Record<string, unknown>> {
  const path = new URL(`../../packages/protocol/vectors/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

const SHA256 = 'ab'.repeat(32);
const MANIFEST = {
  version: 1,
  files: [
    { path: 'a/w.bin', size: 5, sha256: SHA256, mode: 0o644 },
    { path: 'b', size: 3, sha256: SHA256 },
  ],
  chunker: 'structure-1',
  chunks: [
    { digest: SHA256, size: 5 },
    { digest: 'cd'.repeat(32), size: 3 },
  ],
};
const CONTENTS = {
  files: [
    { path: 'w.bin', size: 3_000_000, sha256: SHA256 },
    { path: 'c.json', size: 3, gitSha1: 'ef'.repeat(20) },
  ],
};

const codec = await loadFrameCodec();

const PROTOCOL_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'messages',
    samples: async () => bytesIn(await vectors('messages')),
    read(bytes) {
      const head = readMessageHead(bytes);
      const message = answered(() => decodeKnownMessage(bytes));
      if (message === undefined) return;
      if (head !== undefined && head.type !== message.type) throw new Error(`its head says ${head.type}`);
      encodeMessage(message);
    },
  },
  {
    name: 'values',
    samples: async () => bytesIn(await vectors('messages')),
    read: (bytes) => void answered(() => unpackValue(bytes)),
  },
  {
    name: 'frames',
    samples: async () => bytesIn(await vectors('frames')),
    read(bytes) {
      const assembler = new FragmentAssembler();
      // As a lane brings them: some frames after each other.
      for (let at = 0; at < bytes.length; at += 60) {
        const piece = bytes.subarray(at === 0 ? 0 : at, at === 0 ? bytes.length : at + 60);
        if (isUnknownFrame(piece)) continue;
        const frame = answered(() => codec.decode(piece));
        if (frame?.kind === 'fragment') answered(() => assembler.add(frame as FragmentFrame));
      }
    },
  },
  {
    name: 'exchange',
    samples: async () => bytesIn((await vectors('messages')).exchange),
    read: (bytes) => void answered(() => decodeExchange(bytes)),
  },
  {
    name: 'envelopes',
    samples: async () => bytesIn(await vectors('sealed')),
    read(bytes) {
      const identity = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) } as never;
      answered(() => createWorkerSeal({ identity, firstEnvelope: bytes, lookup: () => new Uint8Array(16) }));
    },
  },
  {
    name: 'tokens',
    samples: async () => {
      const { accepted } = (await vectors('tokens')) as { accepted: { text: string }[] };
      return accepted.map(({ text }) => Buffer.from(text));
    },
    read: (bytes) => void answered(() => parseSessionToken(Buffer.from(bytes).toString('latin1'))),
  },
  {
    name: 'manifests',
    samples: async () => texts(MANIFEST),
    read(bytes) {
      const value = parsedJson(bytes);
      const manifest = answered(() => parseManifest(value));
      if (manifest !== undefined) answered(() => planLayout(manifest));
    },
  },
  {
    name: 'contents',
    samples: async () => texts(CONTENTS, MANIFEST, { ...CONTENTS, chunks: [{ size: 3_000_003 }] }),
    read(bytes) {
      const value = parsedJson(bytes);
      const contents = answered(() => parseContents(value));
      if (contents !== undefined) answered(() => planLayout(contents));
    },
  },
  {
    name: 'signaling',
    samples: async () =>
      texts(
        { type: 'register', publicKey: 'A'.repeat(43), host: '*', instance: 'abcdefgh', signature: 'A'.repeat(86) },
        { type: 'visit', room: 'A'.repeat(43) },
        { type: 'from', payload: 'AAAA', visitor: 'v1' },
        { type: 'error', code: 'too_many', message: 'm' },
      ),
    read(bytes) {
      const text = Buffer.from(bytes).toString('utf8');
      parseClientMessage(text);
      parseServerMessage(text);
    },
  },
  {
    name: 'direct-stream',
    samples: async () => bytesIn(await vectors('frames')).map((bytes) => Buffer.concat([u32(bytes.length), bytes])),
    read(bytes) {
      decodeGreeting(bytes);
      decodeWelcome(bytes);
      const reader = new FrameReader(4096, { onMessage: (message) => reader.recycle(message), onEnd: () => {} });
      for (let at = 0; at < bytes.length; at += 7) answered(() => reader.push(bytes.subarray(at, at + 7)));
    },
  },
];

export const TARGETS: readonly FuzzTarget[] = [
  ...PROTOCOL_TARGETS,
  ...FORMAT_TARGETS,
  ...JOB_TARGETS,
  ...VALIDATION_TARGETS,
  ...MESH_TARGETS,
  ...BRIDGE_TARGETS,
];

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
