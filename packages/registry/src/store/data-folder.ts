import { isAbsolute, join, posix, resolve, win32 } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';

/** What the choice of the data folder depends on. The caller reads it from its process. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** The person's home folder; undefined for a user without one, as in a container. */
  readonly home: string | undefined;
}

/** Whose data it is. */
export interface DataOwner {
  readonly folderName: string;
  /** The environment variable with which a person chooses another folder. */
  readonly variable: string;
}

const MODEL_RTC: DataOwner = { folderName: 'model-rtc', variable: 'MODEL_RTC_HOME' };

/**
 * The folder for everything that a program keeps: what its variable says (`MODEL_RTC_HOME`), else the platform's folder for
 * application data.
 * @param owner - model-rtc by default
 * Sources: XDG Base Directory Specification 0.8 (ignores a relative XDG_DATA_HOME), Apple's File System Programming Guide,
 * Windows' known folders.
 * @throws ModelRtcError `bad_argument` when it would be in a home folder and there is none
 */
export function dataFolder({ env, platform, home }: Surroundings, owner: DataOwner = MODEL_RTC): string {
  const { folderName, variable } = owner;
  const chosen = env[variable];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'win32') {
    const roaming = env.APPDATA;
    return win32.join(roaming || win32.join(requireHome(home, owner), 'AppData', 'Roaming'), folderName);
  }
  if (platform === 'darwin') return posix.join(requireHome(home, owner), 'Library', 'Application Support', folderName);
  const xdg = env.XDG_DATA_HOME;
  return posix.join(xdg && isAbsolute(xdg) ? xdg : posix.join(requireHome(home, owner), '.local', 'share'), folderName);
}

/** A relative folder, as an empty HOME makes one, would lie wherever the command is started. */
function requireHome(home: string | undefined, { folderName, variable }: DataOwner): string {
  if (home !== undefined && home !== '') return home;
  throw new ModelRtcError(
    'bad_argument',
    `This user has no home folder. Set ${variable} to the folder where ${folderName} may keep its data.`,
  );
}

/** Where everything lies in the data folder. All paths are absolute. */
export interface DataPaths {
  readonly root: string;
  readonly models: string;
  /** For what is not whole yet; on the same file system as `models`, so that a rename moves it there. */
  readonly staging: string;
  readonly keys: string;
  readonly registryFile: string;
  /** Held while the registry file or the folders in `models` change. */
  readonly registryLock: string;
  /** The folder of the chunk index. You can delete it at any time: it is rebuilt from the manifests. */
  readonly chunkIndex: string;
  readonly configFile: string;
  /** The models that are registered for the catalog and may not be here yet. */
  readonly catalogFile: string;
  /** The last known state of each worker's models. */
  readonly workers: string;
  /** The folder of the hashes of files that were hashed before. You can delete it at any time. */
  readonly hashCache: string;
  /** A file that holds room on the disk for deleting, see `keepSpareRoom`. */
  readonly spareRoom: string;
  /** Which session's pushes lie in `staging`. */
  readonly pushesFile: string;
  /** Files of models that were deleted with --keep-files. */
  readonly kept: string;
  /** What the worker found in its folders and left out of the registry. */
  readonly folderReports: string;
  /** The cache of the data that jobs read. */
  readonly dataSets: string;
  /** The folders of the worker's jobs. */
  readonly jobs: string;
  /** A small record of each transfer of any process. */
  readonly transfers: string;
  /** When each model was last used, and who reads it now. You can delete it while nothing runs. */
  readonly uses: string;
}

export function dataPaths(root: string): DataPaths {
  const at = resolve(root);
  const models = join(at, 'models');
  return {
    root: at,
    models,
    staging: join(at, 'staging'),
    keys: join(at, 'keys'),
    registryFile: join(models, 'registry.json'),
    registryLock: join(models, 'registry.lock'),
    chunkIndex: join(at, 'chunks'),
    configFile: join(at, 'config.json'),
    catalogFile: join(at, 'catalog.json'),
    workers: join(at, 'workers'),
    hashCache: join(at, 'hashes'),
    spareRoom: join(at, 'spare-room'),
    pushesFile: join(at, 'pushes.json'),
    kept: join(at, 'kept'),
    folderReports: join(at, 'watched-folders.json'),
    dataSets: join(at, 'data-sets'),
    jobs: join(at, 'jobs'),
    transfers: join(at, 'transfers'),
    uses: join(at, 'uses'),
  };
}
