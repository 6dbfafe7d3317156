import type { Clock, Log } from '@model-rtc/protocol';
import type { Registry } from '@model-rtc/registry';
import type { Handlers } from '@model-rtc/transport';
import { OccasionalNotes } from '../policy/occasional-notes.ts';
import { consentNames } from '../policy/with-consent.ts';
import type { MeshMember } from '../types.ts';
import { decodeKept, namedAs } from './records/record-names.ts';

export interface VisitorAuditOptions {
  readonly registry: Pick<Registry, 'paths' | 'find'>;
  readonly log: Log;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A visitor of this machine's worker, in a mesh. */
interface Visitor {
  readonly mesh: string;
  readonly member: Pick<MeshMember, 'key' | 'name'>;
}

/** Notes for the audit what members fetched from this machine's worker, and which former members it refused. */
export class VisitorAudit {
  readonly #registry: VisitorAuditOptions['registry'];
  readonly #notes: OccasionalNotes;

  constructor({ registry, log, clock }: VisitorAuditOptions) {
    this.#registry = registry;
    this.#notes = new OccasionalNotes(registry.paths.root, log, clock);
  }

  /** The handlers for a member, which notes what the member says that it fetched. Other models than those of this machine are not noted. */
  noting(handlers: Handlers, { mesh, member }: Visitor): Handlers {
    const { report_installed: answer } = handlers;
    if (answer === undefined) return handlers;
    return {
      ...handlers,
      report_installed: async (params, context) => {
        const reply = await answer(params, context);
        const entry = await this.#registry.find(params.digest);
        if (entry === undefined) return reply;
        const what = `${consentNames([member])} of the mesh ${mesh} fetched ${entry.alias ?? entry.id}, and says that it has it`;
        await this.#notes.note({ event: 'download', what, about: params.digest, by: member.key });
        return reply;
      },
    };
  }

  /**
   * Notes that somebody came who was removed from the mesh. Of others who do not belong to it nothing is noted: anybody could be one.
   * @param shown - the records by which it wanted to be let in
   */
  async refused(mesh: string, shown: readonly Uint8Array[], isRemoved: (key: string) => boolean): Promise<void> {
    for (const key of shown.flatMap((bytes) => memberKey(bytes) ?? [])) {
      if (isRemoved(key)) await this.refusedMember(mesh, key);
    }
  }

  async refusedMember(mesh: string, key: string): Promise<void> {
    const what = `refused the node ${key.slice(0, 8)}, which is no member of the mesh ${mesh} any more`;
    await this.#notes.note({ event: 'refusal', what, about: key, by: 'membership' });
  }
}

/** Whose membership a record is; undefined for other records and for broken ones. */
function memberKey(bytes: Uint8Array): string | undefined {
  try {
    return decodeKept([bytes]).map((record) => (record.kind === 'membership' ? namedAs(record).key : undefined))[0];
  } catch {
    return undefined;
  }
}
