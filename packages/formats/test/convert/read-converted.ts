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
