import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { type RunningCommand, startCommand } from '../support/command.ts';
import { digestOf, publish } from '../support/registry-folder.ts';
import { program } from '../support/requirements.ts';
import { pull } from '../support/scene.ts';
import { describeWith, useLab } from '../support/suites.ts';

const lab = useLab();

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A registry folder behind nginx, as its default configuration serves files. */
async function startNginx(root: string): Promise<{ url: string; log: string; nginx: RunningCommand }> {
  const [folder, port] = [await lab.folder(), await freePort()];
  const log = join(folder, 'access.log');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const format = `log_format ranges '$request_uri $status $http_range $http_if_none_match';`;
  const server = `server { listen 127.0.0.1:${port}; location /models/ { alias ${root}/; } }`;
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; user root; pid ${folder}/pid; error_log ${folder}/error.log;
events {} http { ${paths.join(' ')} ${format} access_log ${log} ranges; ${server} }`,
  );
  const nginx = startCommand(
    ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')],
    { env: { PATH: process.env.PATH } },
  );
  const ended = nginx.exited.then(({ stderr }) => {
    throw new Error(`nginx ended: ${stderr}`);
  });
  await Promise.race([answering(`http://127.0.0.1:${port}/models/models.json`), ended]);
  ended.catch(() => {});
  return { url: `http://127.0.0.1:${port}/models`, log, nginx };
}

async function answering(url: string): Promise<void> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}

describeWith([program('nginx', 'nginx')], 'a registry folder behind nginx', () => {
  it('gives a model in parts, and an unchanged list only once', async () => {
    const root = join(await lab.folder(), 'registry');
    await mkdir(root);
    const files = {
      'weights.msgpack': randomBytes(25_000_000),
      empty: Buffer.alloc(0),
      'config.json': Buffer.from('{}'),
    };
    await publish(root, ['whisper', 'tiny', '1'], files, { chunkBytes: 10_000_000 });
    const { url, log, nginx } = await startNginx(root);
    try {
      const client = await lab.machine('client');
      const pulled = await pull(client, 'whisper/tiny@1', '--registry', url, '--concurrency', '8');
      expect(pulled).toMatchObject({ transferredBytes: 25_000_002, entry: { digest: digestOf(files) } });
      expect((await pull(client, 'whisper/tiny@1', '--registry', url)).outcome).toBe('already_there');
      const lines = (await readFile(log, 'utf8')).split('\n');
      expect(lines.filter((line) => / 206 bytes=\d+-\d+ /.test(line)).length).toBeGreaterThan(5);
      expect(lines.filter((line) => line.startsWith('/models/models.json 304'))).toHaveLength(1);
    } finally {
      await nginx.kill();
    }
  }, 120_000);
});
