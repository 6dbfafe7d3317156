import { formatRate, printable } from './format.ts';

/** One connection of a transfer, with its speed. */
export interface LaneRate {
  /** The agent at its other end. */
  readonly source: string;
  readonly kind: string;
  readonly engine?: string | undefined;
  readonly bytesPerSecond: number;
}

interface Group {
  readonly name: string;
  count: number;
  bytesPerSecond: number;
}

/**
 * The lanes that carry a transfer, the fastest first: `direct 412 MB/s`, `webrtc/native x8 18 MB/s + relay 2 MB/s`; of several
 * agents each by its name. Empty when nothing moves.
 */
export function lanesText(lanes: readonly LaneRate[]): string {
  const moving = lanes.filter(({ bytesPerSecond }) => bytesPerSecond > 0);
  const isFromSeveral = new Set(moving.map(({ source }) => source)).size > 1;
  const groups = new Map<string, Group>();
  for (const lane of moving) {
    const name = isFromSeveral ? `${printable(lane.source)} ${laneName(lane)}` : laneName(lane);
    const group = groups.get(name) ?? { name, count: 0, bytesPerSecond: 0 };
    group.count += 1;
    group.bytesPerSecond += lane.bytesPerSecond;
    groups.set(name, group);
  }
  return [...groups.values()]
    .sort((a, b) => b.bytesPerSecond - a.bytesPerSecond)
    .map(({ name, count, bytesPerSecond }) => `${name}${count > 1 ? ` x${count}` : ''} ${formatRate(bytesPerSecond)}`)
    .join(' + ');
}

/** The kinds of lanes alone: `webrtc/native x8 + relay`. */
export function laneKindsText(lanes: readonly Pick<LaneRate, 'kind' | 'engine'>[]): string {
  const counts = new Map<string, number>();
  for (const lane of lanes) counts.set(laneName(lane), (counts.get(laneName(lane)) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${name} x${count}` : name)).join(' + ');
}

function laneName({ kind, engine }: Pick<LaneRate, 'kind' | 'engine'>): string {
  return engine === undefined ? kind : `${kind}/${engine}`;
}
