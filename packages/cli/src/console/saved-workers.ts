import { ModelRtcError, parseAlias, parseSessionToken } from '@model-rtc/protocol';
import * as z from 'zod';
import { type ConfigFile, openConfigFile } from './config-file.ts';
import { isTokenText } from './format.ts';

/** `workers` in config.json: what each name stands for. */
export const savedWorkersSchema = z.record(
  z.string(),
  z.object({
    session: z.string().describe('The session token, which is a secret'),
    addedAt: z.string().describe('When it was saved'),
  }),
);
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
  readonly #file: ConfigFile;

  private constructor(file: ConfigFile) {
    this.#file = file;
  }

  /** @param home - the data folder. @throws ModelRtcError `storage` when its config.json is damaged. */
  static async open(home: string): Promise<SavedWorkers> {
    return new SavedWorkers(await openConfigFile(home));
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
    if (isTokenText(name)) {
      throw new ModelRtcError('bad_argument', 'The name must not begin like a session token. Choose another.');
    }
    parseSessionToken(session);
    this.#file.set('workers', { ...this.#read(), [checked]: { session, addedAt: new Date().toISOString() } });
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
    this.#file.set('workers', rest);
  }

  #read(): SavedWorkersData {
    const parsed = savedWorkersSchema.safeParse(this.#file.get('workers', {}));
    if (parsed.success) return parsed.data;
    throw new ModelRtcError(
      'storage',
      `The saved workers in ${this.#file.path} are damaged. Fix the file, or move it away.`,
      { cause: parsed.error },
    );
  }
}
