import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import {
  encodeSessionToken,
  isSignalingUrl,
  ModelRtcError,
  type Scope,
  type SessionToken,
  schemaProblem,
} from '@model-rtc/protocol';
import {
  readSessionFile,
  type SessionFile,
  type SessionRecord,
  sessionFilePath,
  sessionRecordSchema,
  updateSessionFile,
} from './session-file.ts';

/** A session without its secret. */
export interface SessionSummary {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt: string | undefined;
  readonly status: 'active' | 'expired' | 'revoked';
}

export interface CreateSessionOptions {
  readonly name?: string | undefined;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date | undefined;
}

export interface SessionStoreOptions {
  /** The registry's `keys/` folder. */
  readonly keysFolder: string;
  readonly workerKey: Uint8Array;
  /** The time of day, by which sessions expire. */
  readonly now?: (() => Date) | undefined;
}

/** The name of the session that `model-rtc worker` prints. */
const DEFAULT_SESSION = 'default';
const DEFAULT_SCOPES: readonly Scope[] = ['read', 'write', 'track'];
const DEFAULT_LIFETIME_MS = 30 * 24 * 3600 * 1000;

/** The sessions that this machine's worker issued. Several processes may use one list at once. */
export class SessionStore {
  readonly #keysFolder: string;
  readonly #workerKey: Uint8Array;
  readonly #now: () => Date;
  #cached: { readonly stamp: string; readonly file: SessionFile } | undefined;

  constructor(options: SessionStoreOptions) {
    this.#keysFolder = options.keysFolder;
    this.#workerKey = options.workerKey;
    this.#now = options.now ?? (() => new Date());
  }

  list(): SessionSummary[] {
    return this.#read().sessions.map((record) => this.#summary(record));
  }

  /** @returns the new session and the token that opens it. @throws ModelRtcError `bad_argument` when the name is in use or an option is not valid. */
  async create(options: CreateSessionOptions): Promise<{ session: SessionSummary; record: SessionRecord }> {
    const record = this.#newRecord(options);
    await updateSessionFile(this.#keysFolder, (file) => {
      const holder = file.sessions.find(
        (session) => session.name === record.name && this.#status(session) === 'active',
      );
      if (holder !== undefined) {
        throw new ModelRtcError(
          'bad_argument',
          `A session named "${record.name}" is active already (${holder.keyId}). Revoke it, or choose another --name.`,
        );
      }
      return { file: { ...file, sessions: [...file.sessions, record] }, result: undefined };
    });
    return { session: this.#summary(record), record };
  }

  /** The session that the worker prints when it starts: the previous one while it is active, else a new one. */
  async defaultSession(): Promise<SessionRecord> {
    return await updateSessionFile(this.#keysFolder, (file) => {
      const active = file.sessions.find(
        (session) => session.name === DEFAULT_SESSION && this.#status(session) === 'active',
      );
      if (active !== undefined) return { file, result: active };
      const expiresAt = new Date(this.#now().getTime() + DEFAULT_LIFETIME_MS);
      const created = this.#newRecord({ name: DEFAULT_SESSION, scopes: DEFAULT_SCOPES, expiresAt });
      return { file: { ...file, sessions: [...file.sessions, created] }, result: created };
    });
  }

