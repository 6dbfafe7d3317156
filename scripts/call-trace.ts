/**
 * Counts our functions that run between the start of `client pull-model` and its first request for chunks:
 *
 *     npx tsx --conditions=@model-rtc/source scripts/call-trace.ts [--names]
 *
 * It runs the sources against a worker on loopback, over a direct lane, and asks V8 what was called. What `--help` of that
 * command calls too does not count. The figure is for comparing two checkouts: it has all layers in it, seals and schemas
 * included, and so says more than a reader of the command has to follow.
 */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Session } from 'node:inspector';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { makeRandomFile } from '../test/support/files.ts';
import { createLab } from '../test/support/lab.ts';
import { importModel } from '../test/support/scene.ts';

const HERE = fileURLToPath(import.meta.url);
const ROOT = join(HERE, '../..');
const MAIN = join(ROOT, 'packages/cli/src/main.ts');
const SOURCES = pathToFileURL(join(ROOT, 'packages')).href;
const FIRST_REQUEST = 'get_chunks';
const MODEL_BYTES = 2e6;
/** The command line from its sources; traced, with this file loaded before it. */
const TSX = ['--import', import.meta.resolve('tsx'), '--conditions=@model-rtc/source'] as const;
const PROGRAM = [process.execPath, ...TSX, MAIN] as const;
const TRACED = [process.execPath, ...TSX, '--import', pathToFileURL(HERE).href, MAIN] as const;

/** What V8 says of one script. */
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

/** In the process that is traced: writes the functions that ran, at the first request for chunks or else at the end. */
function record(outputFile: string): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      writeFileSync(outputFile, JSON.stringify(calledFunctions(result)));
    });
  };
  // Lanes write through this one function; over TLS it still has the plain text.
  const prototype = Socket.prototype as unknown as { _writeGeneric(...args: unknown[]): unknown };
  const write = prototype._writeGeneric;
  prototype._writeGeneric = function (this: unknown, ...args) {
    if (plainText(args[1]).includes(FIRST_REQUEST)) finish();
    return write.apply(this, args);
  };
  process.once('exit', finish);
}

function plainText(data: unknown): string {
  if (Array.isArray(data)) return data.map((part: { chunk: unknown }) => plainText(part.chunk)).join('');
  return data instanceof Uint8Array ? Buffer.from(data).toString('latin1') : String(data);
}

/** As `file name`, without those of libraries and modules themselves. */
function calledFunctions(scripts: readonly ScriptCoverage[]): string[] {
  return scripts
    .filter(({ url }) => url.startsWith(SOURCES) && url.includes('/src/'))
    .flatMap(({ url, functions }) =>
      functions
        .filter(({ functionName, ranges }) => isWritten(functionName) && (ranges[0]?.count ?? 0) > 0)
        .map(({ functionName }) => `${url.slice(SOURCES.length + 1).replace(/\?.*$/, '')} ${functionName}`),
    );
}

/** Whether it stands in the source with a name; esbuild and V8 add some of their own. */
function isWritten(name: string): boolean {
  return name !== '' && !/^(__|<)/.test(name);
}

/** Runs both commands and prints what the first one called alone. */
async function compare(withNames: boolean): Promise<void> {
  await using lab = createLab();
  const folder = await lab.folder();
  const worker = await lab.machine('worker', { program: PROGRAM });
  const path = join(folder, 'model.bin');
  await makeRandomFile(path, MODEL_BYTES);
  await importModel(worker, path, 'model');
  const running = worker.start(['worker', '--port', '0', '--json']);
  const [line] = await running.waitForStdout(/^\{.*\}$/m);
  const { session } = JSON.parse(line) as { session: string };
  const run = async (name: string, args: readonly string[]): Promise<Set<string>> => {
    const output = join(folder, `${name}.json`);
    const client = await lab.machine(name, {
      program: TRACED,
      env: { CALL_TRACE: output, MODEL_RTC_SESSION: session },
    });
    await client.succeed(args);
    return new Set(JSON.parse(await readFile(output, 'utf8')) as string[]);
  };
  const help = await run('help', ['client', 'pull-model', '--help']);
  const pull = await run('pull', ['client', 'pull-model', 'model', '--lane', 'direct', '--json']);
  const own = [...pull].filter((name) => !help.has(name)).sort();
  if (withNames) console.log(own.join('\n'));
  const packages = new Set(own.map((name) => name.split('/')[0] as string));
  const namesIn = (name: string) => own.filter((called) => called.startsWith(`${name}/`));
  for (const name of packages) console.log(summary(name, namesIn(name)));
  console.log(summary('all', own));
}

function summary(what: string, names: readonly string[]): string {
  const files = new Set(names.map((name) => name.split(' ')[0]));
  return `${what}: ${names.length} functions in ${files.size} files`;
}

if (process.env.CALL_TRACE === undefined) await compare(process.argv.includes('--names'));
else record(process.env.CALL_TRACE);
