import { fileURLToPath } from 'node:url';
import { programPreset } from './program-preset.ts';
import { integer, number } from './settings.ts';

/** Keeps what a program prints in a file: of the versions of llama-cli in use, only the newest can. */
const CAPTURE = new URL('./capture-output.js', import.meta.url);

/** Source: llama.cpp, tools/cli/README.md. It answers one prompt, which is the data, and ends. */
export const llamaCli = programPreset({
  name: 'llama-cli',
  program: 'llama-cli',
  install: 'Install llama.cpp, for example: apt install llama.cpp, or brew install llama.cpp',
  runner: (path) => ({
    description: 'Answers a prompt in a text file with a GGUF language model.',
    args: [
      ...[process.execPath, fileURLToPath(CAPTURE), '{output}.txt', path],
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
      predict: integer({ min: 1, max: 1_000_000, default: 512 }, 'Tokens of the answer at most'),
      temp: number({ min: 0, max: 10, default: 0.8 }, 'How freely it chooses: 0 is always the likeliest token'),
      seed: integer({ min: 0, max: 4_294_967_294, default: 0 }, 'The same seed gives the same answer'),
      ctx_size: integer({ min: 1, max: 10_000_000 }, 'Tokens that it has in view [as trained]'),
      gpu_layers: integer({ min: 0, max: 10_000 }, 'Layers on the GPU [as many as fit]'),
      threads: integer({ min: 1, max: 1024 }, 'Threads that compute [one for each core]'),
    },
  }),
});
