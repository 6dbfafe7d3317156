import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readOnnx } from '@model-rtc/formats';
import { modelPathProblem } from '@model-rtc/protocol';
import { OnnxRunError } from './types.ts';

/**
 * Looks at a model's file before the runtime does: that it is one, and that it keeps tensors only in files of its own folder.
 * A model could name any file of this machine, and give its bytes back as results.
 * @throws OnnxRunError
 */
export async function checkModelFile(path: string): Promise<void> {
  const name = basename(path);
  if (!/\.onnx$/i.test(name)) throw new OnnxRunError(`${name} is no .onnx file. Choose another runner for this model.`);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const reader = {
      size,
      async read(offset: number, length: number) {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
        return bytes.subarray(0, bytesRead);
      },
    };
    const { external } = await readOnnx(reader, { inside: true });
    for (const { location } of external) await checkLocation(location, dirname(path), name);
  } catch (cause) {
    if (cause instanceof OnnxRunError) throw cause;
    throw new OnnxRunError(`${name} is damaged: ${cause instanceof Error ? cause.message : cause}. Push it again.`, {
      cause,
    });
  } finally {
    await file.close();
  }
}

async function checkLocation(location: string, folder: string, name: string): Promise<void> {
  const plain = location.replace(/^(\.\/)+/, '');
  if (modelPathProblem(plain) !== undefined)
    throw new OnnxRunError(
      `${name} reads tensors from ${JSON.stringify(location)}, which is not in its own folder. Export it again.`,
    );
  const found = await stat(join(folder, plain)).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new OnnxRunError(`${name} keeps tensors in ${plain}, which is missing. Push the whole model.`);
}
