import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Lab } from '../lab.ts';
import { program } from '../requirements.ts';
import type { PageReport, PageResult, PageTask } from './page.ts';

export const CHROMIUM = program('chromium', 'chromium');

const PAGE = fileURLToPath(new URL('page.ts', import.meta.url));
/** Chromium as root has no sandbox, and a page of ours needs none. */
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
/** Keeps WebRTC from using UDP, as the policy of a company or a firewall does. */
export const NO_UDP = '--webrtc-ip-handling-policy=disable_non_proxied_udp';

/** Lets the page in page.ts do its task in headless Chromium. @throws what the page failed with, or why there was no page. */
export async function runPage(lab: Lab, task: PageTask, ...flags: string[]): Promise<PageResult> {
  const { url, reported } = await servePage(lab, await bundlePage(), task);
  const report = await Promise.race([reported, startChromium(lab, url, flags)]);
  if ('result' in report) return report.result;
  throw new Error(`the page failed with ${report.error.code}: ${report.error.message}`);
}

/** The page as a browser gets it, made of what `npm run build` made. */
async function bundlePage(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [PAGE],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

async function servePage(
  lab: Lab,
  script: string,
  task: PageTask,
): Promise<{ url: string; reported: Promise<PageReport> }> {
  let onReport: (report: PageReport) => void = () => {};
  const reported = new Promise<PageReport>((resolve) => {
    onReport = resolve;
  });
  const document = `<!doctype html><script>globalThis.task = ${JSON.stringify(task)}</script><script type="module" src="/page.js"></script>`;
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') onReport(JSON.parse(await text(request)) as PageReport);
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : document);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  lab.onEnd(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, reported };
}

/** Rejects when Chromium ends by itself. */
async function startChromium(lab: Lab, url: string, flags: readonly string[]): Promise<never> {
  const profile = `--user-data-dir=${await lab.folder()}`;
  const child = spawn('chromium', [...ARGUMENTS, profile, ...flags, url], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  const stderr = text(child.stderr);
  lab.onEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await exited;
  throw new Error(`Chromium ended before the page was done: ${await stderr}`);
}
