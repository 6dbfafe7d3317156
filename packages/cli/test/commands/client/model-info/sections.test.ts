import { describe, expect, it } from '@jest/globals';
import type { Alias, Digest, ModelEntry } from '@model-rtc/protocol';
import { modelEntrySchema } from '@model-rtc/protocol';
import { loadSnippet } from '../../../../src/commands/client/model-info/load-line/load-line.ts';
import { modelSections } from '../../../../src/commands/client/model-info/sections.ts';
import type { ModelFacts } from '../../../../src/commands/client/model-info/types.ts';

const DIGEST = 'ab'.repeat(32) as Digest;
const LAB = { key: 'cc'.repeat(32), name: 'lab' };

function entry(more: Partial<ModelEntry> = {}): ModelEntry {
  return modelEntrySchema.parse({
    ...{ id: DIGEST.slice(0, 8), digest: DIGEST, modelType: 'centroid', source: 'local-import', status: 'completed' },
    ...{ size: 1500, fileCount: 1, ...more },
  });
}

function here(more: Partial<ModelEntry> = {}): NonNullable<ModelFacts['here']> {
  const place = { localPath: '/data/models/centroid_abababab', linked: false, formerAliases: [] };
  return { ...entry(more), ...place, displayStatus: 'completed' };
}

function textOf(facts: Partial<ModelFacts>): string {
  const whole = { entry: facts.here ?? entry(), availability: [], ...facts };
  return modelSections(whole, 'lab')
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

describe('what people read of a model', () => {
  it('leaves out what is not known', () => {
    const titles = modelSections({ entry: entry(), availability: [] }, 'lab').map(([title]) => title);
    expect(titles).toEqual([expect.stringMatching(/^id/)]);
  });

  it('says where the model is, by which name, and when it was last seen there', () => {
    const mine = here({ alias: 'mine' as Alias });
    const seen = { ...LAB, seenAt: '2026-01-02T03:04:05Z', alias: 'theirs' as Alias };
    const text = textOf({ here: mine, availability: [seen] });
    expect(text).toMatch(/^ {2}here +\/data\/models\/centroid_abababab$/m);
    expect(text).toMatch(/^ {2}lab +last seen 2026-01-0\d \d\d:\d\d, as theirs$/m);
  });

  it('says which parts are there, what it was converted from, and what to know of that', () => {
    const hub = { repo: 'acme/tiny', commit: '1a'.repeat(20) };
    const converted = here({
      components: { weights: 'present', config: 'present', tokenizer: 'missing' },
      lineage: { convertedFrom: 'cd'.repeat(32) as Digest },
      warnings: ['w.bin: "epoch" of the original is no tensor and left out.'],
    });
    const text = textOf({ here: converted });
    expect(text).toMatch(/^parts +weights present, config present, tokenizer missing$/m);
    expect(text).toMatch(/^ {2}converted from +torch files \(digest cdcdcdcdcdcd\)$/m);
    expect(text).toMatch(/^Warnings\n {2}- {2}w\.bin: "epoch" of the original is no tensor and left out\.$/m);
    expect(textOf({ here: { ...converted, hub } })).toMatch(/torch files of acme\/tiny at 1a1a1a1a1a1a \(digest/);
  });

  it('says of a run which worker it is at, though runs are remembered by no digest', () => {
    const { digest: _, ...run } = entry({ status: 'training' });
    expect(textOf({ entry: run, from: LAB })).toMatch(/Where it is\n {2}lab +has it now/);
  });

  it('shows the parents that are not here by the name that the model has for them', () => {
    const parent = here({ id: 'beef0001', alias: 'base' as Alias });
    const lineage = {
      entry: here(),
      parents: [],
      children: [here({ id: 'cafe0001' })],
      ancestors: [{ name: 'base', entry: parent }, { name: 'the-old-one' }],
    };
    const text = textOf({ lineage });
    expect(text).toMatch(/made from +base \(beef0001\) < the-old-one \(not on this machine\)$/m);
    expect(text).toMatch(/led to +cafe0001$/m);
  });

  it('puts the lines of notes below each other', () => {
    expect(textOf({ entry: entry({ notes: 'first\nsecond\n' }) })).toMatch(/^notes( +)first\n {5}\1second$/m);
  });

  it('names the files that run code, and says so when nobody has looked', () => {
    const codeFiles = [{ path: 'best.ckpt', suspicious: ['os.system'] }];
    expect(textOf({ entry: entry({ codeFiles }) })).toMatch(/Files that run code\n {2}best\.ckpt .*os\.system/);
    expect(textOf({ entry: entry({ codeFiles: [] }) })).toMatch(/^runs code +no$/m);
    expect(textOf({})).toMatch(/^runs code +unknown/m);
    const unexamined = [{ path: 'best.ckpt', suspicious: ['(too long)'], unexamined: true as const }];
    expect(textOf({ entry: entry({ codeFiles: unexamined }) })).toMatch(
      /^runs code +perhaps: it could not be examined$/m,
    );
  });
});

describe('the commands to use a model', () => {
  it('fetch one that is elsewhere, by its name there', () => {
    const seen = { ...LAB, seenAt: '2026-01-02T03:04:05Z', alias: 'theirs' as Alias };
    expect(textOf({ availability: [seen] })).toMatch(/pull-model theirs --worker lab$/m);
    const told = { entry: entry({ alias: 'told' as Alias }), from: { ...LAB, name: 'two words; rm' } };
    expect(textOf(told)).toMatch(/pull-model told --worker lab$/m);
    expect(textOf({ here: here({ alias: 'mine' as Alias }) })).toMatch(/push-model mine --worker lab$/m);
  });

  it('resume a run, and offer nothing that a run cannot do', () => {
    const { digest: _, ...run } = here({ status: 'interrupted' });
    const text = textOf({ entry: run, here: run, resumeCommand: 'sleap-nn train --resume' });
    expect(text).toMatch(/^ {2}resume {2}sleap-nn train --resume$/m);
    expect(text).not.toMatch(/push-model|load |resume there/);
    const there = textOf({ entry: { ...run, alias: 'mouse' as Alias }, from: LAB, resumesThere: true });
    expect(there).toMatch(/^ {2}resume there {2}model-rtc track --resume mouse --worker lab$/m);
  });

  it.each([
    [{ framework: 'sleap-nn', checkpointPath: 'best.ckpt' }, 'sleap-nn track --data_path VIDEO --model_paths /m'],
    [{ framework: 'sleap', checkpointPath: 'best_model.h5' }, 'sleap-track VIDEO --model /m'],
    [
      { framework: 'sleap', modelType: 'centroid', checkpointPath: 'best_model.h5' },
      'sleap-track VIDEO --model /m --model CENTERED_INSTANCE_MODEL',
    ],
    [
      { framework: 'sleap-nn', modelType: 'centered_instance', checkpointPath: 'best.ckpt' },
      'sleap-nn track --data_path VIDEO --model_paths CENTROID_MODEL --model_paths /m',
    ],
    [
      { framework: 'ultralytics', checkpointPath: 'weights/best.pt' },
      'from ultralytics import YOLO; model = YOLO("/m/weights/best.pt")',
    ],
    [
      { framework: 'nnunet', checkpointPath: 'fold_0/checkpoint_best.pth' },
      'nnUNetv2_predict_from_modelfolder -i INPUT_FOLDER -o OUTPUT_FOLDER -m /m -chk checkpoint_best.pth',
    ],
    [
      { framework: 'torch-distributed', checkpointPath: '.metadata' },
      'python -m torch.distributed.checkpoint.format_utils dcp_to_torch /m weights.pt',
    ],
    [{ framework: 'mlflow', checkpointPath: 'model.pkl' }, 'import mlflow; model = mlflow.pyfunc.load_model("/m")'],
    [{ framework: 'hub' }, 'AutoModel.from_pretrained("/m")'],
    [{ checkpointPath: 'a/w.safetensors' }, 'load_file("/m/a/w.safetensors")'],
    [{ checkpointPath: 'w.gguf' }, 'llama-cli --model /m/w.gguf'],
    [{ checkpointPath: 'w.onnx' }, 'onnxruntime.InferenceSession("/m/w.onnx")'],
    [
      {
        framework: 'peft',
        hyperparameters: { task_type: 'CAUSAL_LM' },
        lineage: { fineTunedFrom: 'org/base' },
      },
      'AutoPeftModelForCausalLM.from_pretrained("/m")  # with its base org/base',
    ],
    [
      { framework: 'peft', lineage: { fineTunedFrom: '/drive/base\nrm -rf' } },
      'PeftModel.from_pretrained(AutoModel.from_pretrained("BASE"), "/m")  # BASE: your copy of /drive/base rm -rf',
    ],
    [{ framework: 'diffusers', checkpointPath: 'unet/a.fp16.safetensors' }, '"/m", variant="fp16")'],
    [{ framework: 'coreml', checkpointPath: 'a.mlmodel' }, 'coremltools.models.MLModel("/m/a.mlmodel")'],
    [{ framework: 'coreml', checkpointPath: 'coremldata.bin' }, 'CompiledMLModel("/m")'],
    [{ framework: 'hub', backbone: 'LlamaForCausalLM' }, 'AutoModelForCausalLM.from_pretrained("/m")'],
    [{ checkpointPath: 'w.pth' }, 'torch.load("/m/w.pth", weights_only=True)'],
    [{ checkpointPath: 'w.xyz' }, '/m/w.xyz'],
    [{ framework: 'constructor' }, '/m'],
  ])('load %j', (more, expected) => {
    expect(loadSnippet(entry(more), '/m')).toContain(expected);
  });

  it('give llama.cpp the projector beside the model', () => {
    const files = ['Mouse-Q4_0.gguf', 'mmproj-F16.gguf'];
    expect(loadSnippet(entry({ checkpointPath: 'Mouse-Q4_0.gguf' }), '/m', files)).toBe(
      'llama-mtmd-cli --model /m/Mouse-Q4_0.gguf --mmproj /m/mmproj-F16.gguf',
    );
  });

  it('quote what a shell or Python would take apart', () => {
    expect(loadSnippet(entry({ checkpointPath: 'w.gguf' }), "/it's $(here)")).toBe(
      String.raw`llama-cli --model '/it'\''s $(here)/w.gguf'`,
    );
    expect(loadSnippet(entry({ checkpointPath: 'w.onnx' }), '/a"b')).toContain(String.raw`"/a\"b/w.onnx"`);
  });
});
