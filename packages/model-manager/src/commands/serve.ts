import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { required, text } from './arguments.ts';
import { safe } from './text.ts';
import { defineModelsCommand } from './types.ts';

export const serve = defineModelsCommand({
  usage: 'serve <folder>',
  describe: 'Serve a registry folder over HTTP, to read, until Ctrl+C',
  positionals: {
    folder: required("The registry's folder", { completes: 'folders' }),
  },
  options: {
    port: { type: 'number', describe: 'The port; 0 for a free one [8080]' },
    host: text('The address to listen on, such as 127.0.0.1 [all addresses of this machine]'),
  },
  examples: [['$0 serve /srv/models --port 8080', 'let others on the network install from it']],
  async run({ signal, stderr, quiet, result, json }, { folder, port = 8080, host }) {
    // A server is loaded by nothing else.
    const { LIST_PATH, serveRegistry } = await import('@model-rtc/static-registry');
    await using served = await serveRegistry({ folder, port, host });
    if (!existsSync(join(folder, LIST_PATH)) && !quiet) {
      stderr.write(
        `${safe(folder)} is no registry yet: it has no ${LIST_PATH}. It is served as soon as something is published there.\n`,
      );
    }
    const url = `http://${host ?? 'THIS-HOST'}:${served.port}`;
    result({ port: served.port }, `Serving ${safe(folder)} at ${url} to whoever can reach it. Ctrl+C stops it.`);
    if (!json && !quiet) stderr.write(`Others use it with --registry ${url}, or MODEL_RTC_REGISTRY_URL.\n`);
    if (!signal.aborted)
      await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  },
});
