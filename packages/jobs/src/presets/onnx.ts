import { hasRuntime, INSTALL_RUNTIME, ONNX_PROGRAM, RUNTIME_PACKAGE } from '../onnx/runtime.ts';
import { number } from './settings.ts';
import type { Preset } from './types.ts';

const NUMBERS = '-?[0-9]+(\\.[0-9]+)?(,-?[0-9]+(\\.[0-9]+)?){0,3}';
const OPTIONAL = ['width', 'height', 'batch', 'threads'] as const;
const WITH_DEFAULTS = ['layout', 'color', 'divide', 'mean', 'std', 'format'] as const;

/** ONNX models in a process of our own: nothing needs to be installed but the library that computes. */
export const onnx: Preset = {
  name: 'onnx',
  async find() {
    return {
      problem: hasRuntime() ? undefined : `${RUNTIME_PACKAGE} is not installed. ${INSTALL_RUNTIME}`,
      runner: {
        description: 'Runs an ONNX model on arrays (.npy) and images (.png, .jpg).',
        args: [
          process.execPath,
          ONNX_PROGRAM,
          ...['--model={checkpoint}', '--input={inputs}', '--output={output}'],
          ...[...WITH_DEFAULTS, ...OPTIONAL].map((key) => [`--${key}={set.${key}}`]),
        ],
        types: ['onnx'],
        inputs: ['.npy', '.png', '.jpg', '.jpeg'],
        progress: '^(?P<done>[0-9]+)/(?P<total>[0-9]+) ',
        set: {
          format: choice(['npy', 'json'], 'What the outputs are written as'),
          batch: count('Samples that run at once [all of an array, one image]'),
          layout: choice(['auto', 'nchw', 'nhwc'], 'Where images have their channels: first or last'),
          color: choice(['auto', 'rgb', 'bgr', 'gray'], 'The channels of images, in order'),
          width: count('Pixels that images are resized to [what the model takes, else their own]'),
          height: count('The same for their height'),
          divide: number({ min: 1e-6, max: 65_535, default: 255 }, 'What values of pixels, 0 to 255, are divided by'),
          mean: numbers('0', 'Subtracted after that: one number, or one for each channel such as 0.485,0.456,0.406'),
          std: numbers('1', 'Divided by after that, in the same way'),
          threads: count('Threads that compute [one for each processor]'),
        },
      },
    };
  },
};

function choice(choices: string[], description: string) {
  return { type: 'string', choices, default: choices[0] as string, description } as const;
}

function count(description: string) {
  return { type: 'integer', min: 1, max: 65_535, description } as const;
}

function numbers(byDefault: string, description: string) {
  return { type: 'string', pattern: NUMBERS, max: 128, default: byDefault, description } as const;
}
