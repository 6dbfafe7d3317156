import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  decodeExchange,
  decodeMessage,
  encodeFragments,
  FragmentAssembler,
  type FragmentFrame,
  identityFromSeed,
  loadFrameCodec,
  parseSessionToken,
  unpackValue,
  verifySignature,
} from '../src/index.ts';
import { failureOf } from './support/outcome.ts';
import { fromHex, toHex } from './vectors/bytes.ts';
import type { digestVectors } from './vectors/digests.ts';
import type { frameVectors } from './vectors/frames.ts';
import type { identityVectors } from './vectors/identities.ts';
import { buildVectors, vectorText } from './vectors/index.ts';
import { type messageVectors, withHex } from './vectors/messages.ts';
import { parsedFields, type tokenVectors } from './vectors/tokens.ts';

const folder = new URL('../vectors/', import.meta.url);
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8');
const committed = <T>(name: string) => JSON.parse(textOf(name)) as T;
const built = await buildVectors();
const codec = await loadFrameCodec();

describe('the committed vectors', () => {
  it('are all that the code makes', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(names.sort()).toEqual(Object.keys(built).sort());
  });

  it.each(Object.keys(built))('%s is what the code gives (else run scripts/make-vectors.ts)', (name) => {
    expect(textOf(name)).toBe(vectorText(built[name]));
  });
});

describe('tokens.json', () => {
  const { accepted, acceptedToo, refused } = committed<ReturnType<typeof tokenVectors>>('tokens.json');

  it.each(accepted)('is read as it says: $name', ({ name: _, text, ...fields }) => {
    expect(parsedFields(text)).toEqual(fields);
  });

  it.each(acceptedToo)('is taken: $name', ({ text, same }) => {
    expect(parseSessionToken(text)).toEqual(parseSessionToken(same));
  });

  it.each(refused)('is refused: $name', ({ text }) => {
    expect(failureOf(() => parseSessionToken(text)).code).toBe('bad_argument');
  });
});

describe('identities.json', () => {
  const { accepted, refusedSignatures } = committed<ReturnType<typeof identityVectors>>('identities.json');

  it.each(refusedSignatures)('has signatures that are refused: $name', ({ publicKey, text, signature }) => {
    expect(verifySignature(fromHex(publicKey), fromHex(text), fromHex(signature))).toBe(false);
  });

  it.each(accepted)('has signatures that verify: $registration.host', ({ seed, publicKey, room, registration }) => {
    const domain = createHash('sha256').update('model-rtc/1/room\0').update(fromHex(publicKey));
    expect(room).toBe(domain.digest('base64url'));
    expect(toHex(identityFromSeed(fromHex(seed)).publicKey)).toBe(publicKey);
    const signature = fromHex(registration.signature);
    expect(verifySignature(fromHex(publicKey), fromHex(registration.text), signature)).toBe(true);
  });
});

describe('digests.json', () => {
  it.each(committed<ReturnType<typeof digestVectors>>('digests.json').accepted)(
    'has the SHA-256 of its text: $name',
    (vector) => {
      expect(createHash('sha256').update(vector.canonical).digest('hex')).toBe(vector.digest);
      expect(vector.canonical.trimEnd().split('\n')).toHaveLength(vector.files.length);
    },
  );
});

describe('frames.json', () => {
  const vectors = committed<Awaited<ReturnType<typeof frameVectors>>>('frames.json');

  it.each(vectors.chunks)(
    'has chunk frames that are intact: request $request',
    ({ frame, xxh64: _, payload, ...header }) => {
      expect(codec.decode(fromHex(frame))).toEqual({
        kind: 'chunk',
        ...header,
        payload: fromHex(payload),
        intact: true,
      });
    },
  );

  it.each(vectors.damaged)('has frames that are damaged: $name', ({ frame }) => {
    expect(codec.decode(fromHex(frame))).toMatchObject({ kind: 'chunk', intact: false });
  });

  it.each(vectors.fragments)('has messages in pieces of at most $maxMessageSize bytes', (vector) => {
    const { messageId, message, maxMessageSize, frames } = vector;
    expect([...encodeFragments(fromHex(message), messageId, maxMessageSize)].map(toHex)).toEqual(frames);
    const isWhole = frames.length === 1;
    const assembler = new FragmentAssembler();
    const joined = frames.map((frame) =>
      isWhole ? fromHex(frame) : assembler.add(codec.decode(fromHex(frame)) as FragmentFrame),
    );
    expect(toHex(joined.at(-1) as Uint8Array)).toBe(message);
  });

  it.each(vectors.refused)('is refused: $name', ({ bytes }) => {
    expect(failureOf(() => codec.decode(fromHex(bytes))).code).toBe('malformed_message');
  });
});

describe('messages.json', () => {
  const vectors = committed<ReturnType<typeof messageVectors>>('messages.json');

  it.each([...vectors.accepted, ...vectors.acceptedToo])('is the message that it says: $name', ({ message, bytes }) => {
    expect(decodeMessage(fromHex(bytes))).toEqual(message);
  });

  it.each(vectors.refused)('is refused: $name', ({ bytes }) => {
    expect(failureOf(() => decodeMessage(fromHex(bytes))).code).toBe('malformed_message');
  });

  it.each(vectors.values)('is the value that it says: $name', ({ value, bytes }) => {
    const expected = typeof value === 'object' ? fromHex(value.hex) : value;
    expect(unpackValue(fromHex(bytes))).toEqual(expected);
  });

  it.each(vectors.exchange)('is what is sealed: $name', ({ message, bytes }) => {
    expect(withHex(decodeExchange(fromHex(bytes)))).toEqual(message);
  });
});
