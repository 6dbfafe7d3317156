import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, textOption } from '../../command-line/types.ts';
import type { Context } from '../../console/context.ts';
import { formatDuration, formatRate } from '../../console/format.ts';
import { laneKindsText } from '../../console/lanes-text.ts';
import { PACKAGE_ROOT } from '../../package.ts';
import { DemoProcesses } from './processes.ts';

/** A small sleap-nn run that comes with the package. */
const BUNDLED_MODEL = fileURLToPath(new URL('demo-model/good-mouse-v1', PACKAGE_ROOT));
const ALIAS = 'demo-model';

export const demo = defineCommand({
  usage: 'demo',
  describe: 'Move a model between two agents on this machine, each command as its own process',
  options: {
    model: textOption('A model of your own: a folder or a weights file', { completes: 'files' }),
  },
  examples: [['$0 demo --model ./runs/mouse', 'with your own model']],
  async run(context, { model }) {
    const startedMs = performance.now();
    const folder = await mkdtemp(join(tmpdir(), 'model-rtc-demo-'));
    const processes = new DemoProcesses(folder, context.signal);
    try {
      const result = await demonstrate(context, processes, model === undefined ? BUNDLED_MODEL : resolve(model));
      const time = formatDuration(performance.now() - startedMs);
      context.output.result(
        result,
        `Done in ${time}: the model that was pulled is the one that was pushed, byte for byte.`,
      );
    } finally {
      await processes.end();
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** The parts of the commands' JSON that the demo prints. */
interface ModelResult {
  readonly entry: {
    readonly id: string;
    readonly digest: string;
    readonly localPath: string;
    readonly modelType: string;
    readonly size: number;
    readonly fileCount: number;
  };
}
interface TransferResult extends ModelResult {
  readonly transferredBytes: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly lanes: readonly { readonly kind: string; readonly engine?: string | undefined }[];
}

/**
 * The main job, with every part as a process of its own and three data folders: a signaling server, a worker, and two
 * laptops. Import, push, list, pull, verify.
 */
async function demonstrate({ output }: Context, processes: DemoProcesses, model: string) {
  let number = 0;
  const step = (title: string, command: string): void => output.note(`${++number}. ${title}\n   $ ${command}`);
  const [alice, gpuBox, bob] = [processes.machine('alice'), processes.machine('gpu-box'), processes.machine('bob')];

  step('Signaling server', 'model-rtc signaling --port 0');
  const { port } = await processes.start<{ port: number }>(alice, ['signaling', '--host', '127.0.0.1', '--port', '0']);
  const url = `ws://127.0.0.1:${port}`;
  output.note(`   listening on ${url}`);

  step('Worker on the GPU box', `model-rtc worker --signaling ${url}`);
  const serve = ['worker', '--name', 'gpu-box', '--signaling', url];
  const { session } = await processes.start<{ session: string }>(gpuBox, serve);
  output.note(`   session ${session.slice(0, 16)}... (${session.length} characters)`);

  step("Import on Alice's laptop", `model-rtc client import-model ${model} --alias ${ALIAS}`);
  const bringIn = ['client', 'import-model', model, '--alias', ALIAS, '--yes'];
  const { entry } = await processes.run<ModelResult>(alice, bringIn);
  output.note(`   ${entry.id}: ${entry.modelType}, ${entry.fileCount} files, ${formatBytes(entry.size)}`);

  step('Push it to the GPU box', `model-rtc client push-model ${ALIAS} --worker SESSION`);
  const pushed = await processes.run<TransferResult>(alice, ['client', 'push-model', ALIAS], session);
  output.note(`   ${transferred(pushed)}`);

  step('List what the GPU box has', 'model-rtc worker list-models --session SESSION');
  const list = ['worker', 'list-models'];
  const { models } = await processes.run<{ models: { id: string; alias?: string }[] }>(bob, list, session);
  output.note(`   ${models.map(({ id, alias }) => `${id} ${alias ?? ''}`).join(', ')}`);

  step("Pull it on Bob's laptop", `model-rtc client pull-model ${ALIAS} --worker SESSION`);
  const pulled = await processes.run<TransferResult>(bob, ['client', 'pull-model', ALIAS], session);
  output.note(`   ${transferred(pulled)}`);

  step('Compare the two copies', 'every file, by size and SHA-256');
  if (entry.digest !== pulled.entry.digest)
    throw new ModelRtcError('verification_failed', 'The pulled model has another digest than the pushed one.');
  const { compareFolders } = await import('./compare-folders.ts');
  const comparedFiles = await compareFolders(entry.localPath, pulled.entry.localPath);
  output.note(`   ${comparedFiles} files are the same; digest ${entry.digest}`);
  return { model, digest: entry.digest, pushed: numbers(pushed), pulled: numbers(pulled), comparedFiles };
}

function transferred({ transferredBytes, lanes, bytesPerSecond }: TransferResult): string {
  return `${formatBytes(transferredBytes)} over ${laneKindsText(lanes)}, ${formatRate(bytesPerSecond)}, verified`;
}

function numbers({ transferredBytes, seconds, bytesPerSecond, lanes }: TransferResult) {
  return { transferredBytes, seconds, bytesPerSecond, lanes };
}
