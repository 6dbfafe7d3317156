import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { ignoreMissing, listFolder, openToRead } from '@model-rtc/files';
import type { ScannedFile } from '../import/scanned-model.ts';

/** What trainers, shells and schedulers write their output to. */
const LOG_NAME = /\.(log|out|err)$|(^|\/)(train(ing)?|std(out|err)|output|error|log)[\w.-]*\.txt$/i;
/** The end of a log: a long trace has some 100 lines. */
const TAIL_BYTES = 16 * 1024;
/** Other files of a run that dies are closed after its last words; one that goes on writes to them for longer. */
const LAST_WORDS_NS = 60_000_000_000n;
/** Lines behind the error that do not belong to it: a shell's prompt, a scheduler's summary. */
const LINES_BEHIND = 20;

const TRACE = /^Traceback \(most recent call last\):$/gm;
/** The line behind a trace that names the error. A person, or a scheduler, stops a training by these two. */
const RAISED = /^(?!KeyboardInterrupt|SystemExit)[A-Za-z_][\w.]*(:|$)/;
const GOES_ON = /\bepoch\b\W*\d+/i;
const SAYS_SO =
  /CUDA out of memory|Segmentation fault|Bus error|core dumped|std::bad_alloc|oom[-_ ]?kill|^Killed$|^Fatal Python error|\b(training|run|job) (has )?failed\b/im;

/** Where logs lie in a run's folder. */
const LOG_FOLDERS = ['', 'logs', 'log'] as const;

/**
 * Whether the last words of a run's newest log are those of a process that died of an error.
 * @param files the run's other files: what they were written to later is no death
 */
export async function endedInFailure(run: string, files: readonly Pick<ScannedFile, 'mtimeNs'>[]): Promise<boolean> {
  const logs = await findLogs(run);
  if (logs.length === 0) return false;
  const newest = logs.reduce((a, b) => (b.mtimeNs > a.mtimeNs ? b : a));
  if (files.some(({ mtimeNs }) => mtimeNs > newest.mtimeNs + LAST_WORDS_NS)) return false;
  return tellsOfFailure(await tailOf(newest));
}

interface LogFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeNs: bigint;
}

/** An import leaves logs out, so they are looked for here. Links are not followed. */
async function findLogs(run: string): Promise<LogFile[]> {
  const logs: LogFile[] = [];
  for (const folder of LOG_FOLDERS) {
    for (const entry of await listFolder(join(run, folder))) {
      if (!entry.isFile() || !LOG_NAME.test(entry.name)) continue;
      const path = join(run, folder, entry.name);
      const found = await ignoreMissing(lstat(path, { bigint: true }));
      if (found?.isFile()) logs.push({ path, size: Number(found.size), mtimeNs: found.mtimeNs });
    }
  }
  return logs;
}

/** @param tail the end of a log */
export function tellsOfFailure(tail: string): boolean {
  // Bars of progress go back to the start of their line.
  const text = tail.replaceAll(/\r\n?/g, '\n').trimEnd();
  if (SAYS_SO.test(text.split('\n').slice(-5).join('\n'))) return true;
  const last = [...text.matchAll(TRACE)].at(-1);
  if (last === undefined) return false;
  const lines = text.slice(last.index + last[0].length + 1).split('\n');
  const raised = lines.findIndex((line) => line !== '' && !/^\s/.test(line));
  if (raised < 0 || !RAISED.test(lines[raised] as string)) return false;
  const behind = lines.slice(raised + 1).filter((line) => line.trim() !== '');
  return behind.length <= LINES_BEHIND && !behind.some((line) => GOES_ON.test(line));
}

async function tailOf({ path, size }: LogFile): Promise<string> {
  await using file = await openToRead(path, false);
  const length = Math.min(size, TAIL_BYTES);
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.subarray(0, bytesRead).toString('utf8');
}
