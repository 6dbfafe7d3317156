import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { stateDict, type TensorToPickle, torchLegacy } from '../../test/support/torch-maker.ts';

const PIECE_BYTES = 4 * 1024 * 1024;
const COUNT_BYTES = 8;
const ITEM_BYTES = 2;

export interface LargeTorchFile {
  /** How many tensors of float16, square matrices, each with a storage of its own. */
  readonly tensors: number;
  /** Rows and columns of each. */
  readonly side: number;
  /** Whether they are stored column by column. */
  readonly transposed?: boolean | undefined;
}

/** Writes a file of torch with random numbers, in the format that can be written piece by piece. */
export async function makeLargeTorchFile(
  path: string,
  { tensors, side, transposed = false }: LargeTorchFile,
): Promise<void> {
  const stride = transposed ? [1, side] : [side, 1];
  const views = Array.from({ length: tensors }, (_, i): TensorToPickle => {
    return { name: `layers.${i}.weight`, type: 'HalfStorage', key: `${i}`, offset: 0, shape: [side, side], stride };
  });
  const items = side * side;
  const empty = torchLegacy(
    stateDict(views),
    Object.fromEntries(views.map(({ key }) => [key, [items, Buffer.alloc(0)] as const])),
  );
  const [head, count] = [empty.subarray(0, -COUNT_BYTES * tensors), empty.subarray(-COUNT_BYTES)];
  const file = await open(path, 'w');
  try {
    await file.write(head);
    for (let tensor = 0; tensor < tensors; tensor += 1) {
      await file.write(count);
      for (let left = items * ITEM_BYTES; left > 0; left -= PIECE_BYTES)
        await file.write(randomBytes(Math.min(left, PIECE_BYTES)));
    }
  } finally {
    await file.close();
  }
}
