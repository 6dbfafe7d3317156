import { type FileHandle, open } from 'node:fs/promises';
import { ignoreMissing } from '@model-rtc/files';
import { type JobEvent, jobEventSchema, MAX_JOB_EVENTS, ModelRtcError, parseJson } from '@model-rtc/protocol';
import { EVENT_BATCH_CHARS } from '../limits.ts';

/** What a reader needs to know of a log that is still written. */
export interface WrittenLog {
  readonly writtenBytes: number;
  readonly isEnded: boolean;
  /** Resolves when there is more than this, or no event comes any more. */
  changed(readBytes: number, signal: AbortSignal | undefined): Promise<void>;
}

export interface ReadOptions {
  /** The number of the first event. */
  readonly fromEvent: number;
  /** Whether to wait for events that come. */
  readonly wait: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A line takes at most six bytes for each of its characters, and a little. */
const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/**
 * The events of a job's log, several at once.
 * @param live the log while it is written; undefined when the file is all that there is
 * @throws ModelRtcError `cancelled` by the signal
 */
export async function* readEvents(
  path: string,
  live: WrittenLog | undefined,
  { fromEvent, wait, signal }: ReadOptions,
): AsyncIterable<readonly JobEvent[]> {
  const place: Place = { offset: 0, line: 1 };
  for (;;) {
    // Before reading, so that nothing comes between the end of the file and the question.
    const isLast = live === undefined || !wait || live.isEnded;
    const endBytes = live?.writtenBytes ?? Number.POSITIVE_INFINITY;
    for await (const events of readTo(path, place, endBytes, fromEvent)) {
      requireGoing(signal);
      yield events;
    }
    if (isLast) return;
    await live.changed(place.offset, signal);
    requireGoing(signal);
  }
}

function requireGoing(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new ModelRtcError('cancelled', 'Stopped following the job.', { cause: signal.reason });
  }
}

interface Place {
  /** Of the next line. */
  offset: number;
  /** Its number, from 1 on. */
  line: number;
}

async function* readTo(path: string, place: Place, endBytes: number, fromEvent: number): AsyncIterable<JobEvent[]> {
  if (place.offset >= endBytes) return;
  const file = await ignoreMissing(open(path, 'r'));
  if (file === undefined) return;
  try {
    let batch: JobEvent[] = [];
    let chars = 0;
    for await (const line of linesFrom(file, place, endBytes, fromEvent)) {
      const event = parseLine(line);
      if (event === undefined) continue;
      if (batch.length >= MAX_JOB_EVENTS || (chars + line.length > EVENT_BATCH_CHARS && batch.length > 0)) {
        yield batch;
        batch = [];
        chars = 0;
      }
      batch.push(event);
      chars += line.length;
    }
    if (batch.length > 0) yield batch;
  } finally {
    await file.close();
  }
}

/** Lines before the wanted one are counted and not decoded. */
async function* linesFrom(file: FileHandle, place: Place, endBytes: number, fromEvent: number): AsyncIterable<string> {
  for (;;) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BYTES, endBytes - place.offset), place.offset);
    const part = buffer.subarray(0, bytesRead);
    let start = 0;
    for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, start)) {
      const text = place.line >= fromEvent ? part.toString('utf8', start, end) : undefined;
      place.line++;
      place.offset += end + 1 - start;
      start = end + 1;
      if (text !== undefined) yield text;
    }
    // The end, or a line that is longer than any of ours.
    if (start === 0) return;
  }
}

function parseLine(line: string): JobEvent | undefined {
  return jobEventSchema.safeParse(parseJson(line)).data;
}
