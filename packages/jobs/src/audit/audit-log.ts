import { appendFile, rename, rm, stat } from 'node:fs/promises';
import { ignoreMissing } from '@model-rtc/files';
import type { Log } from '@model-rtc/protocol';
import { AUDIT_FILES, MAX_AUDIT_BYTES } from '../limits.ts';

/** What happened to a job, for the worker's owner. */
export interface AuditEntry {
  readonly event:
    | 'submitted'
    | 'found'
    | 'refused'
    | 'started'
    | 'cancelled'
    | 'ended'
    | 'fetched'
    | 'results_deleted'
    | 'forgotten';
  readonly owner: string;
  readonly job?: string | undefined;
  readonly [field: string]: unknown;
}

/**
 * What was run for whom: JSON lines in `audit.jsonl`, older ones in `audit.1.jsonl` and so on. Each line is in the file before
 * the next step; a disk that refuses stops no job, and the worker's own log says so.
 */
export class AuditLog {
  readonly #path: string;
  readonly #now: () => Date;
  readonly #log: Log;
  #writing: Promise<void> = Promise.resolve();

  /** @param path ends in `.jsonl`. */
  constructor(path: string, now: () => Date, log: Log) {
    this.#path = path;
    this.#now = now;
    this.#log = log;
  }

  /** Resolves when the line is written, or the disk refused it. */
  async add(entry: AuditEntry): Promise<void> {
    const line = `${JSON.stringify({ at: this.#now().toISOString(), ...entry })}\n`;
    this.#writing = this.#writing.then(() => this.#append(line));
    await this.#writing;
  }

  async #append(line: string): Promise<void> {
    try {
      const { size } = (await ignoreMissing(stat(this.#path))) ?? { size: 0 };
      if (size > 0 && size + line.length > MAX_AUDIT_BYTES) await this.#rotate();
      await appendFile(this.#path, line, { mode: 0o600 });
    } catch (error) {
      this.#log.warn({ path: this.#path, error, line }, 'the audit log cannot be written');
    }
  }

  async #rotate(): Promise<void> {
    await rm(this.#file(AUDIT_FILES - 1), { force: true });
    for (let number = AUDIT_FILES - 2; number >= 0; number--) {
      await ignoreMissing(rename(this.#file(number), this.#file(number + 1)));
    }
  }

  #file(number: number): string {
    return number === 0 ? this.#path : this.#path.replace(/jsonl$/, `${number}.jsonl`);
  }
}
