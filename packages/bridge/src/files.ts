import type { Manifest } from '@model-rtc/protocol';
import { createPieces } from './http/pieces.ts';
import { sendFile } from './http/send-file.ts';
import type { Asked } from './http/types.ts';
import type { Contents } from './models/contents.ts';
import { type OpenFileOptions, openFile } from './models/open-file.ts';
import { createPlaces } from './models/places.ts';
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
  /** Milliseconds that only grow. */
  readonly nowMs: () => number;
}

export function createFiles({ contents, onSent, nowMs, ...options }: FilesOptions): Files {
  const pieces = createPieces();
  const places = createPlaces({ nowMs });
  const manifestOf = async ({ digest }: BridgeModel, signal: AbortSignal): Promise<Manifest> =>
    await contents.manifest(digest, signal);

  return {
    list: async (model, signal) => (await manifestOf(model, signal)).files,
    async send(asked, model, file, headers) {
      const place = places.take();
      const signal = AbortSignal.any([asked.signal, place.signal]);
      try {
        const open = async () =>
          await openFile(options, { digest: model.digest, manifest: await manifestOf(model, signal), file });
        await sendFile({ ...asked, signal }, { file, headers, open, pieces, onSent, onWriting: place.onWriting });
      } finally {
        place.leave();
      }
    },
    async sendBytes(asked, bytes, file, headers) {
      await sendFile(asked, { file, headers, open: async () => inMemory(bytes), pieces, onSent });
    },
    get sending() {
      return places.taken;
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
