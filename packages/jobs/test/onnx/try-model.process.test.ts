import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { startChild } from '../../../../test/support/script-child.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { type MadeModel, type MadePort, writeOnnx } from '../support/make-onnx.ts';

const PROGRAM = new URL('../../src/onnx/onnx-runner.ts', import.meta.url);
const FIXTURE = fileURLToPath(new URL('../../../../test/fixtures/tiny-onnx/model.onnx', import.meta.url));

async function tried(model: MadeModel | string): Promise<{ code: number | null; output: string }> {
  const path = typeof model === 'string' ? model : join(await temporaryFolder(), 'model.onnx');
  if (typeof model !== 'string') await writeOnnx(path, model);
  return await startChild(PROGRAM, [`--model=${path}`, '--try']).ended;
}

/** A model of one operator, which takes all inputs. */
function model(op: string, inputs: readonly MadePort[], output: MadePort): MadeModel {
  return { inputs, outputs: [output], nodes: [{ op, inputs: inputs.map(({ name }) => name), outputs: [output.name] }] };
}

describe('trying a model', () => {
  it('runs it on the shapes that it declares, and finds its numbers finite', async () => {
    const { code, output } = await tried(FIXTURE);
    expect(output).toMatch(/^Ran once on random numbers; all numbers of .* are finite\.$/m);
    expect(code).toBe(0);
  });

  it('gives axes of one name one size, and those of the past none', async () => {
    const ports: MadePort[] = [
      { name: 'input_ids', type: 'int64', shape: ['batch_size', 'sequence_length'] },
      { name: 'attention_mask', type: 'int64', shape: ['batch_size', 'past_sequence_length + sequence_length'] },
    ];
    const both = model('Add', ports, { name: 'y', type: 'int64', shape: ['batch_size', 'sequence_length'] });
    expect(await tried(both)).toMatchObject({ code: 0, output: expect.stringContaining('y (1, 8)') });
  });

  it('fails where it gives what is no number', async () => {
    const x: MadePort = { name: 'x', type: 'float32', shape: [2, 3] };
    const broken: MadeModel = {
      inputs: [x],
      outputs: [{ ...x, name: 'y' }],
      nodes: [
        { op: 'Sub', inputs: ['x', 'x'], outputs: ['zero'] },
        { op: 'Div', inputs: ['zero', 'zero'], outputs: ['y'] },
      ],
    };
    const { code, output } = await tried(broken);
    expect(output).toMatch(/Its output "y" has 6 NaN and 0 infinite of 6 numbers\./);
    expect(code).toBe(1);
  });

  it('says that it cannot tell where nobody knows what a model takes', async () => {
    const texts = model('Identity', [{ name: 'x', type: 'string', shape: [1] }], {
      name: 'y',
      type: 'string',
      shape: [1],
    });
    expect(await tried(texts)).toMatchObject({ code: 3, output: expect.stringMatching(/takes string/) });
  });
});
