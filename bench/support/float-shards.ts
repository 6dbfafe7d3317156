import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const BLOCK_BYTES = 1024 * 1024;
const FLOAT_BYTES = 4;
/** The bit of a float that is never set in those below 2. */
const NO_LARGE_EXPONENT = 0xbfffffff;

/** Random floats, none of them infinite or no number. */
async function writeFloats(file: FileHandle, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
    const block = randomBytes(Math.min(left, BLOCK_BYTES));
    const words = new Uint32Array(block.buffer, block.byteOffset, block.length / FLOAT_BYTES);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & NO_LARGE_EXPONENT;
    await file.write(block);
  }
}

async function writeFileOf(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    await write(file);
  } finally {
    await file.close();
  }
}

/** The names of a model's shards, as they are called in the field. */
export function shardNames(count: number): string[] {
  const of = String(count).padStart(5, '0');
  return Array.from({ length: count }, (_, i) => `model-${String(i + 1).padStart(5, '0')}-of-${of}.safetensors`);
}

/** Writes one shard of random floats, and a short configuration and the index of all shards beside it. @param bytes - of its one tensor */
export async function writeShard(folder: string, name: string, bytes: number): Promise<void> {
  const head = { [name]: { dtype: 'F32', shape: [bytes / FLOAT_BYTES], data_offsets: [0, bytes] } };
  const text = JSON.stringify(head);
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFileOf(join(folder, name), async (file) => {
    await file.write(Buffer.concat([length, header]));
    await writeFloats(file, bytes);
  });
}

/** What stands beside the shards of a model. */
export function besideShards(names: readonly string[], shardBytes: number): Readonly<Record<string, Buffer>> {
  const index = {
    metadata: { total_size: names.length * shardBytes },
    weight_map: Object.fromEntries(names.map((name) => [name, name])),
  };
  return {
    'config.json': Buffer.from(JSON.stringify({ model_type: 'bench' })),
    'model.safetensors.index.json': Buffer.from(JSON.stringify(index)),
  };
}
