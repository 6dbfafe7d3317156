import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, type Manifest, type ModelPath, manifestDigest } from '@model-rtc/protocol';

/** Folders that are written at once. */
const AT_ONCE = 32;
const FILE = 'best.ckpt' as ModelPath;

export interface ManyModels {
  /** A data folder to fill; nothing is in it. */
  readonly home: string;
  readonly count: number;
  /** Chunks that each manifest names. Their bytes are on no disk, where there is more than one. */
  readonly chunksPerModel?: number | undefined;
}

/**
 * Writes a registry with so many models as the registry itself would write it one by one, whose time is not to be measured:
 * a folder each with one file and its notes, and the index.
 */
export async function writeManyModels({ home, count, chunksPerModel = 1 }: ManyModels): Promise<void> {
  const models = join(home, 'models');
  await mkdir(models, { recursive: true });
  const entries: Record<string, unknown> = {};
  const aliases: Record<string, string> = {};
  let next = 0;
  const writer = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const { folder, ...entry } = await writeModel(models, i, chunksPerModel);
      entries[entry.id] = { ...entry, folder };
      aliases[entry.alias] = entry.id;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, writer));
  const index = { version: 2, models: entries, aliases, interrupted: [] };
  await writeFile(join(models, 'registry.json'), `${JSON.stringify(index, undefined, 2)}\n`);
}

export function manyAlias(i: number): string {
  return `mouse-${String(i).padStart(5, '0')}`;
}

async function writeModel(models: string, i: number, chunks: number) {
  const content = `the weights of model ${i}`;
  const manifest = manifestOf(content, i, chunks);
  const digest = manifestDigest(manifest);
  // Longer than usual, so that none of very many collide.
  const id = digest.slice(0, 12);
  const entry = entryOf(i, { id, digest, size: content.length });
  const folder = `${entry.modelType}_${id}`;
  const own = join(models, folder, '.model-rtc');
  await mkdir(own, { recursive: true });
  await writeFile(join(models, folder, FILE), content);
  const { mtimeNs } = await stat(join(models, folder, FILE), { bigint: true });
  const files = [{ path: FILE, size: content.length, mtimeNs: String(mtimeNs) }];
  await writeFile(join(own, 'files.json'), JSON.stringify({ version: 1, files }));
  await writeFile(join(own, 'manifest.json'), JSON.stringify(manifest));
  await writeFile(join(own, 'entry.json'), JSON.stringify({ version: 1, entry }));
  return { ...entry, folder };
}

/** One file whose chunks are of one byte each, but for the last, which has the rest. */
function manifestOf(content: string, i: number, chunks: number): Manifest {
  const size = chunks === 1 ? content.length : chunks;
  const sha256 = createHash('sha256').update(content).digest('hex') as Digest;
  const digestOf = (chunk: number): Digest =>
    chunks === 1 ? sha256 : (createHash('sha256').update(`${i} ${chunk}`).digest('hex') as Digest);
  return {
    version: 1,
    chunker: 'bench',
    files: [{ path: FILE, size, sha256 }],
    chunks: Array.from({ length: chunks }, (_, chunk) => ({ digest: digestOf(chunk), size: size / chunks })),
  };
}

/** As full as that of a real training run. */
function entryOf(i: number, model: { readonly id: string; readonly digest: Digest; readonly size: number }) {
  const day = new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString();
  return {
    ...model,
    modelType: ['centroid', 'centered_instance', 'qwen2', 'gguf'][i % 4] as string,
    framework: 'sleap-nn',
    backbone: 'unet',
    alias: manyAlias(i),
    source: 'local-import',
    status: 'completed',
    createdAt: day,
    completedAt: day,
    importedAt: day,
    fileCount: 1,
    checkpointPath: FILE,
    metrics: { best_val_loss: 1 / (i + 1), best_train_loss: 1 / (i + 2), best_epoch: i % 100, last_epoch: 100 },
    hyperparameters: { learning_rate: 0.001, batch_size: 4, max_epochs: 100, optimizer: 'Adam', input_scale: 1 },
    versions: { sleap_nn_version: '0.0.3', torch: '2.1' },
    tags: i % 10 === 0 ? ['keep'] : [],
    codeFiles: [{ path: FILE, suspicious: [] }],
    linked: false,
    formerAliases: [],
  };
}
