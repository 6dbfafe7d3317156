import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { afterTest } from '../support/after-test.ts';
import type { Machine } from '../support/machine.ts';
import { BUCKET, KEY, REGION, type S3Server, type S3ServerOptions, startS3Server } from '../support/s3/server.ts';
import { errorOf, importModel } from '../support/scene.ts';
import { useLab } from '../support/suites.ts';

const SIZE = 30_000_000;
const CHUNKS = 30;
const TO = `s3://${BUCKET}/registry`;
const LIST = 'registry/models.json';
const DAY_MS = 24 * 3600 * 1000;
const lab = useLab();

interface Published {
  readonly isNew: boolean;
  readonly reusedBytes: number;
  readonly pruned?: { readonly removedFiles: number };
}

async function startStore(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await startS3Server({ isPublic: true, ...options });
  afterTest(() => server.close());
  return server;
}

/** A machine whose user has keys in the environment, with a model called `mouse`. */
async function publisher(name: string, server: S3Server, weights: Buffer): Promise<Machine> {
  const env = {
    AWS_ACCESS_KEY_ID: KEY.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL_S3: server.url,
    // Looks for no keys on the network.
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const machine = await lab.machine(name, { env });
  const folder = join(await lab.folder(), 'model');
  await mkdir(folder);
  await writeFile(join(folder, 'weights.msgpack'), weights);
  await writeFile(join(folder, 'config.json'), '{"layers":2}');
  await importModel(machine, folder, 'mouse');
  return machine;
}

const publishing = (version: string, ...more: string[]): string[] => [
  ...['models', 'publish', 'mouse', 'mice/good-mouse', version, '--to', TO, '--chunk-size', '1MB', '--json', ...more],
];

async function publish(machine: Machine, version: string, ...more: string[]): Promise<Published> {
  return (await machine.succeed(publishing(version, ...more))).json<Published>();
}

function versionsIn(server: S3Server): string[] {
  const list = JSON.parse(server.objects.get(LIST)?.bytes.toString() ?? '{}');
  return Object.keys(list.mice?.['good-mouse'] ?? {}).sort();
}

const chunksIn = (server: S3Server): number => [...server.objects.keys()].filter((key) => key !== LIST).length;
const waitFor = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((done) => setTimeout(done, 10));
};

