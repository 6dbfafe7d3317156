import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { DataLimits } from '@model-rtc/registry';
import { type HandlerOptions, openWorkerData, type WorkerData } from '@model-rtc/worker';
import { atEnd, type Lab, type LabOptions, openLab, temporaryFolder } from '../support/lab.ts';

export const OWNER = 'mine';
export const JOB = 'abcdefgh0123';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export async function writeFiles(folder: string, files: Files): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

export interface DataLab extends Lab {
  readonly data: WorkerData;
  /** A folder of this test. */
  readonly folder: string;
  /** Jobs whose results were reported as fetched. */
  readonly fetched: string[];
  /** Makes these files the results of the job. */
  finish(files: Files): Promise<string>;
}

/** A worker whose data and results are real, and that has one job. */
export async function openDataLab(
  options: LabOptions & { readonly keep?: Partial<DataLimits> } = {},
): Promise<DataLab> {
  const folder = await temporaryFolder();
  const fetched: string[] = [];
  const notes = join(folder, 'notes');
  const jobs = {
    async resultsFolder(owner: string, id: string) {
      if (owner !== OWNER || id !== JOB) throw new ModelRtcError('not_found', 'There is no such job.');
      return notes;
    },
    async fetched(_owner: string, id: string) {
      fetched.push(id);
    },
  } as unknown as NonNullable<HandlerOptions['jobs']>['jobs'];
  let data: WorkerData | undefined;
  const lab = await openLab({
    authority: { scopes: ['read', 'write', 'track'], keyId: OWNER },
    async jobs(there) {
      data = await openWorkerData({ registry: there, log: silentLog, keep: options.keep, needed: () => new Set() });
      const opened = data;
      atEnd(() => opened.close());
      return { jobs, data: opened.reception, results: there };
    },
    ...options,
  });
  const finish = async (files: Files): Promise<string> => {
    const output = join(folder, 'output');
    await mkdir(output, { recursive: true });
    await writeFiles(output, files);
    await lab.there.keepResults(output, notes);
    return output;
  };
  return { ...lab, data: data as WorkerData, folder, fetched, finish };
}