  /**
   * Ends a session for everyone who holds its token. Connections that it opened are closed by the worker.
   * @param which - a key id or a name.
   * @throws ModelRtcError `not_found_locally` when there is no such active session.
   */
  async revoke(which: string): Promise<SessionSummary> {
    const revoked = await updateSessionFile(this.#keysFolder, (file) => {
      const named = file.sessions.filter((session) => session.keyId === which || session.name === which);
      // A name may be in use again after an earlier session of it expired.
      const found =
        named.find((session) => this.#status(session) === 'active') ??
        named.find((session) => session.revokedAt === undefined);
      if (found === undefined) {
        throw new ModelRtcError(
          'not_found_locally',
          `There is no session "${which}" to revoke. See: model-rtc worker sessions list.`,
        );
      }
      const record = { ...found, revokedAt: this.#now().toISOString() };
      const sessions = file.sessions.map((session) => (session === found ? record : session));
      return { file: { ...file, sessions }, result: record };
    });
    return this.#summary(revoked);
  }

  /** The current record of a key id; undefined when this worker never issued it. */
  find(keyId: string): SessionRecord | undefined {
    return this.#read().sessions.find((session) => session.keyId === keyId);
  }

  /** @throws ModelRtcError `token_revoked`, `token_expired`, or `refused` when the session may not be used now. */
  assertUsable(keyId: string): SessionRecord {
    const record = this.find(keyId);
    if (record === undefined) throw unknownSession();
    const status = this.#status(record);
    if (status === 'revoked')
      throw new ModelRtcError('token_revoked', 'The worker revoked this session. Ask its owner for a new one.');
    if (status === 'expired')
      throw new ModelRtcError(
        'token_expired',
        `This session expired on ${record.expiresAt}, by the worker's clock, which says ${this.#now().toISOString()}. Ask the worker's owner for a new one, or to set the clock if it is wrong.`,
      );
    return record;
  }

  /** The token of a record as text, with the given addresses, or else those where the worker was last reached. */
  token(record: SessionRecord, urls?: readonly string[] | undefined): string {
    return encodeSessionToken(this.#sessionToken(record, this.#addresses(urls)));
  }

  /** Checks, before a session is made, that its token can hold an address. @throws ModelRtcError `bad_argument` */
  assertReachable(urls?: readonly string[] | undefined): void {
    this.#addresses(urls);
  }

  #addresses(given: readonly string[] | undefined): readonly string[] {
    const known = given ?? this.#read().urls;
    const wrong = known.find((url) => !isSignalingUrl(url));
    if (wrong !== undefined) {
      const sentence = `"${wrong}" is not a signaling server. Pass a URL such as ws://host:8787.`;
      throw new ModelRtcError('bad_argument', sentence);
    }
    if (known.length > 0) return known;
    throw new ModelRtcError(
      'bad_argument',
      'This worker has no known address yet. Start `model-rtc worker` once, or pass --signaling URL.',
    );
  }

  /** Remembers the worker's addresses, for tokens issued later and for its next start. */
  async rememberAddresses(urls: readonly string[], embeddedPort: number | undefined): Promise<void> {
    await updateSessionFile(this.#keysFolder, (file) => ({
      file: { ...file, urls: [...urls], embeddedPort: embeddedPort ?? file.embeddedPort },
      result: undefined,
    }));
  }

  embeddedPort(): number | undefined {
    return this.#read().embeddedPort;
  }

  #sessionToken(record: SessionRecord, urls: readonly string[]): SessionToken {
    return {
      urls: [...urls],
      workerKey: this.#workerKey,
      keyId: new Uint8Array(Buffer.from(record.keyId, 'hex')),
      secret: new Uint8Array(Buffer.from(record.secret, 'hex')),
      scopes: record.scopes,
      expiresAt: record.expiresAt === undefined ? undefined : new Date(record.expiresAt),
      features: ['ask'],
    };
  }

  /** Checks a record before it is written: one that cannot be read again would make the whole file unreadable. */
  #newRecord(options: CreateSessionOptions): SessionRecord {
    const { expiresAt } = options;
    if (expiresAt !== undefined && Number.isNaN(expiresAt.getTime()))
      throw badRecord('expiresAt: it is not a valid time');
    const parsed = sessionRecordSchema.safeParse(this.#draftRecord(options));
    if (parsed.success) return parsed.data;
    throw badRecord(schemaProblem(parsed.error, 'session'));
  }

  #draftRecord(options: CreateSessionOptions): SessionRecord {
    const keyId = randomBytes(8).toString('hex');
    return {
      keyId,
      secret: randomBytes(16).toString('hex'),
      name: options.name ?? keyId,
      scopes: [...options.scopes],
      createdAt: this.#now().toISOString(),
      ...(options.expiresAt === undefined ? {} : { expiresAt: toWholeSeconds(options.expiresAt).toISOString() }),
    };
  }

  #status(record: SessionRecord): SessionSummary['status'] {
    if (record.revokedAt !== undefined) return 'revoked';
    const expired = record.expiresAt !== undefined && new Date(record.expiresAt) <= this.#now();
    return expired ? 'expired' : 'active';
  }

  #summary(record: SessionRecord): SessionSummary {
    const { keyId, name, scopes, createdAt, expiresAt } = record;
    return { keyId, name, scopes, createdAt, expiresAt, status: this.#status(record) };
  }

  /** The current file. Every request needs it, so it is only parsed again when another process changed it. */
  #read(): SessionFile {
    const stamp = fileStamp(sessionFilePath(this.#keysFolder));
    if (this.#cached === undefined || this.#cached.stamp !== stamp || stamp === 'none') {
      this.#cached = { stamp, file: readSessionFile(this.#keysFolder) };
    }
    return this.#cached.file;
  }
}

function unknownSession(): ModelRtcError {
  return new ModelRtcError('refused', 'This worker did not issue this session. Ask its owner for a new one.');
}

function badRecord(problem: string): ModelRtcError {
  return new ModelRtcError('bad_argument', `The session is not valid: ${problem}.`);
}

function fileStamp(path: string): string {
  try {
    const { mtimeNs, size, ino } = statSync(path, { bigint: true });
    return `${mtimeNs}:${size}:${ino}`;
  } catch {
    return 'none';
  }
}

/** A token holds whole seconds, and its session must not end later than it says. */
function toWholeSeconds(time: Date): Date {
  return new Date(Math.ceil(time.getTime() / 1000) * 1000);
}
