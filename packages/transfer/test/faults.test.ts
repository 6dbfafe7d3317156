import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import type { ChunkSource, RateLimiter } from '../src/index.ts';
import { expectFiles } from './support/expectations.ts';
import { makeFileModel, makeModel, seededBytes } from './support/models.ts';
import { failedPull, pullModel, temporaryFolder } from './support/pulling.ts';
import { damaged, memorySource, networkError } from './support/sources.ts';

const model = makeFileModel(200_000, 10_000);

describe('a chunk that comes wrong', () => {
  it('is asked for again and the model is right in the end', async () => {
    const source = memorySource(model, { alter: (_c, pieces, times) => (times === 1 ? damaged(pieces) : pieces) });
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.refetchedChunks).toBe(20);
    await outcome.release();
  });

  it('is asked for 3 times more at most, then the file and the source are named', async () => {
    const bad = model.manifest.chunks[7]?.digest;
    const source = memorySource(model, {
      name: 'lab-gpu',
      alter: ({ digest }, pieces) => (digest === bad ? damaged(pieces) : pieces),
    });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [source] });
    expect(error).toMatchObject({ code: 'verification_failed', exitCode: 6 });
    expect(error.message).toContain('lab-gpu');
    expect(error.message).toContain('weights.bin');
    expect(source.asked.filter(({ digest }) => digest === bad)).toHaveLength(4);
  });

  it('is asked of another source where there is one', async () => {
    const sentWrongBytes = memorySource(model, { name: 'sentWrongBytes', alter: (_c, pieces) => damaged(pieces) });
    const honest = memorySource(model, { name: 'honest' });
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [sentWrongBytes, honest] });
    await expectFiles(outcome.filesFolder, model);
    for (const { digest } of model.manifest.chunks) {
      expect(sentWrongBytes.timesAsked(digest)).toBeLessThanOrEqual(1);
      expect(honest.timesAsked(digest)).toBe(1);
    }
    await outcome.release();
  });

  it('is asked for again at once when a piece is marked as damaged, whatever comes after it', async () => {
    const source = memorySource(model, {
      pieceBytes: 3000,
      alter: (_c, pieces, times) =>
        pieces.map((piece, place) => (times === 1 && place === 1 ? { ...piece, intact: false } : piece)),
    });
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome.refetchedChunks).toBe(20);
    await outcome.release();
  });

  it('is asked for again when the source ends without it, a bounded number of times', async () => {
    const missing = model.manifest.chunks[3]?.digest;
    const source = memorySource(model, { alter: ({ digest }, pieces) => (digest === missing ? [] : pieces) });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [source] });
    // It says what happened: nothing came that could have a SHA-256.
    expect(error).toMatchObject({ code: 'verification_failed', message: expect.stringContaining('did not send it') });
    expect(source.asked.filter(({ digest }) => digest === missing)).toHaveLength(4);
  });

  it('ends the transfer with the reason when it is damaged on the way again and again', async () => {
    const source = memorySource(model, {
      alter: (_chunk, pieces) => pieces.map((piece) => ({ ...piece, intact: false })),
    });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [source] });
    expect(error).toMatchObject({
      code: 'verification_failed',
      message: expect.stringContaining('damaged on the way'),
    });
  });
});

describe('a source that misbehaves', () => {
  const faults: [string, { index?: number; offset: number; size: number }][] = [
    ['a chunk that was not asked for', { index: 4_000_000, offset: 0, size: 10 }],
    ['a piece that is too long', { offset: 0, size: 10_001 }],
    ['a piece past the end', { offset: 9_999, size: 2 }],
    ['a negative offset', { offset: -1, size: 10 }],
    ['an empty piece', { offset: 0, size: 0 }],
    ['the same bytes twice', { offset: 9_990, size: 10 }],
  ];

  it.each(faults)('is dropped and named when it sends %s', async (_what, { index, offset, size }) => {
    const rogue = memorySource(model, {
      name: 'rogue',
      pieceBytes: 4000,
      alter: (chunk, pieces) => [
        ...pieces,
        { index: index ?? chunk.index, offset, bytes: new Uint8Array(size), intact: true },
      ],
    });
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [rogue] });
    expect(error.code).toBe('malformed_message');
    expect(error.message).toContain('rogue was dropped');
    const honest = memorySource(model);
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [rogue, honest] });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('does no harm with pieces that come after its request was ended', async () => {
    let late: (() => void) | undefined;
    const ghost: ChunkSource = {
      name: 'ghost',
      async fetch(chunks, { onPiece }) {
        late = () => onPiece(chunks[0]?.index ?? 0, 0, new Uint8Array(5), true);
        throw networkError();
      },
    };
    const honest = memorySource(model, {
      alter: (_c, pieces) => {
        late?.();
        return pieces;
      },
    });
    const outcome = await pullModel(model, { staging: await temporaryFolder(), sources: [ghost, honest] });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('is found out when its chunk list does not give the files', async () => {
    const other = makeModel({ 'weights.bin': seededBytes(200_000, 42) }, [10_000]);
    const lie = { ...model, manifest: { ...model.manifest, chunks: other.manifest.chunks }, chunks: other.chunks };
    const error = await failedPull(lie, { staging: await temporaryFolder(), sources: [memorySource(lie)] });
    expect(error.code).toBe('verification_failed');
    expect(error.message).toContain('weights.bin');
  });
});

