import type { LaneBytes } from '@model-rtc/transfer';

/** What one worker gave of a model. */
export interface WorkerBytes {
  /** Of no other worker of the transfer. */
  readonly name: string;
  readonly bytes: number;
  /** Connections of one kind together, also those that were lost. */
  readonly lanes: readonly {
    readonly kind: string;
    readonly engine: string | undefined;
    /** How many there were over the whole transfer. */
    readonly count: number;
    readonly bytes: number;
  }[];
}

type Lane = Omit<LaneBytes, 'bytesPerSecond'>;

/** Sums up what came from each worker, by the name that `ProviderNames` gives it alone, even when the model changed and was begun again. */
export class BytesByWorker {
  #before: readonly Lane[] = [];
  #now: readonly Lane[] = [];

  /** @param lanes - as the transfer counts them from its beginning. */
  note(lanes: readonly Lane[]): void {
    this.#now = lanes;
  }

  startOver(): void {
    this.#before = [...this.#before, ...this.#now];
    this.#now = [];
  }

  /** Those that gave something, the one that gave the most first. */
  list(): WorkerBytes[] {
    const groups = new Map<string, Lane[]>();
    for (const lane of [...this.#before, ...this.#now]) {
      if (lane.bytes > 0) groups.set(lane.source, [...(groups.get(lane.source) ?? []), lane]);
    }
    return [...groups].map(([name, lanes]) => bytesOf(name, lanes)).sort((a, b) => b.bytes - a.bytes);
  }
}

function bytesOf(name: string, lanes: readonly Lane[]): WorkerBytes {
  const byKind = new Map<string, { kind: string; engine: string | undefined; count: number; bytes: number }>();
  for (const { kind, engine, bytes } of lanes) {
    const key = `${kind}/${engine}`;
    const group = byKind.get(key) ?? { kind, engine, count: 0, bytes: 0 };
    byKind.set(key, { ...group, count: group.count + 1, bytes: group.bytes + bytes });
  }
  const kinds = [...byKind.values()].sort((a, b) => b.bytes - a.bytes);
  return { name, bytes: kinds.reduce((sum, { bytes }) => sum + bytes, 0), lanes: kinds };
}
