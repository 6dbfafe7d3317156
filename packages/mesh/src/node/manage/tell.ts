import type { Log } from '@model-rtc/protocol';
import type { Agent } from '@model-rtc/transport';
import type { JoinedMesh } from '../state/mesh-folders.ts';
import { visitMesh } from '../visit-mesh.ts';

/** What it takes to change a mesh, and to tell its members. */
export interface ManageOptions {
  readonly root: string;
  readonly mesh?: string | undefined;
  readonly agent: Agent;
  readonly usesMdns: boolean;
  readonly signal: AbortSignal;
  readonly log?: Log | undefined;
}

/** How long members are looked for, to be told at once. */
const TELL_MS = 5_000;

/** Tells members that are reached now of a record, and of the newest roster. @returns their names */
export async function tellMembers(
  options: ManageOptions,
  joined: JoinedMesh,
  record?: Uint8Array | undefined,
): Promise<string[]> {
  const { root, agent, usesMdns, signal, log } = options;
  const heard = await visitMesh({ root, joined, agent, usesMdns, log }, async (visit) => {
    if (record !== undefined) await visit.keep(record);
    return await visit.untilHeard({ waitMs: TELL_MS, signal });
  });
  return heard.map(({ name }) => name);
}
