import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes, ModelRtcError } from '@model-rtc/protocol';
import type { Context } from '../../console/context.ts';
import { formatDuration, formatRate } from '../../console/format.ts';
import { PACKAGE_ROOT } from '../../package.ts';
import { compareFolders } from './compare-folders.ts';
import { DemoProcesses } from './processes.ts';

/** A small sleap-nn run that comes with the package. */
const BUNDLED_MODEL = fileURLToPath(new URL('demo-model/good-mouse-v1', PACKAGE_ROOT));
const ALIAS = 'demo-model';

/** The parts of the commands' JSON that the demo tells of. */
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
export async function runDemo(context: Context, model: string | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-demo-'));
  const processes = new DemoProcesses(folder, context.signal);
  try {
    const started = performance.now();
    const result = await demonstrate(context, processes, model === undefined ? BUNDLED_MODEL : resolve(model));
    context.output.result(
      result,
      `Done in ${formatDuration(performance.now() - started)}: the model that was pulled is the one that was pushed, byte for byte.`,
    );
  } finally {
    await processes.end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function demonstrate(context: Context, processes: DemoProcesses, model: string) {
  const { output } = context;
  const step = stepper(context);
  const [alice, gpuBox, bob] = [processes.machine('alice'), processes.machine('gpu-box'), processes.machine('bob')];

  step('Signaling server', 'model-rtc signaling --port 0');
  const { port } = await processes.start<{ port: number }>(alice, ['signaling', '--host', '127.0.0.1', '--port', '0']);
  output.note(`   listening on ws://127.0.0.1:${port}`);

  step('Worker on the GPU box', `model-rtc worker --signaling ws://127.0.0.1:${port}`);
  const { session } = await processes.start<{ session: string }>(gpuBox, [
    'worker',
    '--name',
    'gpu-box',
    '--signaling',
    `ws://127.0.0.1:${port}`,
  ]);
  output.note(`   session ${session.slice(0, 16)}... (${session.length} characters)`);

  step("Import on Alice's laptop", `model-rtc client import-model ${model} --alias ${ALIAS}`);
  const imported = await processes.run<ModelResult>(alice, [
    'client',
    'import-model',
    model,
    '--alias',
    ALIAS,
    '--yes',
  ]);
  const { entry } = imported;
  output.note(`   ${entry.id}: ${entry.modelType}, ${entry.fileCount} files, ${formatBytes(entry.size)}`);

  step('Push it to the GPU box', `model-rtc client push-model ${ALIAS} --worker SESSION`);
  const pushed = await processes.run<TransferResult>(alice, ['client', 'push-model', ALIAS], session);
  output.note(`   ${transferred(pushed)}`);

  step('List what the GPU box has', 'model-rtc worker list-models --session SESSION');
  const listed = await processes.run<{ models: { id: string; alias?: string }[] }>(
    bob,
    ['worker', 'list-models'],
    session,
  );
  output.note(`   ${listed.models.map(({ id, alias }) => `${id} ${alias ?? ''}`).join(', ')}`);

  step("Pull it on Bob's laptop", `model-rtc client pull-model ${ALIAS} --worker SESSION`);
  const pulled = await processes.run<TransferResult>(bob, ['client', 'pull-model', ALIAS], session);
  output.note(`   ${transferred(pulled)}`);

  step('Compare the two copies', 'every file, by size and SHA-256');
  const compared = await verify(imported, pulled);
  output.note(`   ${compared} files are the same; digest ${entry.digest}`);
  return { model, digest: entry.digest, pushed: numbers(pushed), pulled: numbers(pulled), comparedFiles: compared };
}

function stepper({ output }: Context): (title: string, command: string) => void {
  let number = 0;
  return (title, command) => {
    number++;
    output.note(`${number}. ${title}\n   $ ${command}`);
  };
}

async function verify(imported: ModelResult, pulled: ModelResult): Promise<number> {
  if (imported.entry.digest !== pulled.entry.digest) {
    throw new ModelRtcError('verification_failed', 'The pulled model has another digest than the pushed one.');
  }
  return await compareFolders(imported.entry.localPath, pulled.entry.localPath);
}

function transferred(result: TransferResult): string {
  const lanes = result.lanes.map(({ kind, engine }) => (engine === undefined ? kind : `${kind}/${engine}`)).join(' + ');
  return `${formatBytes(result.transferredBytes)} over ${lanes}, ${formatRate(result.bytesPerSecond)}, verified`;
}

function numbers({ transferredBytes, seconds, bytesPerSecond, lanes }: TransferResult) {
  return { transferredBytes, seconds, bytesPerSecond, lanes };
}
