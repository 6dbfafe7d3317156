import { join } from 'node:path';
import { makeFolder, readJson, withLock, writeFileAtomic } from '@model-rtc/files';
import * as z from 'zod';
import type { ModelName } from './reference.ts';

const followedSchema = z.object({
  registry: z.string().max(2048),
  group: z.string().max(128),
  model: z.string().max(128),
  /** The registry's alias that a person pulled. */
  alias: z.string().max(128),
  /** What it led to then. */
  version: z.string().max(128),
});

export type FollowedVersion = z.infer<typeof followedSchema>;

/** The aliases of registries that were pulled, with what they led to: without it, nobody could say what an update changes. */
export interface FollowedVersions {
  list(): Promise<readonly FollowedVersion[]>;
  /** Adds one, in place of what was known of the same alias. */
  note(followed: FollowedVersion): Promise<void>;
  /** Forgets those of a model that lead to this version, or are it. */
  forget(name: ModelName, version: string): Promise<void>;
}

/** More than anybody pulls by hand; the oldest goes first. */
const MAX_FOLLOWED = 10_000;

/** Keeps them in a file of the data folder. A damaged one counts as empty: installed versions are known without it. */
export function openFollowedVersions(home: string): FollowedVersions {
  const path = join(home, 'followed-versions.json');
  const read = async (): Promise<FollowedVersion[]> =>
    z.array(followedSchema).safeParse(await readJson(path)).data ?? [];
  const change = async (apply: (known: readonly FollowedVersion[]) => FollowedVersion[]): Promise<void> => {
    await makeFolder(home, 0o700);
    await withLock(`${path}.lock`, {}, async () => {
      const known = await read();
      const changed = apply(known).slice(-MAX_FOLLOWED);
      if (JSON.stringify(changed) === JSON.stringify(known)) return;
      await writeFileAtomic(path, `${JSON.stringify(changed, undefined, 2)}\n`, { mode: 0o600 });
    });
  };
  const isOf = (one: FollowedVersion, { group, model }: ModelName) => one.group === group && one.model === model;
  return {
    list: read,
    note: (followed) =>
      change((known) => {
        const { registry, alias } = followed;
        const same = (one: FollowedVersion) => isOf(one, followed) && one.alias === alias && one.registry === registry;
        return [...known.filter((one) => !same(one)), followed];
      }),
    forget: (name, version) =>
      change((known) => known.filter((one) => !isOf(one, name) || (one.version !== version && one.alias !== version))),
  };
}
