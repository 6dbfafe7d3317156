import type { Buffer } from 'node:buffer';
import type { Digest } from '@model-rtc/protocol';
import type { DiskCommand, DiskEvent, DiskPort, Layout } from '../../src/core/index.ts';
import { digestOf, extentsAt, placesOf, sizeOf } from '../../src/core/layout/layout.ts';
import type { TestModel } from './models.ts';

/** A disk under test, and what the test sees and does behind its back. */
export interface DiskScene {
  /** Opens the disk, with whatever earlier openings left on it. */
  open(onEvents: (events: readonly DiskEvent[]) => void): DiskPort;
  /** By id: 1 for each chunk that a later run would take as present. */
  present(): Uint8Array;
  /** The stored bytes of a part of a file, or undefined when they are not there. */
  read(path: string, start?: number, end?: number): Buffer | undefined;
  /** Changes a stored byte. */
  damage(path: string, offset: number): void;
}

export interface StoreOptions {
  /** Other bytes than the chunk's. */
  readonly as?: Uint8Array;
  readonly buffer?: number;
  readonly bufferBytes?: number;
}

/** Stands for the transfer: posts commands, notes the events and waits for them. */
export class DiskUser {
  readonly scene: DiskScene;
  readonly port: DiskPort;
  readonly events: DiskEvent[] = [];
  readonly #model: TestModel;
  readonly #layout: Layout;
  readonly #waiting = new Set<() => void>();
  #buffers = 100;
  #closed = false;

  constructor(model: TestModel, layout: Layout, scene: DiskScene) {
    this.#model = model;
    this.#layout = layout;
    this.scene = scene;
    this.port = scene.open((events) => {
      this.events.push(...events);
      for (const look of this.#waiting) look();
    });
  }

  get ids(): number[] {
    return [...this.#layout.sizes.keys()];
  }

  get hashedBytes(): number {
    return this.of('hashed').reduce((sum, { bytes }) => sum + bytes, 0);
  }

  of<T extends DiskEvent['type']>(type: T): (DiskEvent & { type: T })[] {
    return this.events.filter((event): event is DiskEvent & { type: T } => event.type === type);
  }

  chunksOf(type: 'verified' | 'wrong'): number[] {
    return this.of(type).map(({ chunk }) => chunk);
  }

  bytesOf(chunk: number): Buffer {
    return this.#model.chunks.get(digestOf(this.#layout, chunk) as Digest) as Buffer;
  }

  post(...commands: DiskCommand[]): void {
    this.port.post(commands);
  }

  /** Each chunk in a buffer of its own. */
  store(...chunks: number[]): void {
    this.post(...chunks.map((chunk) => this.storing(chunk)));
  }

  /** The command that stores a chunk from memory which the disk does not know yet. */
  storing(
    chunk: number,
    { as = this.bytesOf(chunk), buffer = this.#buffers++, ...options }: StoreOptions = {},
  ): DiskCommand {
    const memory = this.port.allocate(options.bufferBytes ?? sizeOf(this.#layout, chunk));
    memory.write(0, as);
    return { type: 'store', chunk, buffer, memory: memory.bytes };
  }

  /** Resolves when there were so many events of the type. @throws Error when the disk failed instead */
  async until(type: DiskEvent['type'], count = 1): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const [failure] = this.of('failed');
        if (this.of(type).length >= count) resolve();
        else if (failure !== undefined) reject(new Error(failure.error.message));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async flush(): Promise<void> {
    this.post({ type: 'flush' });
    await this.until('flushed');
  }

  /** What was posted before is done when a check that was posted after it is answered. */
  async untilDone(): Promise<void> {
    const before = this.of('checked').length;
    this.post({ type: 'check', chunks: [0] });
    await this.until('checked', before + 1);
  }

  /** What is stored in each place of the chunk, and what should be. */
  places(chunk: number): { found: Buffer | undefined; wanted: Buffer }[] {
    return [...placesOf(this.#layout, chunk)].flatMap((place) =>
      extentsAt(this.#layout, place).map(({ file, fileOffset, chunkOffset, length }) => ({
        found: this.scene.read(this.#layout.files[file]?.path ?? '', fileOffset, fileOffset + length),
        wanted: this.bytesOf(chunk).subarray(chunkOffset, chunkOffset + length),
      })),
    );
  }

  isStored(chunk: number): boolean {
    return this.places(chunk).every(({ found, wanted }) => found?.equals(wanted) === true);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.port.close();
  }
}
