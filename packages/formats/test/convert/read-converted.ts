import { convertedBlocks, planConversion } from '@model-rtc/formats/convert';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { arrayReader } from '../bytes/readers.ts';

/** The safetensors file that a file of torch becomes; undefined for one that is left as it is. */
export async function convertBytes(
  bytes: Uint8Array,
  { blockBytes = 1 << 20, tiesWeights = false } = {},
): Promise<
  { readonly file: Buffer; readonly warnings: readonly string[]; readonly dropped: readonly string[] } | undefined
> {
  const plan = await planConversion(arrayReader(bytes), { inflate, tiesWeights });
  if (plan === undefined) return undefined;
  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    if (!(offset >= 0 && offset + target.length <= bytes.length))
      throw new Error(`read of ${target.length} at ${offset}`);
    target.set(bytes.subarray(offset, offset + target.length));
  };
  const parts: Buffer[] = [];
  for (const block of convertedBlocks(plan, blockBytes)) {
    const part = Buffer.alloc(block.bytes, 0xaa);
    await block.fill(part, { readInto });
    parts.push(part);
  }
  const file = Buffer.concat(parts);
  if (file.length !== plan.size) throw new Error(`${file.length} bytes where ${plan.size} were promised`);
  return { file, warnings: plan.warnings, dropped: plan.dropped };
}

/** Reads a safetensors file by the format's own page, with nothing of the sources. */
export function readTensors(file: Buffer): {
  readonly metadata: Record<string, string>;
  readonly tensors: Record<string, readonly [dtype: string, shape: readonly number[], bytes: string]>;
} {
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__, ...entries } = JSON.parse(file.subarray(8, 8 + length).toString('utf8'));
  const data = file.subarray(8 + length);
  const spans = Object.values(entries as Record<string, { data_offsets: [number, number] }>).map(
    (one) => one.data_offsets,
  );
  // The tensors fill the file without holes.
  const end = spans
    .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
    .reduce((at, [from, to]) => (from === at ? to : Number.NaN), 0);
  if (end !== data.length) throw new Error(`tensors end at ${end} of ${data.length}`);
  const tensors = Object.fromEntries(
    Object.entries(entries as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>).map(
      ([name, { dtype, shape, data_offsets }]) => [
        name,
        [dtype, shape, data.subarray(...data_offsets).toString('hex')] as const,
      ],
    ),
  );
  return { metadata: __metadata__, tensors };
}
