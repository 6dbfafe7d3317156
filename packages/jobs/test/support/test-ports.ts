import { createHash } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSets, JobModel, JobRequest, ResultsPort } from '@model-rtc/jobs';
import type { Digest } from '@model-rtc/protocol';

export const OWNER = 'token-1';

export function digestOf(text: string): Digest {
  return createHash('sha256').update(text).digest('hex') as Digest;
}

/** Files whose content is their name; the owner has all but one. */
export const testDataSets: DataSets = {
  find: async (digest, owner) =>
    owner === OWNER && digest !== digestOf('missing')
      ? { manifest: { files: [{ path: 'clip.mp4' }] }, bytes: 4 }
      : undefined,
  place: async ({ name }, path) => await writeFile(path, name, { mode: 0o400 }),
};

/** Notes the names of the files. */
export const testResults: ResultsPort = { keep: keepTestResults };

export function testRequest(model: JobModel): JobRequest {
  return { owner: OWNER, models: [model], data: [], runner: undefined, settings: {}, again: undefined };
}

export async function makeModel(root: string): Promise<JobModel> {
  const folder = join(root, 'models', 'm_0');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), 'weights');
  return {
    ...{ digest: digestOf('model'), id: '12345678', alias: 'good-mouse', modelType: 'mlp', framework: 'onnx', folder },
    ...{ checkpoint: join(folder, 'model.onnx'), config: undefined, codeFiles: [] },
  };
}

async function keepTestResults(outputFolder: string, notesFolder: string) {
  const names = await readdir(outputFolder, { recursive: true });
  const files: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const found = await stat(join(outputFolder, name));
    if (!found.isFile()) continue;
    files.push(name);
    bytes += found.size;
  }
  if (names.length === 0) return undefined;
  await mkdir(notesFolder);
  await writeFile(join(notesFolder, 'files.json'), JSON.stringify(files));
  return { digest: digestOf(files.join()), fileCount: files.length, bytes, form: 'folder' as const, leftOut: [] };
}
