import { sep } from 'node:path';
import { type ErrorCode, fileOf, formatBytes, ModelRtcError, namesLocalPath } from '@model-rtc/protocol';

/** Details that clients may see. None of them names a path, process or host of this machine. */
const TELLABLE_DETAILS = [
  'alias',
  'candidates',
  'chunk',
  'codeFiles',
  'doneBytes',
  'file',
  'freeBytes',
  'id',
  'job',
  'missing',
  'neededBytes',
  'owner',
  'ref',
  'runner',
  'setting',
  'suggestions',
  'totalBytes',
];

type Sentence = (error: ModelRtcError) => string;

/** Errors of this machine's registry and disk, worded for a person at another machine. */
const SENTENCES: Partial<Record<ErrorCode, Sentence>> = {
  not_found_locally: () => 'The worker no longer has this model. See what it has: model-rtc worker list-models.',
  storage_full: ({ details }) =>
    `The worker's disk ${room(details)}; what has arrived is kept there. Free some space on the worker's disk and run the same command again.`,
  cancelled: ({ details }) =>
    details?.transfer === undefined
      ? 'The worker ended this. Run the same command again.'
      : "The worker's owner cancelled this transfer. What has arrived is kept there: run the same command again to resume.",
  storage: () => 'The worker could not read or write its own files. Its log says which, and why.',
  alias_taken: ({ details }) =>
    `At the worker the alias "${details?.alias}" is taken by model ${ownerOf(details)}. Choose another one${suggestions(details)}.`,
  verification_failed: ({ message, details }) => (details?.file === undefined ? message : wrongBytes(details)),
  refused: ({ message, details }) =>
    // What a job is refused for names its runner.
    Array.isArray(details?.codeFiles) && details.runner === undefined
      ? `The worker refuses models that run code when they are loaded: ${codeNames(details.codeFiles)}. Push it as safetensors, or ask the worker's owner.`
      : message,
  source_changed: (error) => `${changedFile(error)} changed while it was sent; it is no longer what was asked for.`,
};

/** Sentences for errors that name a path of this machine, such as a lock that is held. */
const ABOUT_A_PATH: Partial<Record<ErrorCode, string>> = {
  busy: 'The worker is busy with this model. Try again in a moment.',
  verification_failed: 'The worker received something other than what the manifest says. Run the same command again.',
};
const ABOUT_ANY_PATH = 'The worker could not do this with its own files. Its log says why.';

/**
 * An error as clients may see it: it says "the worker" instead of "this machine", reveals no local path, and turns "not
 * found on this machine" into "not found at the source".
 */
export function redactError(thrown: unknown): ModelRtcError {
  const error = ModelRtcError.from(thrown);
  const code = error.code === 'not_found_locally' ? 'not_found' : error.code;
  const details = tellable(error.details);
  const message = sentenceFor(error);
  // An error with its own message keeps its cause: the peer sees by it whether the text may be sent.
  const cause = message === error.message ? error.cause : error;
  return new ModelRtcError(code, message, { cause, details });
}

function sentenceFor(error: ModelRtcError): string {
  const { code, message } = error;
  const isAboutPath = namesLocalPath(error);
  if (isAboutPath && ABOUT_A_PATH[code] !== undefined) return ABOUT_A_PATH[code];
  const sentence = SENTENCES[code];
  if (sentence !== undefined) return sentence(error);
  return isAboutPath ? ABOUT_ANY_PATH : message;
}

function tellable(details: ModelRtcError['details']): Record<string, unknown> | undefined {
  const told = Object.entries(details ?? {}).filter(([name]) => TELLABLE_DETAILS.includes(name));
  return told.length === 0 ? undefined : Object.fromEntries(told);
}

/** What the worker did not get right from whoever pushes to it. */
function wrongBytes({ file, how }: Readonly<Record<string, unknown>>): string {
  if (how === 'absent')
    return `The worker asked for a part of "${file}" several times and did not get it; nothing was installed there. Push the model again.`;
  if (how === 'damaged')
    return `Bytes of "${file}" were damaged on the way to the worker several times; nothing was installed there. Push the model again, over another kind of connection if there is one.`;
  return `The worker received bytes of "${file}" that do not have the SHA-256 of the manifest; nothing was installed there. Check the model at its source.`;
}

function room(details: ModelRtcError['details']): string {
  const { neededBytes, freeBytes } = details ?? {};
  if (typeof neededBytes !== 'number' || typeof freeBytes !== 'number') return 'is full';
  return `has too little room (${formatBytes(neededBytes)} are needed and ${formatBytes(freeBytes)} are free)`;
}

function ownerOf(details: ModelRtcError['details']): string {
  const { id, modelType } = (details?.owner ?? {}) as { id?: unknown; modelType?: unknown };
  return `${id} (${modelType})`;
}

function suggestions(details: ModelRtcError['details']): string {
  const names = Array.isArray(details?.suggestions) ? details.suggestions : [];
  return names.length === 0 ? '' : `, such as ${names.map((name) => `"${name}"`).join(', ')}`;
}

function codeNames(files: readonly { readonly path: string; readonly suspicious: readonly string[] }[]): string {
  const names = files.slice(0, 5).map(({ path, suspicious }) => {
    return suspicious.length === 0 ? path : `${path} (imports ${suspicious.slice(0, 5).join(', ')})`;
  });
  return `${names.join(', ')}${files.length > names.length ? ` and ${files.length - names.length} more` : ''}`;
}

/** Only the file's name: clients must not learn this machine's folders. */
function changedFile(error: ModelRtcError): string {
  const path = fileOf(error);
  return path === undefined ? 'A file' : `"${path.split(sep).at(-1)}"`;
}
