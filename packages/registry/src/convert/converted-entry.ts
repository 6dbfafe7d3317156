import { type Digest, MAX_MODEL_WARNING_CHARS, MAX_MODEL_WARNINGS, type ModelEntry } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import type { EntryDraft, LookedInto } from '../import/place-model.ts';
import { cleanText } from '../import/received-entry.ts';
import type { ImportOptions } from '../import/types.ts';
import type { MadeModel } from './make-converted.ts';

/** What an entry keeps of a conversion. */
export interface Conversion {
  /** The model that it was made from. */
  readonly convertedFrom: Digest;
  readonly warnings: readonly string[];
}

/** An entry that says what its model was converted from, and what that changed. */
export function withConversion(draft: EntryDraft, { convertedFrom, warnings }: Conversion): EntryDraft {
  const all = [...new Set([...(draft.warnings ?? []), ...warnings.map(fit)])];
  return {
    ...draft,
    lineage: { ...draft.lineage, convertedFrom },
    warnings: all.length === 0 ? undefined : bounded(all),
  };
}

/** Names of tensors and files may hold anything. */
function fit(text: string): string {
  const warning = cleanText(text) ?? '';
  return warning.length <= MAX_MODEL_WARNING_CHARS ? warning : `${warning.slice(0, MAX_MODEL_WARNING_CHARS - 1)}…`;
}

function bounded(warnings: readonly string[]): string[] {
  if (warnings.length <= MAX_MODEL_WARNINGS) return [...warnings];
  const shown = warnings.slice(0, MAX_MODEL_WARNINGS - 1);
  return [...shown, `There are ${warnings.length - shown.length} more of these.`];
}

/** What is said of a model's files, by their new names. */
export function convertedFacts<T extends Pick<ModelEntry, 'checkpointPath' | 'configPath'>>(
  facts: T,
  { converted }: Pick<MadeModel, 'converted'>,
): T {
  const byOld = new Map(converted.map(({ from, to }) => [from, to]));
  const { checkpointPath } = facts;
  return checkpointPath === undefined
    ? facts
    : { ...facts, checkpointPath: byOld.get(checkpointPath) ?? checkpointPath };
}

/**
 * What the new files hold: it is these that will be loaded.
 * @param location of the model, for messages
 */
export async function lookInto(
  { reading }: RegistryContext,
  location: string,
  { files }: MadeModel,
  { safeOnly, allowIncomplete, asIs, signal }: Pick<ImportOptions, 'safeOnly' | 'allowIncomplete' | 'asIs' | 'signal'>,
): Promise<LookedInto> {
  const { inspectFiles } = await import('../inspect/code-files.ts');
  const { findComponents, findIncomplete, incompleteError, toIncomplete } = await import(
    '../inspect/find-incomplete.ts'
  );
  const flaws = await findIncomplete(reading, files, signal);
  if (flaws.length > 0 && allowIncomplete !== true) throw incompleteError(location, flaws);
  const codeFiles = await inspectFiles(reading, files, { safeOnly, signal, isUnknown: asIs });
  const components = await findComponents(reading, files, flaws, signal);
  return { codeFiles, incomplete: toIncomplete(flaws), components };
}
