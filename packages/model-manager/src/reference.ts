import { isReadableName, type ModelVersion } from '@model-rtc/static-registry';
import { ModelManagerError } from './errors.ts';

/** A model in a registry, whatever its version. */
export type ModelName = Omit<ModelVersion, 'version'>;

/** `fast-whisper/tiny@fp16`, or its parts. Names with `/` or `@` in them are written as parts. */
export type VersionRef = string | ModelVersion;
/** `fast-whisper/tiny`, or its parts. */
export type NameRef = string | ModelName;

/** @throws ModelManagerError `invalid_reference` */
export function parseVersionRef(ref: VersionRef): ModelVersion {
  if (typeof ref !== 'string') return checked({ group: ref.group, model: ref.model, version: ref.version });
  const at = ref.lastIndexOf('@');
  if (at === -1) throw invalid(ref, 'Name it as GROUP/MODEL@VERSION.');
  return checked({ ...parseNameRef(ref.slice(0, at)), version: ref.slice(at + 1) });
}

/** @throws ModelManagerError `invalid_reference` */
export function parseNameRef(ref: NameRef): ModelName {
  if (typeof ref !== 'string') return checked({ group: ref.group, model: ref.model });
  const slash = ref.indexOf('/');
  if (slash === -1) throw invalid(ref, 'Name it as GROUP/MODEL.');
  return checked({ group: ref.slice(0, slash), model: ref.slice(slash + 1) });
}

export function nameText({ group, model }: ModelName): string {
  return `${group}/${model}`;
}

export function isSameVersion(a: ModelVersion, b: ModelVersion): boolean {
  return a.group === b.group && a.model === b.model && a.version === b.version;
}

function checked<T extends object>(names: T): T {
  for (const [part, name] of Object.entries(names)) {
    if (typeof name === 'string' && isReadableName(name)) continue;
    throw invalid(String(name), `A ${part} has 1 to 128 characters, and no control characters.`);
  }
  return names;
}

function invalid(text: string, advice: string): ModelManagerError {
  return new ModelManagerError(
    'invalid_reference',
    'bad_argument',
    `"${text.slice(0, 300)}" is not the name of a model. ${advice}`,
  );
}
