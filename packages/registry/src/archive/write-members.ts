import type { FileHandle } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';

/** One file of a new archive. */
export interface NewMember {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: Date;
  /** All of its bytes, in pieces that nobody changes afterwards. */
  bytes(): AsyncIterable<Uint8Array>;
}

type AnyStream = ReadableStream<Uint8Array>;

/**
 * Writes members as a tar file, with little of them in memory: it reads the next bytes while it writes the last ones.
 * @returns the size of the whole file in bytes
 */
export async function writeMembers(file: FileHandle, members: Iterable<NewMember>): Promise<number> {
  const { createTarPacker } = await import('modern-tar');
  const { readable, controller } = createTarPacker();
  let diskError: unknown;
  const writing = drain(readable as AnyStream, file).catch((thrown: unknown) => {
    // This ends the packing too, with an error that does not mention the disk.
    diskError = thrown;
    controller.error(thrown);
    return 0;
  });
  try {
    for (const member of members) await addMember(controller, member);
    controller.finalize();
  } catch (thrown) {
    controller.error(thrown);
    await writing;
    throw diskError ?? thrown;
  }
  const size = await writing;
  if (diskError !== undefined) throw diskError;
  return size;
}

type Packer = ReturnType<typeof import('modern-tar')['createTarPacker']>['controller'];

async function addMember(packer: Packer, { path, size, mode, mtime, bytes }: NewMember): Promise<void> {
  // No user and no group: whoever unpacks the archive owns the files.
  const owner = { uid: 0, gid: 0, uname: '', gname: '' };
  const writer = packer.add({ name: path, size, mode, mtime, type: 'file', ...owner }).getWriter();
  writer.closed.catch(() => undefined);
  for await (const piece of bytes()) await writer.write(piece);
  await writer.close();
}

async function drain(readable: AnyStream, file: FileHandle): Promise<number> {
  let size = 0;
  for await (const bytes of readable) {
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    size += bytes.length;
  }
  return size;
}
