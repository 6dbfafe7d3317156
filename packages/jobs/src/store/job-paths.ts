import { join } from 'node:path';

/** Where everything of the jobs lies in the data folder. All paths are absolute. */
export interface JobsPaths {
  readonly root: string;
  /** Mode 0700, as every folder in it. */
  readonly jobs: string;
  readonly audit: string;
}

export function jobsPaths(root: string): JobsPaths {
  const jobs = join(root, 'jobs');
  return { root, jobs, audit: join(jobs, 'audit.jsonl') };
}

export interface JobPaths {
  readonly folder: string;
  readonly record: string;
  readonly log: string;
  /** Read-only, with a numbered folder for each data set. */
  readonly input: string;
  /** All that is in it are the results. */
  readonly output: string;
  /** What `{output}` stands for. */
  readonly result: string;
  /** Where the program starts, and where its temporary files go. */
  readonly work: string;
  /** What the results port keeps. */
  readonly results: string;
}

export function jobPaths(jobs: string, id: string): JobPaths {
  const folder = join(jobs, id);
  const output = join(folder, 'output');
  return {
    folder,
    record: join(folder, 'job.json'),
    log: join(folder, 'log.jsonl'),
    input: join(folder, 'input'),
    output,
    result: join(output, 'result'),
    work: join(folder, 'work'),
    results: join(folder, 'results'),
  };
}
