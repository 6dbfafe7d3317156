import { createHash } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type RunningCommand, runCommand, startCommand } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { startHub } from '../support/hub/local-hub.ts';
import { SMALL_MODEL, smallModel } from '../support/hub/small-model.ts';
import type { Machine } from '../support/machine.ts';
import { program } from '../support/requirements.ts';
import { importModel } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const lab = useLab();
const REPO = 'Qwen/Qwen2.5-0.5B';
const MEGABYTE = 1_000_000;
const BYTES = createBytes(24 * MEGABYTE);
const SHA256 = sha256(BYTES);

/** The same every time, and no two parts alike. */
function createBytes(size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) => createHash('sha256').update(`${i}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface Bridge {
  readonly machine: Machine;
  readonly url: string;
  readonly worker: RunningCommand;
}

async function startBridge(machine: Machine, port: number, ...more: string[]): Promise<Bridge> {
  const args = ['worker', '--port', '0', '--no-direct', '--http-port', String(port), '--json', ...more];
  const worker = machine.start(args);
  const [line] = await worker.waitForStdout(/^\{.*\}$/m);
  return { machine, worker, url: (JSON.parse(line) as { httpUrl: string }).httpUrl };
}

/** A worker with one large model, `big`, and its bridge. */
async function scene(port = 0): Promise<Bridge & { readonly folder: string; readonly file: string }> {
  const [machine, folder] = [await lab.machine('gpu'), await lab.folder()];
  await writeFile(join(folder, 'weights.bin'), BYTES);
  await importModel(machine, join(folder, 'weights.bin'), 'big', '--copy', '--as-is');
  const bridge = await startBridge(machine, port);
  return { ...bridge, folder, file: `${bridge.url}/v1/models/download/big` };
}

/** What a download tool is run with: slowly at first, then to its end. */
interface Tool {
  readonly slow: (url: string, out: string) => readonly [string, ...string[]];
  readonly resume: (url: string, out: string) => readonly [string, ...string[]];
}

const CURL: Tool = {
  slow: (url, out) => ['curl', '--fail', '--silent', '--show-error', '--limit-rate', '4M', '-o', out, url],
  resume: (url, out) => [
    'curl',
    '--fail',
    '--silent',
    '--show-error',
    '-C',
    '-',
    '-w',
    '%{http_code} %{size_download}',
    '-o',
    out,
    url,
  ],
};
const WGET: Tool = {
  slow: (url, out) => ['wget', '--no-config', '--no-verbose', '--limit-rate', '4m', '-O', out, url],
  resume: (url, out) => ['wget', '--no-config', '--server-response', '-c', '-O', out, url],
};
const ARIA2: readonly string[] = [
  '--no-conf',
  '--console-log-level=notice',
  '--file-allocation=none',
  '--auto-save-interval=1',
];
const ARIA2C: Tool = {
  slow: (url, out) => [
    'aria2c',
    ...ARIA2,
    '-x',
    '8',
    '-s',
    '8',
    '-k',
    '1M',
    '--max-download-limit=4M',
    ...outOf(out),
    url,
  ],
  resume: (url, out) => ['aria2c', ...ARIA2, '-c', '-x', '8', '-s', '8', '-k', '1M', ...outOf(out), url],
};

function outOf(path: string): string[] {
  const at = path.lastIndexOf('/');
  return ['-d', path.slice(0, at), '-o', path.slice(at + 1)];
}

const PATH = { env: { PATH: process.env.PATH, LANG: 'C' } };

async function hasBytes(path: string, least: number): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (((await stat(path).catch(() => undefined))?.size ?? 0) >= least) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} did not come to ${least} bytes`);
}

describe.each([
  ['curl', 'curl', CURL, /^206 \d{7,8}$/m],
  ['wget', 'wget', WGET, /206 Partial Content/],
  ['aria2c', 'aria2', ARIA2C, /Download complete/],
] as const)('%s', (name, aptPackage, tool, resumed) => {
  describeWith([program(name, aptPackage)], 'and the HTTP bridge', () => {
    it('fetches a model, and resumes where it was stopped', async () => {
      const { file, folder } = await scene();
      const out = join(folder, 'got.bin');
      const first = startCommand(tool.slow(file, out), PATH);
      lab.onEnd(() => first.kill('SIGKILL'));
      await hasBytes(out, 3 * MEGABYTE);
      await first.kill(name === 'aria2c' ? 'SIGINT' : 'SIGKILL');
      const { exitCode, stdout, stderr } = await runCommand(tool.resume(file, out), PATH);
      expect([exitCode, stderr]).toEqual([0, expect.anything()]);
      expect(`${stdout}\n${stderr}`).toMatch(resumed);
      expect(sha256(await readFile(out))).toBe(SHA256);
    }, 120_000);
  });
});

