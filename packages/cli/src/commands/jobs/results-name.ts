import { dirname, extname, join, sep } from 'node:path';
import type { FoundResults } from '@model-rtc/client';
import { isFolder } from '@model-rtc/files';
import type { Job } from '@model-rtc/protocol';

/** The names of models that a file's name shows; the id of the job tells the rest. */
const MAX_NAMED_MODELS = 4;
/** A longer name leaves no room for what is added to it: file systems allow 255 bytes. */
const MAX_DATA_NAME_CHARS = 100;

/** What results are called: `<data>.<model>.predictions.<ext>`. */
export function resultsName(
  { data, models, resume, id }: Pick<Job, 'data' | 'models' | 'resume' | 'id'>,
  found: FoundResults,
): string {
  const [first] = data;
  const parts = [
    ...(first === undefined ? [] : [first.name.slice(0, MAX_DATA_NAME_CHARS)]),
    models
      .slice(0, MAX_NAMED_MODELS)
      .map((model) => model.alias ?? model.id)
      .join('+') || (resume === undefined ? id : 'resumed'),
    'predictions',
  ];
  return parts.join('.') + extensionOf(found);
}

function extensionOf({ form, fileName }: FoundResults): string {
  if (form === 'folder' || fileName === undefined) return '';
  // `result.tar.gz` is what most runners write for `{output}.tar.gz`.
  const own = /^result(\.[A-Za-z0-9.]{1,32})$/.exec(fileName)?.[1];
  return own ?? extname(fileName);
}

/**
 * Where results go.
 *
 * @param output - as the user named it: a folder that is there, or a name with a slash at its end, is where they go under their
 * ordinary name.
 * @param beside - the data that they are put beside without `output`; undefined for the working directory
 */
export async function resultsPath(
  job: Pick<Job, 'data' | 'models' | 'resume' | 'id'>,
  found: FoundResults,
  { output, beside }: { readonly output: string | undefined; readonly beside: string | undefined },
): Promise<string> {
  if (output === undefined) return join(beside === undefined ? '.' : dirname(beside), resultsName(job, found));
  const meansFolder = output.endsWith('/') || output.endsWith(sep);
  const isThere = found.form === 'file' && (await isFolder(output));
  return meansFolder || isThere ? join(output, resultsName(job, found)) : output;
}
