import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, makeFolder, withLock, writeFileAtomic } from '@model-rtc/files';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import * as z from 'zod';
import { registryError } from '../format/errors.ts';
import type { ListSignature } from './signatures.ts';

const keySchema = z.string().regex(/^[0-9a-f]{64}$/);
const seenSchema = z.object({ sequence: z.number().int(), time: z.string(), sha256: z.string() });
const fileSchema = z.object({
  version: z.literal(1),
  registries: z.record(
    z.string(),
    z.object({ keys: z.array(keySchema).default([]), seen: z.record(keySchema, seenSchema).default({}) }),
  ),
});

type Registries = z.infer<typeof fileSchema>['registries'];

/** The newest list of a registry that a key signed, as far as this machine knows. */
export type SeenList = Pick<ListSignature, 'sequence' | 'time' | 'sha256'>;

/** Which keys a person pinned for which registries, and the newest list that was seen of each. */
export interface TrustedRegistries {
  /** The keys that are pinned for a registry. */
  keysOf(url: string): Promise<readonly string[]>;
  /** All pins, by the registries' addresses. */
  pins(): Promise<ReadonlyMap<string, readonly string[]>>;
  pin(url: string, keys: readonly string[]): Promise<void>;
  /** Forgets pinned keys, but not what was seen. @returns those that were pinned */
  unpin(url: string, keys: readonly string[]): Promise<readonly string[]>;
  /** The newest list that one of the keys signed. */
  newest(url: string, keys: readonly string[]): Promise<SeenList | undefined>;
  /** Remembers a list. @throws ModelRtcError `verification_failed` when a newer one was seen, or another one with its number */
  note(url: string, found: ListSignature, keys: readonly string[]): Promise<void>;
}

/** Keeps them in a file of a data folder. @throws ModelRtcError (from each call) `storage` for a damaged one: it does not count as empty */
export function openTrustedRegistries(home: string): TrustedRegistries {
  const path = join(home, 'trusted-registries.json');
  const change = async (apply: (known: Registries) => boolean): Promise<void> => {
    await makeFolder(dirname(path), 0o700);
    await withLock(`${path}.lock`, {}, async () => {
      const registries = await readRegistries(path);
      if (!apply(registries)) return;
      await writeFileAtomic(path, `${JSON.stringify({ version: 1, registries }, undefined, 2)}\n`, { mode: 0o600 });
    });
  };
  const keysOf = async (url: string) => own(await readRegistries(path), url)?.keys ?? [];
  return {
    keysOf,
    pins: async () => new Map(Object.entries(await readRegistries(path)).map(([url, { keys }]) => [url, keys])),
    async pin(url, keys) {
      const known = await keysOf(url);
      if (keys.every((key) => known.includes(key))) return;
      await change((registries) => {
        const { keys: now, seen } = own(registries, url) ?? NOTHING;
        registries[url] = { keys: [...new Set([...now, ...keys])], seen };
        return true;
      });
    },
    async unpin(url, keys) {
      let removed: readonly string[] = [];
      await change((registries) => {
        const { keys: now, seen } = own(registries, url) ?? NOTHING;
        removed = now.filter((key) => keys.includes(key));
        registries[url] = { keys: now.filter((key) => !keys.includes(key)), seen };
        return removed.length > 0;
      });
      return removed;
    },
    newest: async (url, keys) => newestOf(await readRegistries(path), url, keys),
    async note(url, found, keys) {
      const newest = newestOf(await readRegistries(path), url, keys);
      requireNewer(url, found, newest);
      if (newest?.sequence === found.sequence) return;
      await change((registries) => {
        requireNewer(url, found, newestOf(registries, url, keys));
        const { keys: pinned, seen } = own(registries, url) ?? NOTHING;
        const { key, sequence, time, sha256 } = found;
        registries[url] = { keys: pinned, seen: { ...seen, [key]: { sequence, time, sha256 } } };
        return true;
      });
    },
  };
}

const NOTHING: Registries[string] = { keys: [], seen: {} };

async function readRegistries(path: string): Promise<Registries> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return {};
    throw ModelRtcError.because(error, 'storage', `Cannot read ${path}. Check its permissions.`);
  }
  try {
    return fileSchema.parse(JSON.parse(text)).registries;
  } catch (error) {
    throw ModelRtcError.because(
      error,
      'storage',
      `${path} is damaged, so nobody knows whose registries are to be trusted. Restore it, or remove it and pin the keys again.`,
    );
  }
}

function own(registries: Registries, url: string): Registries[string] | undefined {
  return Object.hasOwn(registries, url) ? registries[url] : undefined;
}

function newestOf(registries: Registries, url: string, keys: readonly string[]): SeenList | undefined {
  const seen = own(registries, url)?.seen ?? {};
  const lists = Object.entries(seen).flatMap(([key, { sha256, ...list }]) =>
    keys.includes(key) ? [{ ...list, sha256: sha256 as Digest }] : [],
  );
  return lists.sort((a, b) => b.sequence - a.sequence)[0];
}

function requireNewer(url: string, found: ListSignature, newest: SeenList | undefined): void {
  if (newest === undefined || found.sequence > newest.sequence) return;
  if (found.sequence === newest.sequence && found.sha256 === newest.sha256) return;
  const details = { url, found: pick(found), seen: pick(newest) };
  if (found.sequence === newest.sequence) {
    throw registryError(
      'list_rolled_back',
      `${url} gives another list of models than before, with the same number ${found.sequence}. Somebody shows different lists to different readers, or two publishers lost track of each other. Ask the publisher.`,
      details,
    );
  }
  throw registryError(
    'list_rolled_back',
    `${url} gives an old list of models: number ${found.sequence}, signed ${found.time}, but this machine has seen number ${newest.sequence}, signed ${newest.time}. A cache may be late: try again in some minutes, then ask the publisher.`,
    details,
  );
}

function pick({ sequence, time, sha256 }: SeenList): SeenList {
  return { sequence, time, sha256 };
}