describe('a registry in a bucket', () => {
  it('is published to by a machine with keys, and installed from over HTTP by one without', async () => {
    const server = await startStore();
    const weights = randomBytes(SIZE);
    const machine = await publisher('publisher', server, weights);
    expect(await publish(machine, '1.0', '--alias', 'latest')).toMatchObject({ isNew: true });
    expect(await publish(machine, '1.0')).toMatchObject({ isNew: false, reusedBytes: SIZE + 12 });

    const reader = await lab.machine('reader');
    const registry = ['--registry', `${server.url}/${BUCKET}/registry`];
    await reader.succeed(['models', 'pull', 'mice/good-mouse', 'latest', ...registry]);
    const path = (await reader.succeed(['models', 'path', 'mice/good-mouse', '1.0'])).stdout.trim();
    expect((await readFile(join(path, 'weights.msgpack'))).equals(weights)).toBe(true);
  }, 120_000);

  it('is read with keys where it is not public', async () => {
    const server = await startStore({ isPublic: false });
    const machine = await publisher('publisher', server, randomBytes(SIZE));
    await publish(machine, '1.0');
    const listed = await machine.succeed(['models', 'list', '--remote', '--registry', TO, '--json']);
    expect(listed.stdout).toContain('good-mouse');
    const overHttp = ['models', 'list', '--remote', '--registry', `${server.url}/${BUCKET}/registry`, '--json'];
    expect((await machine.run(overHttp)).exitCode).toBe(8);
  }, 120_000);

  it('loses no version when two publish at once', async () => {
    let lists = 0;
    let release = (): void => undefined;
    const both = new Promise<void>((done) => {
      release = done;
    });
    // Both have read the list before either may write it.
    const server = await startStore({
      before: async ({ method, key }) => {
        if (method !== 'PUT' || key !== LIST) return undefined;
        if (++lists === 2) release();
        await both;
        return undefined;
      },
    });
    const weights = randomBytes(SIZE);
    const machines = await Promise.all(['one', 'two'].map((name) => publisher(name, server, weights)));
    await Promise.all(machines.map((machine) => publish(machine, machine.name)));
    expect(lists).toBe(3);
    await Promise.all(machines.map((machine) => publish(machine, `${machine.name}-again`)));
    expect(versionsIn(server)).toEqual(['one', 'one-again', 'two', 'two-again']);
  }, 120_000);

  it('goes on after kill -9 where it was, and sends no chunk twice', async () => {
    let isSlow = true;
    const server = await startStore({
      before: async ({ method }) => {
        if (isSlow && method === 'PUT') await new Promise((done) => setTimeout(done, 100));
        return undefined;
      },
    });
    const machine = await publisher('publisher', server, randomBytes(SIZE));
    const first = machine.start(publishing('1.0'));
    await waitFor(() => chunksIn(server) >= 10);
    await first.kill('SIGKILL');
    expect(server.objects.has(LIST)).toBe(false);
    isSlow = false;
    const there = new Map(server.objects);
    expect(there.size).toBeLessThan(CHUNKS);
    const { reusedBytes } = await publish(machine, '1.0');
    expect(reusedBytes).toBeGreaterThan(8_000_000);
    for (const [key, object] of there) expect(server.objects.get(key)).toBe(object);
    expect(versionsIn(server)).toEqual(['1.0']);
  }, 120_000);

  it('stops at Ctrl+C and leaves nothing that is named', async () => {
    const server = await startStore({
      before: async ({ method }) => {
        if (method === 'PUT') await new Promise((done) => setTimeout(done, 300));
        return undefined;
      },
    });
    const machine = await publisher('publisher', server, randomBytes(SIZE));
    const running = machine.start(publishing('1.0'));
    await waitFor(() => chunksIn(server) >= 3);
    expect(await running.kill('SIGINT')).toMatchObject({ exitCode: 130 });
    expect(server.objects.has(LIST)).toBe(false);
  }, 120_000);

  it('is pruned of what no version names, but for what is young', async () => {
    const server = await startStore();
    const machine = await publisher('publisher', server, randomBytes(SIZE));
    server.put(`registry/data/${'a'.repeat(64)}`, 'old', 8 * DAY_MS);
    server.put(`registry/data/${'b'.repeat(64)}`, 'young', 6 * DAY_MS);
    expect(await publish(machine, '1.0', '--prune')).toMatchObject({ pruned: { removedFiles: 1 } });
    expect(server.objects.has(`registry/data/${'b'.repeat(64)}`)).toBe(true);
    const reader = await lab.machine('reader');
    const registry = ['--registry', `${server.url}/${BUCKET}/registry`];
    await reader.succeed(['models', 'pull', 'mice/good-mouse', '1.0', ...registry]);
  }, 120_000);

  it('takes keys, region and endpoint from a profile', async () => {
    const server = await startStore();
    const machine = await publisher('publisher', server, randomBytes(1000));
    await mkdir(join(machine.folder, '.aws'));
    const { accessKeyId, secretAccessKey } = KEY;
    const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    await writeFile(join(machine.folder, '.aws', 'credentials'), `[lab]\n${keys}`);
    const profile = `[profile lab]\nregion = ${REGION}\nendpoint_url = ${server.url}\n`;
    await writeFile(join(machine.folder, '.aws', 'config'), profile);
    const none = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_REGION: undefined,
      AWS_ENDPOINT_URL_S3: undefined,
    };
    await machine.succeed(publishing('1.0'), { env: { ...none, AWS_PROFILE: 'lab' } });
    const lost = await machine.run(publishing('1.0'), { env: { ...none, AWS_PROFILE: 'other' } });
    expect([lost.exitCode, errorOf(lost).message]).toEqual([8, expect.stringContaining('AWS_PROFILE')]);
  }, 120_000);
});
