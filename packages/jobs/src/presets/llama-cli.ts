import { fileURLToPath } from 'node:url';
import { findProgram } from '../process/find-tools.ts';
import type { Preset } from './types.ts';

/** Keeps what a program prints in a file: of the versions of llama-cli in use, only the newest can. */
const CAPTURE = new URL('./capture-output.js', import.meta.url);

/** Source: llama.cpp, tools/cli/README.md. It answers one prompt, which is the data, and ends. */
export const llamaCli: Preset = {
  name: 'llama-cli',
  async find({ PATH }) {
    const program = await findProgram('llama-cli', PATH);
    return {
      problem:
        program === undefined
          ? 'llama-cli is not in the PATH of the worker. Install llama.cpp, for example: apt install llama.cpp, or brew install llama.cpp'
          : undefined,
      runner: {
        description: 'Answers a prompt in a text file with a GGUF language model.',
        args: [
          ...[process.execPath, fileURLToPath(CAPTURE), '{output}.txt', program ?? 'llama-cli'],
          // Without --simple-io it writes to a terminal, if it has one, and not to its standard output.
          ...['--model', '{checkpoint}', '--file', '{input}', '--single-turn', '--simple-io', '--no-display-prompt'],
          ...['--predict', '{set.predict}', '--temp', '{set.temp}', '--seed', '{set.seed}'],
          ...[
            ['--ctx-size', '{set.ctx_size}'],
            ['--gpu-layers', '{set.gpu_layers}'],
            ['--threads', '{set.threads}'],
          ],
        ],
        types: ['gguf'],
        inputs: ['.txt', '.md', '.prompt'],
        set: {
          predict: {
            type: 'integer',
            min: 1,
            max: 1_000_000,
            default: 512,
            description: 'Tokens of the answer at most',
          },
          temp: {
            type: 'number',
            min: 0,
            max: 10,
            default: 0.8,
            description: 'How freely it chooses: 0 is always the likeliest token',
          },
          seed: {
            type: 'integer',
            min: 0,
            max: 4_294_967_294,
            default: 0,
            description: 'The same seed gives the same answer',
          },
          ctx_size: {
            type: 'integer',
            min: 1,
            max: 10_000_000,
            description: 'Tokens that it has in view [as trained]',
          },
          gpu_layers: { type: 'integer', min: 0, max: 10_000, description: 'Layers on the GPU [as many as fit]' },
          threads: { type: 'integer', min: 1, max: 1024, description: 'Threads that compute [one for each core]' },
        },
      },
    };
  },
};
