import type { Log } from '@model-rtc/protocol';
import type { JsonFile } from '../../node/state/json-file.ts';
import { joinedMeshes } from '../../node/state/mesh-folders.ts';
import { type AuditEntry, noteDecisions } from '../audit.ts';
import { type PrefetchState, prefetchFiles } from './prefetch-files.ts';
import type { PrefetchRule } from './rule.ts';

/** The rules of one mesh, and what came of them. */
export interface MeshRules {
  readonly meshId: string;
  readonly rules: Pick<JsonFile<{ readonly rules: readonly PrefetchRule[] }>, 'read'>;
  readonly state: Pick<JsonFile<PrefetchState>, 'read' | 'update'>;
}

/** Where rules are kept, and where the owner is told what they did. */
export interface PrefetchStore {
  meshes(): Promise<readonly MeshRules[]>;
  audit(entry: AuditEntry): Promise<void>;
}

/** The meshes that this machine joined. @param root - the data folder */
export function prefetchStore(root: string, log: Log): PrefetchStore {
  return {
    async meshes() {
      const joined = await joinedMeshes(root, log);
      return joined.map(({ mesh, folder }) => ({ meshId: mesh.id, ...prefetchFiles(folder, log) }));
    },
    audit: (entry) => noteDecisions(root, [entry], log),
  };
}
