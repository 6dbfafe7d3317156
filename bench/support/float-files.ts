import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { raw } from '../../test/support/pickle-bytes.ts';
import { dict, type TensorToPickle, tensor } from '../../test/support/torch-maker.ts';

const BLOCK_BYTES = 1024 * 1024;
const FLOAT_BYTES = 4;
/** The bit of a float that is never set in those below 2. */
const NO_LARGE_EXPONENT = 0xbfffffff;
const TENSOR_BYTES = 100 * BLOCK_BYTES;

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

/** Writes a folder with a file of torch's zip format, of random floats in tensors of 105 MB. @returns its bytes */
export async function writeTorchModel(folder: string, bytes: number): Promise<number> {
  const sizes = Array.from({ length: Math.ceil(bytes / TENSOR_BYTES) }, (_, i) =>
    Math.min(TENSOR_BYTES, bytes - i * TENSOR_BYTES),
  );
  const tensors = sizes.map((size, i): TensorToPickle => {
    const shape = [size / FLOAT_BYTES];
    return { name: `layer.${i}.weight`, type: 'FloatStorage', key: String(i), offset: 0, shape, stride: [1] };
  });
  const value = dict(tensors.map((one) => [one.name, tensor(one)] as const));
  const pickle = raw('\x80\x02', value, '.');
  let total = 0;
  await writeFileOf(join(folder, 'pytorch_model.bin'), async (file) => {
    const zip = new ZipFile(file);
    await zip.add('archive/data.pkl', pickle.length, async () => void (await file.write(pickle)));
    for (const [i, size] of sizes.entries()) await zip.add(`archive/data/${i}`, size, () => writeFloats(file, size));
    total = await zip.end();
  });
  await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'bench' }));
  return total;
}

/** A zip file whose contents are written one after the other, uncompressed. */
class ZipFile {
  readonly #file: FileHandle;
  readonly #directory: Buffer[] = [];
  #offset = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(name: string, bytes: number, write: () => Promise<void>): Promise<void> {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(bytes, 14);
    fields.writeUInt32LE(bytes, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name)]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(this.#offset, 10);
    this.#directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name)]));
    await this.#file.write(local);
    await write();
    this.#offset += local.length + bytes;
  }

  async end(): Promise<number> {
    const listed = Buffer.concat(this.#directory);
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06', 'latin1');
    end.writeUInt16LE(this.#directory.length, 8);
    end.writeUInt16LE(this.#directory.length, 10);
    end.writeUInt32LE(listed.length, 12);
    end.writeUInt32LE(this.#offset, 16);
    await this.#file.write(Buffer.concat([listed, end]));
    return this.#offset + listed.length + end.length;
  }
}
