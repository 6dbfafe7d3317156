import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCommand } from './command.ts';
import { freePort } from './free-port.ts';
import type { Lab } from './lab.ts';

const ANSWER_LIMIT_MS = 10_000;
const ASK_AGAIN_MS = 50;

export interface OwnNginx {
  /** Where the folder is, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** What it was asked for, a request a line: `PATH STATUS RANGE IF-NONE-MATCH`. */
  requests(): Promise<string[]>;
}

/**
 * Serves a registry's folder with an nginx of its own on loopback, with what Debian's default configuration has for files. It keeps all its files
 * in a folder of the lab, and ends with it.
 * @throws Error when it does not start
 */
export async function startNginx(lab: Lab, root: string): Promise<OwnNginx> {
  const [folder, port] = [await lab.folder(), await freePort()];
  const [config, errors, log] = ['nginx.conf', 'error.log', 'access.log'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(config, configuration({ folder, port, root, errors, log }));
  const server = startCommand(['nginx', '-p', folder, '-c', config, '-e', errors], { env: process.env });
  lab.onEnd(() => server.kill());
  const ended = server.exited.then(({ stderr }) => {
    throw new Error(`nginx ended: ${stderr}`);
  });
  const url = `http://127.0.0.1:${port}/models`;
  await Promise.race([answering(`${url}/models.json`), ended]);
  ended.catch(() => {});
  return { url, port, requests: async () => (await readFile(log, 'utf8')).trimEnd().split('\n') };
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly root: string;
  readonly errors: string;
  readonly log: string;
}

function configuration({ folder, port, root, errors, log }: Place): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    'daemon off;',
    // It would give up root's rights, and then could not read the folders of the person who runs the tests.
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    `pid ${folder}/pid;`,
    `error_log ${errors};`,
    'events {}',
    'http {',
    'sendfile on;',
    'tcp_nopush on;',
    ...temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
    `log_format ranges '$request_uri $status $http_range $http_if_none_match';`,
    `access_log ${log} ranges;`,
    `server { listen 127.0.0.1:${port}; location /models/ { alias ${root}/; } }`,
    '}',
  ].join('\n');
}

async function answering(url: string): Promise<void> {
  for (const untilMs = performance.now() + ANSWER_LIMIT_MS; performance.now() < untilMs; ) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  throw new Error(`${url} does not answer`);
}
