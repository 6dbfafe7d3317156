import type { TensorDifference } from '@model-rtc/formats';
import type { Flaw, TrainingCurve } from '@model-rtc/formats/layouts';
import type { CheckResult, ExaminedWeights, FloatFindings, FloatSpan } from '@model-rtc/formats/validation';
import type { CodeFile, ErrorData, ModelComponents } from '@model-rtc/protocol';
import type { ConvertedFiles, ConvertJob } from '../convert/convert-files.ts';
import type { RegisteredModel } from '../files/types.ts';
import type { ModelInFolder, ScannedFile, ScannedModel } from '../import/scanned-model.ts';

/** What reads into model files. All inputs and results can be sent to a thread. */
export interface ReadingTasks {
  /** Loads what an import needs, which takes longer than most scans. */
  prepareImport(input: undefined): undefined;
  /** Reports each file that runs code. Number 0 of `at`, an Int32Array, is the index of the file that is being examined. */
  scanFiles(input: { readonly files: readonly ScannedFile[]; readonly at: SharedArrayBuffer }): undefined;
  /** What a model lacks by what its own files say. */
  findFlaws(input: readonly ScannedFile[]): Flaw[];
  findComponents(input: {
    readonly files: readonly ScannedFile[];
    readonly flaws: readonly Flaw[];
  }): ModelComponents | undefined;
  scanModel(input: { readonly path: string; readonly options: object }): ScannedModel;
  findModels(input: { readonly path: string; readonly options: object }): ModelInFolder[];
  /** The sizes of a file's chunks. */
  planChunks(input: ScannedFile): number[];
  compareTensors(input: readonly [RegisteredModel, RegisteredModel]): TensorDifference | undefined;
  trainingCurves(input: RegisteredModel): TrainingCurve[];
  convertFiles(input: ConvertJob): ConvertedFiles;
  /** Headers against sizes, index against shards, configuration against tensors. */
  examineWeights(input: readonly ScannedFile[]): ExaminedWeights;
  checkTokenizer(input: readonly ScannedFile[]): CheckResult;
  /** Some numbers of each tensor of a file, or all. */
  sampleFloats(input: {
    readonly file: ScannedFile;
    readonly spans: readonly FloatSpan[];
    readonly all: boolean;
  }): FloatFindings;
}

export type TaskName = keyof ReadingTasks;
export type TaskInput<T extends TaskName> = Parameters<ReadingTasks[T]>[0];
export type TaskResult<T extends TaskName> = ReturnType<ReadingTasks[T]>;

export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onReport?: ((found: CodeFile) => void) | undefined;
}

/** Reads into model files, whose content may be hostile, without holding the process up and within bounded memory. */
export interface ModelReading {
  /**
   * Does one task after the other.
   * @throws ModelRtcError what the task throws; `cancelled` when the signal aborts or the reading is closed; `invalid_model`
   *   with the details `{ reason: 'memory' }` when the task needs more memory than is allowed
   */
  run<T extends TaskName>(task: T, input: TaskInput<T>, options?: TaskOptions): Promise<TaskResult<T>>;
  /** Ends what is being read. */
  close(): Promise<void>;
}

/** What the thread is asked, one task at a time. */
export interface ReadingRequest {
  readonly task: TaskName;
  readonly input: unknown;
}

/** Any number of reports, then one of the others. */
export type ReadingReply =
  | { readonly type: 'report'; readonly found: CodeFile }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: ErrorData };
