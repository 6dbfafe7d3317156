import { describe, expect, it } from '@jest/globals';
import { contentsDigest, type Digest, parseContents } from '@model-rtc/protocol';
import {
  type FetchedModel,
  type ModelProvider,
  PeerEncodings,
  planLayout,
  SourcePool,
  wantedChunk,
} from '@model-rtc/transfer';
import { failure, gate } from './lab.ts';

/** A provider under test that has one model, called `mouse` unless `ref` says otherwise, and what the test can do to it. */
export interface ProviderScene {
  readonly provider: ModelProvider;
  readonly ref?: string;
  readonly digest: Digest;
  /** Whether the digest is known only when the files are here. */
  readonly hasDigestLater?: boolean;
  /** Contents of the model's only file. */
  readonly bytes: Uint8Array;
  /** It goes away at once, in the middle of whatever it does. */
  leave(): Promise<void> | void;
  /** This side ends the use of it. */
  close(): Promise<void> | void;
}

const OTHER = 'f'.repeat(64) as Digest;

/** What every provider keeps to. @param setup - makes a new one; what it opens is closed when the test ends. */
export function providerSuite(name: string, setup: () => Promise<ProviderScene>): void {
  describe(`${name} as a provider`, () => {
    it('says what a reference names, once it is reached', async () => {
      const { provider, digest, hasDigestLater = false, ref = 'mouse' } = await setup();
      await provider.reach(undefined);
      expect(provider.wasReached).toBe(true);
      const found = await provider.resolve(ref, undefined);
      expect([found.entry.digest, found.hasDigestLater ?? false]).toEqual([
        hasDigestLater ? undefined : digest,
        hasDigestLater,
      ]);
      if (!hasDigestLater) expect((await provider.resolve(digest, undefined)).entry.digest).toBe(digest);
      await provider.requireModel(await fetched(provider, found.entry.digest, ref), undefined);
    });

    it('rejects with not_found what it does not have', async () => {
      const { provider, ref = 'mouse' } = await setup();
      await provider.reach(undefined);
      const other = { ref: 'rat', digest: OTHER };
      const { contents } = await fetched(provider, undefined, ref);
      expect(await failure(provider.resolve('rat', undefined))).toMatchObject({ code: 'not_found' });
      expect(await failure(provider.contents(other, undefined))).toMatchObject({ code: 'not_found' });
      expect(await failure(provider.requireModel({ ...other, contents }, undefined))).toMatchObject({
        code: 'not_found',
      });
    });

    it('says what the model consists of, and enough to verify every byte', async () => {
      const { provider, digest, bytes, hasDigestLater = false, ref = 'mouse' } = await setup();
      const { contents } = await fetched(provider, hasDigestLater ? undefined : digest, ref);
      expect(parseContents(contents).files.reduce((sum, { size }) => sum + size, 0)).toBe(bytes.length);
      expect(planLayout(contents).totalBytes).toBe(bytes.length);
      if (!hasDigestLater) expect(contentsDigest(contents)).toBe(digest);
    });

    it('keeps sources of its origin in the pool that give the right bytes, and takes them out when told to stop', async () => {
      const { provider, bytes, ...scene } = await setup();
      const { pool, stop, served, contents } = await serving(provider, scene);
      const [source] = pool.sources;
      expect(source).toMatchObject({ name: 'called so', origin: provider.origin });
      const wanted = [wantedChunk(planLayout(contents), 0)];
      const got = Buffer.alloc(wanted[0]?.size ?? 0);
      await source?.fetch(wanted, {
        signal: new AbortController().signal,
        onPiece: (_index, offset, piece) => got.set(piece, offset),
      });
      expect(got.equals(bytes.subarray(0, got.length))).toBe(true);
      stop();
      await served;
      expect(pool.sources).toEqual([]);
    });

    it('says why when it is gone, in a way that lets it be tried again, and leaves nothing in the pool', async () => {
      const { provider, leave, ...scene } = await setup();
      const { pool, served } = await serving(provider, scene);
      await leave();
      expect((await served).code).toBe('network');
      expect(pool.sources).toEqual([]);
    });

    it('is not reached any more once it is closed', async () => {
      const { provider, close } = await setup();
      await provider.reach(undefined);
      await close();
      expect(provider.isClosed).toBe(true);
      expect(await failure(provider.reach(undefined))).toMatchObject({ code: 'cancelled' });
    });

    it('is reached anew after a reset, and a reset of a connection that is gone changes nothing', async () => {
      const { provider } = await setup();
      const first = await provider.reach(undefined);
      await provider.reset(first);
      const second = await provider.reach(undefined);
      expect(second).not.toBe(first);
      await provider.reset(first);
      expect(await provider.reach(undefined)).toBe(second);
    });
  });
}

async function fetched(provider: ModelProvider, digest: Digest | undefined, ref: string): Promise<FetchedModel> {
  const model = { ref, digest };
  return { ...model, contents: await provider.contents(model, undefined) };
}

async function serving(
  provider: ModelProvider,
  { digest, hasDigestLater = false, ref = 'mouse' }: Omit<ProviderScene, 'provider' | 'bytes' | 'leave' | 'close'>,
) {
  const pool = new SourcePool();
  const over = new AbortController();
  const added = gate();
  pool.onChange(({ type }) => {
    if (type === 'added') added.open();
  });
  await provider.reach(undefined);
  const options = { pool, name: 'called so', encodings: new PeerEncodings(), signal: over.signal };
  const model = await fetched(provider, hasDigestLater ? undefined : digest, ref);
  const served = provider.serve(model, options);
  await added.opened;
  return { pool, served, contents: model.contents, stop: () => over.abort() };
}
