/** Recognises models and reads what their files say about them. A separate entry, because the parsers of YAML and CSV are large. */
export { findFlaws } from '../completeness/find-flaws.ts';
export type { CheckedFile, Flaw, FlawKind } from '../completeness/types.ts';
export { readDocument } from '../documents/document.ts';
export { at, toModelType } from '../documents/scalars.ts';
export { readTrainingCurves, type TrainingCurve } from '../documents/training-curves.ts';
export { archiveError } from './archive-files.ts';
export { toChecked } from './exports.ts';
export { NO_FACTS } from './facts.ts';
export { type FileSet, fileSetOf } from './file-sets.ts';
export { nameByPath } from './model-name.ts';
export { type ModelRoot, modelRoots } from './model-roots.ts';
export { type FolderExtras, noModelAt, recogniseFile, recogniseFolder, toFolder } from './recognise-model.ts';
export { nameInFolder, severalModelsError } from './several-models.ts';
export { sleap } from './sleap.ts';
export { sleapNn } from './sleap-nn.ts';
export { trainingStateReason } from './training-state.ts';
export type * from './types.ts';
export { weightsType } from './weights-files.ts';
