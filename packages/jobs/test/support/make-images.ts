import { encode } from 'jpeg-js';
import { PNG } from 'pngjs';

/** Small images of every kind: gray, color, with opacity, and a JPEG. */
export function makeImages(): Uint8Array[] {
  const png = new PNG({ width: 5, height: 3 });
  png.data.forEach((_, i) => {
    png.data[i] = i;
  });
  const kinds = ([0, 2, 4, 6] as const).map((colorType) => PNG.sync.write(png, { colorType }));
  return [...kinds, encode({ width: 9, height: 5, data: Buffer.alloc(180, 99) }, 50).data];
}