describeWith([program('curl', 'curl')], 'a bridge whose worker is killed', () => {
  it('is gone on with from where it was, once it is back', async () => {
    const port = await freePort();
    const { file, folder, machine, worker } = await scene(port);
    const out = join(folder, 'got.bin');
    const retries = ['--retry', '60', '--retry-all-errors', '--retry-delay', '1', '-C', '-'];
    const curl = startCommand(
      ['curl', '--fail', '--silent', '--show-error', '--limit-rate', '8M', ...retries, '-o', out, file],
      PATH,
    );
    lab.onEnd(() => curl.kill('SIGKILL'));
    await hasBytes(out, 3 * MEGABYTE);
    await worker.kill('SIGKILL');
    await startBridge(machine, port);
    const { exitCode, stderr } = await curl.exited;
    // Some versions of curl stop at a cut transfer in place of resuming it by themselves; a person runs it again.
    const again = exitCode === 0 ? 0 : (await runCommand(CURL.resume(file, out), PATH)).exitCode;
    expect([again, stderr]).toEqual([0, expect.anything()]);
    expect(sha256(await readFile(out))).toBe(SHA256);
  }, 120_000);

  it('gives 50 downloads at once, and no half file for a whole one when the model is deleted meanwhile', async () => {
    const { file, folder, machine } = await scene();
    const outs = Array.from({ length: 50 }, (_, i) => join(folder, `got-${i}`));
    const running = outs.map((out) => startCommand(CURL.slow(file, out), PATH));
    for (const one of running) lab.onEnd(() => one.kill('SIGKILL'));
    await Promise.all(outs.map((out) => hasBytes(out, 100_000)));
    await machine.succeed(['client', 'delete-model', 'big', '--yes']);
    const ended = await Promise.all(running.map(async ({ exited }) => await exited));
    for (const [i, { exitCode }] of ended.entries()) {
      const isWhole = sha256(await readFile(outs[i] as string)) === SHA256;
      expect([i, exitCode === 0]).toEqual([i, isWhole]);
    }
    const gone = await fetch(file);
    expect(gone.status).toBe(404);
  }, 180_000);
});

describeWith([program('aria2c', 'aria2')], 'a download whose name has moved to another model', () => {
  it('is not taken for the same file', async () => {
    const { file, folder, machine } = await scene();
    const out = join(folder, 'got.bin');
    const first = startCommand(ARIA2C.slow(file, out), PATH);
    lab.onEnd(() => first.kill('SIGKILL'));
    await hasBytes(out, 3 * MEGABYTE);
    await first.kill('SIGINT');
    const etag = (await fetch(file, { method: 'HEAD' })).headers.get('etag') ?? '';
    await machine.succeed(['client', 'delete-model', 'big', '--yes']);
    const other = Buffer.from(BYTES).reverse();
    await writeFile(join(folder, 'other.bin'), other);
    await importModel(machine, join(folder, 'other.bin'), 'big', '--copy', '--as-is');
    const rest = await fetch(file, { headers: { range: 'bytes=1000-', 'if-range': etag } });
    expect([rest.status, sha256(Buffer.from(await rest.arrayBuffer()))]).toEqual([200, sha256(other)]);
    const { exitCode } = await runCommand(ARIA2C.resume(file, out), PATH);
    expect(exitCode).not.toBe(0);
  }, 120_000);
});

describe('a worker whose models come from a hub', () => {
  it('is a hub to another machine', async () => {
    const hub = await startHub();
    hub.addModel(REPO, { files: smallModel(), ...SMALL_MODEL });
    const lender = await lab.machine('lender', { env: hub.env });
    const importing = ['client', 'import-model', `hf:${REPO}`, '--accept-license', '--json'];
    const first = await lender.succeed(importing);
    const { url } = await startBridge(lender, 0);
    const borrower = await lab.machine('borrower', { env: { HF_ENDPOINT: `${url}/hf` } });
    const second = await borrower.succeed(importing);
    expect(second.json<Imported>().entry.digest).toBe(first.json<Imported>().entry.digest);
  }, 120_000);
});

describe('a client that types its request slowly', () => {
  it('is cut off, and others are answered meanwhile', async () => {
    const { url } = await startBridge(await lab.machine('gpu'), 0);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let got = '';
    socket.on('data', (bytes) => {
      got += bytes.toString();
    });
    socket.on('error', () => {});
    socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n');
    const typing = setInterval(() => socket.write('X: y\r\n'), 500);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await closed;
    clearInterval(typing);
    expect(got).toMatch(/^HTTP\/1\.1 408/);
  }, 60_000);
});

describe('a bridge with a token', () => {
  it('prints how to use it, and answers nobody without it', async () => {
    const machine = await lab.machine('gpu');
    const token = join(machine.folder, 'bridge.token');
    const refused = await machine.run(['worker', '--port', '0', '--http-port', '0', '--http-host', '0.0.0.0']);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--http-token-file')]);
    const { worker, url } = await startBridge(machine, 0, '--http-host', '0.0.0.0', '--http-token-file', token);
    const own = url.replace('0.0.0.0', '127.0.0.1');
    await worker.waitForStderr(/curl -H "Authorization: Bearer \$\(cat .*bridge\.token\)"/);
    expect((await stat(token)).mode & 0o777).toBe(0o600);
    expect((await fetch(`${own}/v1/models`)).status).toBe(401);
    const authorization = `Bearer ${(await readFile(token, 'utf8')).trim()}`;
    expect((await fetch(`${own}/v1/models`, { headers: { authorization } })).status).toBe(200);
    const taken = await (await lab.machine('other')).run(['worker', '--port', '0', '--http-port', new URL(own).port]);
    expect([taken.exitCode, taken.stderr]).toEqual([5, expect.stringContaining('--http-port')]);
  }, 60_000);
});

interface Imported {
  readonly entry: { readonly digest: string };
}
