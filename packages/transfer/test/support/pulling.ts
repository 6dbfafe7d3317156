import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { Digest, ModelRtcError } from '@model-rtc/protocol';
import { type LocalChunks, openPull, type PullOptions, type PullOutcome } from '../../src/index.ts';
import { contentsOf, type TestModel } from './models.ts';
import { memorySource, networkError } from './sources.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-transfer-'));
  folders.push(folder);
  return folder;
}

export const nothingLocal: LocalChunks = {
  locateChunks: async () => new Map(),
  readLocatedChunk: async () => undefined,
};

/** A registry that has these models' chunks. */
export function localModels(...models: TestModel[]): LocalChunks & { readonly read: Digest[] } {
  const chunks = new Map(models.flatMap((model) => [...model.chunks]));
  const read: Digest[] = [];
  return {
    read,
    locateChunks: async (digests) => new Map([...digests].filter((d) => chunks.has(d)).map((d) => [d, d])),
    readLocatedChunk: async (digest) => {
      read.push(digest);
      return chunks.get(digest);
    },
  };
}

export type PullInput = Partial<PullOptions> & Pick<PullOptions, 'sources' | 'staging'>;

/** What a pull ends with, and what to call when the files were taken. */
export interface Pulled extends PullOutcome {
  release(): Promise<void>;
}

/** Fetches a model into its staging folder, and keeps it locked until `release`. */
export async function pull(options: PullOptions): Promise<Pulled> {
  const pulling = await openPull(options);
  const release = async () => await pulling[Symbol.asyncDispose]();
  try {
    return { ...(await pulling.fetch()), release };
  } catch (error) {
    await release();
    throw error;
  }
}

export async function pullModel(model: TestModel, options: PullInput): Promise<Pulled> {
  return await pull({ contents: contentsOf(model), local: nothingLocal, ...options });
}

/** The error that a pull ends with. */
export async function failedPull(model: TestModel, options: PullInput): Promise<ModelRtcError> {
  try {
    const outcome = await pullModel(model, options);
    await outcome.release();
  } catch (error) {
    return error as ModelRtcError;
  }
  throw new Error('the pull succeeded');
}

/** Leaves behind what an attempt leaves that got this many chunks before its source was lost. */
export async function breakOff(staging: string, model: TestModel, chunks: number): Promise<void> {
  let sent = 0;
  const source = memorySource(model, {
    alter: (_chunk, pieces) => {
      if (sent++ < chunks) return pieces;
      throw networkError();
    },
  });
  const error = await failedPull(model, { staging, sources: [source] });
  if (error.code !== 'network') throw error;
}
