/**
 * What needs no library beside the protocol. Recognising models is in `@model-rtc/formats/layouts`, turning files of torch into
 * safetensors in `@model-rtc/formats/convert`.
 */

export { createReadBudget } from './bytes/read-budget.ts';
export { plainCuts } from './chunks/cut-parts.ts';
export { CHUNKER, mayHaveStructure, planChunks, STRUCTURE_HEAD_BYTES } from './chunks/plan-chunks.ts';
export { namedLikeCode } from './code/file-kinds.ts';
export { type Findings, splitSuspicious } from './code/findings.ts';
export { programReason, programReasonByName } from './code/left-out-programs.ts';
export { refuseCode } from './code/refuse-code.ts';
export { scanFile } from './code/scan-content.ts';
export { unknownFormats } from './code/unknown-formats.ts';
export { at, toText } from './documents/scalars.ts';
export { type FileMetadata, listTensors, readFileMetadata } from './formats.ts';
export { type FolderNames, isSure, isTelling, markOf } from './layouts/marks.ts';
export { isLogFolder, logFolders, skipReason } from './layouts/skip-rules.ts';
export { holdsWeights, isWeightsFile, WEIGHTS_EXTENSIONS, weightsType } from './layouts/weights-files.ts';
export { MODEL_READ_LIMITS } from './limits.ts';
export { readOnnx } from './onnx/onnx.ts';
export {
  type ComparableFile,
  type ComparableModel,
  compareTensors,
  type TensorDifference,
  type TensorSummary,
} from './tensors/compare-tensors.ts';
export { readCheckpointFacts } from './torch/checkpoint-facts.ts';
export type * from './types.ts';
