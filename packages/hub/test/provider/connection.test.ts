import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Digest, type Manifest, type ModelPath, modelDigest } from '@model-rtc/protocol';
import { type ChunkSource, planLayout, wantedChunk } from '@model-rtc/transfer';
import { type LocalHub, startHub } from '../../../../test/support/hub/local-hub.ts';
import { sourceSuite } from '../../../../test/support/source-suite.ts';
import { hubConnection } from '../../src/provider/connection.ts';
import { planReads } from '../../src/provider/plan-reads.ts';
import { bytes, hurried, open } from '../lab.ts';

const FILES = { 'a.bin': bytes(250_000, 7), 'b/c.bin': bytes(120_000, 11), 'd.txt': bytes(900, 3) };

/** Each file is one chunk. */
function model() {
  const chunks = new Map<Digest, Buffer>();
  const manifest: Manifest = { version: 1, files: [], chunker: 'test', chunks: [] };
  for (const [path, content] of Object.entries(FILES)) {
    const sha256 = createHash('sha256').update(content).digest('hex') as Digest;
    chunks.set(sha256, content);
    manifest.files.push({ path: path as ModelPath, size: content.length, sha256 });
    manifest.chunks.push({ digest: sha256, size: content.length });
  }
  return { manifest, chunks, digest: modelDigest(manifest.files) };
}

async function scene(): Promise<{ hub: LocalHub; source: ChunkSource }> {
  const hub = await startHub();
  hub.addModel('lab/mouse', { files: FILES });
  const opened = open(hub);
  const described = await opened.model({ repo: 'lab/mouse' });
  const files = new Map(described.files.map(({ path, size }) => [path, { size, file: opened.file(described, path) }]));
  const source = hubConnection(
    {
      ...{ name: 'hub', origin: 'hub:lab/mouse', clock: hurried, random: () => 0, notBeforeMs: 0, failures: 0 },
      find: (path) => files.get(path),
    },
    0,
  );
  return { hub, source };
}

sourceSuite('a connection to a hub', {
  model: model(),
  traits: { saysMissing: true, canLeave: false, isCarried: false, tellsWireBytes: false },
  async setUp() {
    const { hub, source } = await scene();
    return {
      source,
      hold() {
        let release = (): void => {};
        const held = new Promise<boolean>((resolve) => {
          release = () => resolve(false);
        });
        hub.fault = () => held;
        return release;
      },
      withhold(chunk) {
        const path = model().manifest.files.find(({ sha256 }) => sha256 === chunk)?.path ?? '';
        hub.fault = ({ at, url }, response) =>
          (url.includes(path) || (at === 'storage' && url.includes(chunk))) &&
          response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end() !== undefined;
        return () => {
          hub.fault = () => false;
        };
      },
    };
  },
});

describe('a connection to a hub', () => {
  it('asks for neighbours at once, within a limit and one file', async () => {
    const { manifest, digest } = model();
    const chunks = manifest.files.flatMap(({ size }) =>
      [100_000, size - 100_000].filter((part) => part > 0 && size > 1000),
    );
    const layout = planLayout({ digest, files: manifest.files, chunks: [...chunks, 900].map((size) => ({ size })) });
    const wanted = [...layout.sizes.keys()].map((id) => wantedChunk(layout, id));
    const shapes = (maxBytes: number) =>
      planReads(wanted, maxBytes).map(({ path, offset, length, parts }) => [path, offset, length, parts.length]);
    expect(shapes(1_000_000)).toEqual([
      ['a.bin', 0, 250_000, 2],
      ['b/c.bin', 0, 120_000, 2],
      ['d.txt', 0, 900, 1],
    ]);
    expect(shapes(150_000)).toHaveLength(4);
  });

  it('takes what it wants of small files from a hub that ignores ranges, and nothing of large ones', async () => {
    const { hub } = await scene();
    const content = FILES['a.bin'];
    let size = content.length;
    const opened = open(hub);
    const file = opened.file(await opened.model({ repo: 'lab/mouse' }), 'a.bin');
    hub.fault = (_asked, response) => {
      response.writeHead(200, { 'content-length': size }).end(content);
      return true;
    };
    const source = hubConnection(
      {
        ...{ name: 'hub', origin: 'hub:lab/mouse', clock: hurried, random: () => 0, notBeforeMs: 0, failures: 0 },
        find: () => ({ file, size }),
      },
      0,
    );
    const got: Buffer[] = [];
    const fetch = () =>
      source.fetch(
        [
          {
            index: 0,
            digest: undefined,
            size: 1000,
            extents: () => [{ path: 'a.bin', offset: 100_000, length: 1000 }],
          },
        ],
        { signal: new AbortController().signal, onPiece: (_index, _offset, piece) => got.push(Buffer.from(piece)) },
      );
    await fetch();
    expect(Buffer.concat(got).equals(content.subarray(100_000, 101_000))).toBe(true);
    size = 65 * 1024 * 1024;
    await expect(fetch()).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('no parts') });
  });

  it('says that it lacks what a hub is too busy to give, and asks nothing until it may', async () => {
    const { hub, source } = await scene();
    const layout = planLayout({ ...model().manifest, digest: model().digest });
    const wanted = [wantedChunk(layout, 2)];
    hub.fault = (_asked, response) => response.writeHead(429, { 'retry-after': '30' }).end() !== undefined;
    const options = { signal: new AbortController().signal, onPiece: () => {} };
    expect(await source.fetch(wanted, options)).toEqual({ missing: [2] });
    const asked = hub.asked.length;
    expect(await source.fetch(wanted, options)).toEqual({ missing: [2] });
    expect(hub.asked).toHaveLength(asked);
  });
});
