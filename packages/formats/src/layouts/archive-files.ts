import { ModelRtcError } from '@model-rtc/protocol';
import { baseName } from '../file-names.ts';

/** Archives that people put models into. */
const ARCHIVE = /\.(zip|tar|tgz|tbz2|txz|tar\.(gz|bz2|xz|zst)|7z|rar)$/i;

export function isArchiveFile(path: string): boolean {
  return ARCHIVE.test(path);
}

/**
 * The error that says how an archive of a model gets in. Nothing is unpacked here: nobody knows how large a stranger's archive becomes.
 * @param more - sentences for the end of the message
 */
export function archiveError(location: string, more = ''): ModelRtcError {
  const folder = location.replace(ARCHIVE, '');
  const [from, to] = [quoted(location), quoted(folder)];
  const unpack = unpackCommand(baseName(location), from, to);
  const sentence = `${location} is an archive. Unpack it and import the folder: ${unpack} && model-rtc client import-model ${to}. To move the archive itself, pass --as-is.${more}`;
  return new ModelRtcError('bad_argument', sentence, { details: { path: location, unpackTo: folder } });
}

function unpackCommand(name: string, from: string, to: string): string {
  if (/\.zip$/i.test(name)) return `unzip ${from} -d ${to}`;
  if (/\.(7z|rar)$/i.test(name)) return `7z x ${from} -o${to}`;
  return `mkdir -p ${to} && tar -xf ${from} -C ${to}`;
}

function quoted(path: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
