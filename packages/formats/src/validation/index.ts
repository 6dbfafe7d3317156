/** Whether a model can be used: its configuration against its tensors, its numbers, its tokenizer. */
export { checkConfig } from './check-config.ts';
export { type ExaminedWeights, examineWeights, readConfig } from './examine-weights.ts';
export { sampleFloats } from './sample-floats.ts';
export { type BadTensor, type FloatFindings, FloatScan, type FloatSpan } from './scan-floats.ts';
export { checkTokenizer } from './tokenizer/check-tokenizer.ts';
export type { CheckOutcome, CheckResult } from './types.ts';
