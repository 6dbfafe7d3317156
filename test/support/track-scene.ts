import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { declareRunners, pythonRunner } from './runners.ts';
import { errorOf, FIXTURES, importModel, openScene, type Scene } from './scene.ts';

/** Writes what it was given, as JSON, and the text of a setting as it came. */
const ECHO = `
import json, os, sys
at = sys.argv.index('--')
json.dump(dict(args=sys.argv[1:at], text=sys.argv[at + 1:]), open(sys.argv[1] + '.json', 'w'))
print('echoed')
`;

/** Prints so many lines, ten a second, and then writes its process id. */
const COUNT = `
import os, sys, time
open(sys.argv[1] + '.pid', 'w').write(str(os.getpid()))
for i in range(int(sys.argv[2])):
    print('line %d of %s' % (i + 1, sys.argv[2]), flush=True)
    time.sleep(0.1)
`;

const FAIL = `
import sys
print('reading the video', flush=True)
print('this is no video', file=sys.stderr)
sys.exit(3)
`;

const RUNNERS = [
  pythonRunner('echo', ECHO, ['{output}', '{models}', '{inputs}', '--', ...['{set.text}']], {
    set: { text: { type: 'string', default: 'nothing', pattern: '(?s).*' } },
  }),
  pythonRunner('strict', ECHO, ['{output}', '{models}', '{inputs}', '--', '{set.n}', '{set.word}'], {
    set: { n: { type: 'integer', min: 1, max: 9, default: 5 }, word: { type: 'string', default: 'plain' } },
  }),
  pythonRunner('count', COUNT, ['{output}', '{set.lines}'], {
    set: { lines: { type: 'integer', min: 1, max: 100_000, default: 5 } },
    progress: 'line (\\d+) of (\\d+)',
    concurrency: 4,
  }),
  pythonRunner('fail', FAIL, []),
];

export interface JobJson {
  readonly id: string;
  readonly state: string;
  readonly exit?: { readonly code?: number; readonly signal?: string };
  readonly models: readonly { readonly alias?: string; readonly digest: string }[];
}
export interface TrackJson {
  readonly job: JobJson;
  readonly results?: { readonly path: string; readonly outcome: string };
}
export type EventJson = {
  readonly event: string;
  readonly type?: string;
  readonly number?: number;
  readonly text?: string;
};

async function openWithRunners(lab: Lab): Promise<Scene> {
  const opening = await openScene(lab);
  await declareRunners(opening.worker, RUNNERS);
  await importModel(opening.worker, join(FIXTURES, 'tiny-onnx'), 'tiny');
  return opening;
}

export interface TrackPlace {
  /** The worker, which all tests of a file share. */
  scene(): Promise<Scene>;
  /** A client with a model of its own and a file of data. */
  laptop(name: string): Promise<Machine & { readonly clip: string }>;
  /** The token of a new session. */
  sessionWith(scope: string, name: string): Promise<string>;
}

/** A worker with runners in Python and a model, opened when a test first needs it. */
export function trackPlace(lab: Lab): TrackPlace {
  let opened: Promise<Scene> | undefined;
  const scene = (): Promise<Scene> => {
    opened ??= openWithRunners(lab);
    return opened;
  };
  return {
    scene,
    async laptop(name) {
      const client = await (await scene()).client(name);
      const clip = join(client.folder, 'clip.mp4');
      await writeFile(clip, `data of ${name}`);
      return { ...client, clip };
    },
    async sessionWith(scope, name) {
      const { worker } = await scene();
      const args = ['worker', 'sessions', 'create', '--scope', scope, '--name', name, '--json'];
      return (await worker.succeed(args)).json<{ token: string }>().token;
    },
  };
}

export async function track(client: Machine, ...args: string[]): Promise<TrackJson> {
  return (await client.succeed(['track', ...args, '--json'])).json<TrackJson>();
}

export async function failure(client: Machine, args: string[], env: Record<string, string> = {}) {
  const result = await client.run([...args, '--json'], { env });
  return { exitCode: result.exitCode, ...errorOf(result) };
}

export async function jobsOf(client: Machine, ...args: string[]): Promise<JobJson[]> {
  return (await client.succeed(['jobs', 'list', '--json', ...args])).json<{ jobs: JobJson[] }>().jobs;
}

export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
