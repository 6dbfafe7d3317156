import type { Digest } from '@model-rtc/protocol';
import { digestOf, extentsAt, type Layout, type LayoutFile, placesOf, sizeOf } from '../layout/layout.ts';
import type { FileExtent, WantedChunk } from './source.ts';

/** A chunk of a layout to ask sources for. Its extents are computed only for sources that need them. */
class LayoutChunk implements WantedChunk {
  readonly index: number;
  readonly digest: Digest | undefined;
  readonly size: number;
  readonly #layout: Layout;

  constructor(layout: Layout, id: number) {
    this.index = id;
    this.digest = digestOf(layout, id);
    this.size = sizeOf(layout, id);
    this.#layout = layout;
  }

  extents(): FileExtent[] {
    const extents = extentsAt(this.#layout, placesOf(this.#layout, this.index)[0] ?? 0);
    return extents.map(({ file, fileOffset, length }) => {
      const { path } = this.#layout.files[file] as LayoutFile;
      return { path, offset: fileOffset, length };
    });
  }
}

export function wantedChunk(layout: Layout, id: number): WantedChunk {
  return new LayoutChunk(layout, id);
}
