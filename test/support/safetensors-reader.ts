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
