import { MARKER_VARIABLE } from './job-processes.ts';

/**
 * What jobs get of the worker's own environment: where programs, libraries and devices are, and in which language to print.
 * Nothing else, since people keep secrets in variables.
 */
const PASSED = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LANGUAGE', 'TZ', 'TERM', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  // Where systemd-run finds the manager of a user.
  'XDG_RUNTIME_DIR',
  ...['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'PYTHONPATH', 'VIRTUAL_ENV', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS'],
  ...['SystemRoot', 'ComSpec', 'PATHEXT', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'NUMBER_OF_PROCESSORS'],
]);
const PASSED_PREFIXES = ['LC_', 'CUDA_', 'NVIDIA_', 'HIP_', 'ROCR_', 'ROCM_', 'CONDA_'] as const;

export interface EnvironmentParts {
  readonly worker: Readonly<Record<string, string | undefined>>;
  readonly runner: Readonly<Record<string, string>>;
  readonly marker: string;
  readonly jobId: string;
  /** The folder of the job's temporary files. */
  readonly temporary: string;
}

/** The variables of a job's program. */
export function jobEnvironment({ worker, runner, marker, jobId, temporary }: EnvironmentParts): Record<string, string> {
  const passed = Object.entries(worker).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && (PASSED.has(pair[0]) || PASSED_PREFIXES.some((prefix) => pair[0].startsWith(prefix))),
  );
  return {
    // Progress that stays in a buffer until the end helps nobody.
    PYTHONUNBUFFERED: '1',
    ...Object.fromEntries(passed),
    ...{ TMPDIR: temporary, TMP: temporary, TEMP: temporary },
    ...runner,
    MODEL_RTC_JOB_ID: jobId,
    [MARKER_VARIABLE]: marker,
  };
}
