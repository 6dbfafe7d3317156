import { ModelRtcError, parseAlias, parseSessionToken } from '@model-rtc/protocol';
import type Conf from 'conf';
import * as z from 'zod';

const savedWorkersSchema = z.record(z.string(), z.object({ session: z.string(), addedAt: z.string() }));
type SavedWorkersData = z.infer<typeof savedWorkersSchema>;

/** A worker that a person gave a name, without its secret. */
export interface SavedWorker {
  readonly name: string;
  readonly addedAt: string;
  readonly keyId: string;
  /** The worker's public key, hex: two sessions with the same one lead to the same worker. */
  readonly workerKey: string;
  readonly urls: readonly string[];
  readonly scopes: readonly string[];
  readonly expiresAt: string | undefined;
}

/** The sessions that this machine keeps under a name, in `config.json` of the data folder with mode 0600. */
export class SavedWorkers {
  readonly #conf: Conf<{ workers: SavedWorkersData }>;

  private constructor(conf: Conf<{ workers: SavedWorkersData }>) {
    this.#conf = conf;
  }

  /** @param home - the data folder. @throws ModelRtcError `storage` when its config.json is damaged. */
  static async open(home: string): Promise<SavedWorkers> {
    // Loaded here, since it takes longer to load than most commands take to run, and few of them need it.
    const { default: Conf } = await import('conf');
    try {
      return new SavedWorkers(
        new Conf({ cwd: home, configName: 'config', configFileMode: 0o600, defaults: { workers: {} } }),
      );
    } catch (error) {
      throw ModelRtcError.because(
        withoutText(error),
        'storage',
        `The settings ${home}/config.json cannot be read. Mend the file, or move it away.`,
      );
    }
  }

  list(): SavedWorker[] {
    return Object.entries(this.#read()).map(([name, { session, addedAt }]) => {
      const { urls, keyId, scopes, expiresAt, workerKey } = parseSessionToken(session);
      return {
        name,
        addedAt,
        keyId: Buffer.from(keyId).toString('hex'),
        workerKey: Buffer.from(workerKey).toString('hex'),
        urls,
        scopes,
        expiresAt: expiresAt?.toISOString(),
      };
    });
  }

  /** The session token kept under a name. */
  find(name: string): string | undefined {
    const saved = this.#read();
    return Object.hasOwn(saved, name) ? saved[name]?.session : undefined;
  }

  /**
   * Keeps a session under a name; an earlier one of that name is replaced.
   * @throws ModelRtcError `bad_argument` when the name or the token is not valid.
   */
  add(name: string, session: string): void {
    const checked = parseAlias(name);
    if (/^mrtc\d+_/.test(name))
      throw new ModelRtcError(
        'bad_argument',
        'A name that begins like a session token could not be told from one; choose another.',
      );
    parseSessionToken(session);
    this.#conf.set('workers', { ...this.#read(), [checked]: { session, addedAt: new Date().toISOString() } });
  }

  /** @throws ModelRtcError `not_found_locally` when nothing has that name. */
  remove(name: string): void {
    const { [name]: _, ...rest } = this.#read();
    if (this.find(name) === undefined) {
      throw new ModelRtcError(
        'not_found_locally',
        `No worker is saved as "${name}". See: model-rtc client workers list.`,
      );
    }
    this.#conf.set('workers', rest);
  }

  #read(): SavedWorkersData {
    const parsed = savedWorkersSchema.safeParse(this.#conf.get('workers'));
    if (parsed.success) return parsed.data;
    throw new ModelRtcError(
      'storage',
      `The saved workers in ${this.#conf.path} are damaged. Mend the file, or move it away.`,
      { cause: parsed.error },
    );
  }
}

/** A SyntaxError quotes the file, and with it perhaps a session that a log would keep. */
function withoutText(error: unknown): unknown {
  return (error as { name?: unknown }).name === 'SyntaxError' ? new SyntaxError('The file is not JSON.') : error;
}
