import { ModelRtcError } from '@model-rtc/protocol';
import * as z from 'zod';

/** Turns the content of a file of one version into that of the next. */
export type Migration = (file: Record<string, unknown>) => Record<string, unknown>;

/**
 * The content of a JSON file as the current version would have written it, and the version that wrote it.
 * @param path - named in errors
 * @param migrations - by the version that each starts from
 * @throws ModelRtcError `refused` when a newer version wrote it; any other error when it is damaged
 */
export function migratedFile(
  text: string,
  path: string,
  current: number,
  migrations: ReadonlyMap<number, Migration>,
): { readonly file: Record<string, unknown>; readonly version: number } {
  let file: Record<string, unknown> = JSON.parse(text);
  const { version } = z.looseObject({ version: z.number().int().min(0) }).parse(file);
  if (version > current) {
    const sentence = `${path} was written by a newer model-rtc (its version is ${version}, this one reads up to ${current}). Upgrade model-rtc; nothing was changed.`;
    throw new ModelRtcError('refused', sentence, { details: { path, version } });
  }
  for (let from = version; from < current; from++) {
    const migrate = migrations.get(from);
    if (migrate === undefined) throw new Error(`no version ${from} of this file is known`);
    file = { ...migrate(file), version: from + 1 };
  }
  return { file, version };
}
