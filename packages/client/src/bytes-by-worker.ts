import type { LaneBytes } from '@model-rtc/transfer';

/** What one worker sent of a model. */
export interface WorkerBytes {
  /** Different for each worker of the transfer. */
  readonly name: string;
  readonly bytes: number;
  /** One entry for each kind of connection, including those that were lost. */
  readonly lanes: readonly {
    readonly kind: string;
    readonly engine: string | undefined;
    /** How many there were over the whole transfer. */
    readonly count: number;
    readonly bytes: number;
  }[];
}

type Lane = Omit<LaneBytes, 'bytesPerSecond'>;

/** Counts what each worker sent, by the name that `ProviderNames` gives it, even when the model changed and the transfer began again. */
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

  /** The workers that sent something, the one that sent the most first. */
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
