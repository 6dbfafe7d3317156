import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { createPieces } from './http/pieces.ts';
import { sendFile } from './http/send-file.ts';
import type { Asked } from './http/types.ts';
import { MAX_DOWNLOADS } from './limits.ts';
import type { Contents } from './models/contents.ts';
import { type OpenFileOptions, openFile } from './models/open-file.ts';
import type { BridgeModel, FileBytes, ModelFile } from './types.ts';

/** The files of models, for every API. */
export interface Files {
  /** @throws ModelRtcError as `Contents.manifest` does */
  list(model: BridgeModel, signal: AbortSignal): Promise<readonly ModelFile[]>;
  /** Answers a request for a file. @throws as `sendFile` does; ModelRtcError `busy` when too many are being sent */
  send(asked: Asked, model: BridgeModel, file: ModelFile, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** The same for a file that is in memory. */
  sendBytes(asked: Asked, bytes: Uint8Array, file: ModelFile, headers: Readonly<Record<string, string>>): Promise<void>;
  /** How many are being sent. */
  readonly sending: number;
}

export interface FilesOptions extends OpenFileOptions {
  readonly contents: Contents;
  readonly onSent: (bytes: number) => void;
}

export function createFiles({ contents, onSent, ...options }: FilesOptions): Files {
  const pieces = createPieces();
  let sending = 0;
  const manifestOf = async ({ digest }: BridgeModel, signal: AbortSignal): Promise<Manifest> =>
    await contents.manifest(digest, signal);

  return {
    list: async (model, signal) => (await manifestOf(model, signal)).files,
    async send(asked, model, file, headers) {
      if (sending >= MAX_DOWNLOADS) {
        throw new ModelRtcError('busy', `${MAX_DOWNLOADS} files are being sent. Ask again in a moment.`);
      }
      sending++;
      try {
        const open = async () =>
          await openFile(options, {
            digest: model.digest,
            manifest: await manifestOf(model, asked.signal),
            file,
          });
        await sendFile(asked, { file, headers, open, pieces, onSent });
      } finally {
        sending--;
      }
    },
    async sendBytes(asked, bytes, file, headers) {
      await sendFile(asked, { file, headers, open: async () => inMemory(bytes), pieces, onSent });
    },
    get sending() {
      return sending;
    },
  };
}

function inMemory(bytes: Uint8Array): FileBytes {
  return {
    async read(offset, into) {
      const piece = bytes.subarray(offset, offset + into.length);
      into.set(piece);
      return piece.length;
    },
    close: async () => {},
  };
}