describe('sources that go', () => {
  it('leave their chunks to the others', async () => {
    let sent = 0;
    const leaving = memorySource(model, {
      alter: (_c, pieces) => {
        if (sent++ === 3) throw networkError();
        return pieces;
      },
    });
    const outcome = await pullModel(model, {
      staging: await temporaryFolder(),
      sources: [leaving, memorySource(model)],
    });
    await expectFiles(outcome.filesFolder, model);
    await outcome.release();
  });

  it('end the pull with the last error when none is left, and what came is not asked for again', async () => {
    const staging = await temporaryFolder();
    let sent = 0;
    const leaving = memorySource(model, {
      alter: (_c, pieces) => {
        if (sent++ < 8) return pieces;
        throw networkError();
      },
    });
    const error = await failedPull(model, { staging, sources: [leaving] });
    expect(error.code).toBe('network');
    const source = memorySource(model);
    const outcome = await pullModel(model, { staging, sources: [source] });
    await expectFiles(outcome.filesFolder, model);
    expect(outcome).toMatchObject({ resumedBytes: 80_000, transferredBytes: 120_000 });
    expect(source.asked).toHaveLength(12);
    await outcome.release();
  });

  it('end the pull with their own error: a revoked token is not a network error', async () => {
    const revoked: ChunkSource = {
      name: 'worker',
      fetch: async () => {
        throw new ModelRtcError('token_revoked', 'The token was revoked.');
      },
    };
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: [revoked] });
    expect(error).toMatchObject({ code: 'token_revoked', exitCode: 8 });
  });

  it('end the pull when the model changed there and nobody else has it', async () => {
    const changed: ChunkSource = {
      name: 'worker',
      fetch: async () => {
        throw new ModelRtcError('source_changed', 'weights.bin changed.');
      },
    };
    const lanes = [0, 1].map((id): ChunkSource => ({ ...changed, lane: { id, kind: 'webrtc', engine: 'native' } }));
    const error = await failedPull(model, { staging: await temporaryFolder(), sources: lanes });
    expect(error.code).toBe('source_changed');
  });

  it('are told to stop when the pull is cancelled, and the state is kept', async () => {
    const staging = await temporaryFolder();
    const cancel = new AbortController();
    let sent = 0;
    const source = memorySource(model, {
      alter: (_c, pieces) => {
        if (sent++ < 5) return pieces;
        cancel.abort(new ModelRtcError('cancelled', 'Ctrl+C'));
        return pieces;
      },
    });
    const error = await failedPull(model, { staging, sources: [source], signal: cancel.signal });
    expect(error).toMatchObject({ code: 'cancelled', exitCode: 130 });
    const outcome = await pullModel(model, { staging, sources: [memorySource(model)] });
    expect(outcome.resumedBytes).toBeGreaterThanOrEqual(50_000);
    await outcome.release();
  });

  it('are dropped when they give the chunks of many requests and answer none of them', async () => {
    const large = makeFileModel(500_000, 10_000);
    const inner = memorySource(large, { name: 'mute' });
    const mute: ChunkSource = {
      ...inner,
      fetch: async (chunks, options) => {
        await inner.fetch(chunks, options);
        await new Promise((_resolve, reject) => options.signal.addEventListener('abort', reject));
      },
    };
    // A limiter that has nothing to spare makes a request of each chunk.
    const limiter: RateLimiter = { room: () => 0, take: async () => {} };
    const error = await failedPull(large, { staging: await temporaryFolder(), sources: [mute], limiter });
    expect(error).toMatchObject({ code: 'malformed_message' });
    expect(error.message).toContain('no answer');
  });
});
