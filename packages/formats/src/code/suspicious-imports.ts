import { STANDARD_MODULES } from './python-modules.ts';

/**
 * What pickles of models import from the standard library; any other import from it is suspicious. A list of harmless
 * names stays right when Python gains a module; a list of dangerous ones has always missed some.
 */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  __future__: ['annotations'],
  _codecs: ['encode'],
  _io: ['BytesIO', 'StringIO'],
  io: ['BytesIO', 'StringIO'],
  array: ['array', '_array_reconstructor'],
  argparse: ['Namespace'],
  builtins: builtinTypes(),
  __builtin__: [...builtinTypes(), 'unicode', 'long', 'xrange', 'basestring'],
  collections: ['OrderedDict', 'defaultdict', 'deque', 'Counter', 'ChainMap', 'UserDict', 'UserList'],
  copy_reg: ['_reconstructor'],
  copyreg: ['_reconstructor', '__newobj__', '__newobj_ex__'],
  datetime: ['date', 'datetime', 'time', 'timedelta', 'timezone'],
  decimal: ['Decimal'],
  fractions: ['Fraction'],
  numbers: ['Number', 'Integral', 'Real', 'Complex'],
  pathlib: ['Path', 'PosixPath', 'WindowsPath', 'PurePath', 'PurePosixPath', 'PureWindowsPath'],
  'pathlib._local': ['Path', 'PosixPath', 'WindowsPath', 'PurePath', 'PurePosixPath', 'PureWindowsPath'],
  random: ['Random'],
  re: ['_compile'],
  types: ['SimpleNamespace', 'NoneType'],
  typing: ['Any', 'Optional', 'Union', 'List', 'Dict', 'Tuple'],
  uuid: ['UUID', 'SafeUUID'],
  zoneinfo: ['ZoneInfo._unpickle'],
};

/**
 * Names outside the standard library that load other code, run programs, or reach the network or the disk; whole modules
 * with everything in them, or single names. Sources: picklescan's and fickling's lists, read for what they name.
 */
const DANGEROUS: readonly string[] = [
  ...['aiohttp', 'boto3', 'cffi', 'cloudpickle', 'dill', 'distutils', 'fabric', 'gevent', 'httpx', 'invoke', 'IPython'],
  ...['jsonpickle', 'jupyter_client', 'marimo', 'numba.core', 'numexpr', 'paramiko', 'pexpect', 'pip', 'pkg_resources'],
  ...[
    'plumbum',
    'psutil',
    'pwn',
    'pycurl',
    'requests',
    'setuptools',
    'sh',
    'tornado',
    'twisted',
    'urllib3',
    'websocket',
  ],
  ...['wget', 'win32api', 'win32com', 'win32process', 'yaml', 'ruamel', 'ruamel_yaml', 'fsspec', 'gdown', 'nltk.app'],
  ...[
    'huggingface_hub',
    'joblib.load',
    'joblib.numpy_pickle.load',
    'joblib.numpy_pickle_utils',
    'sympy.sympify',
    'nltk.data',
  ],
  ...['joblib.externals', 'joblib.parallel', 'keras.models.load_model', 'keras.saving', 'keras.src.saving'],
  ...['numpy.f2py', 'numpy.testing', 'numpy.load', 'numpy.save', 'numpy.savez', 'numpy.savetxt', 'numpy.fromfile'],
  ...['numpy.memmap', 'numpy.loadtxt', 'numpy.genfromtxt', 'numpy.ctypeslib', 'numpy.distutils', 'numpy.lib.npyio'],
  ...[
    'pandas.eval',
    'pandas.read_pickle',
    'pandas.read_csv',
    'pandas.io',
    'pandas.core.computation',
    'sklearn.datasets',
  ],
  ...['scipy.io', 'scipy.weave', 'tensorflow.io', 'tensorflow.raw_ops', 'tensorflow.keras.models.load_model'],
  ...['tensorflow.saved_model', 'tensorflow.load_library', 'tensorflow.load_op_library', 'tensorflow.py_function'],
  ...[
    'tensorflow.python',
    'torch.hub',
    'torch.load',
    'torch.save',
    'torch.serialization',
    'torch.package',
    'torch.ops',
  ],
  ...['torch._ops', 'torch.classes', 'torch._classes', 'torch.compile', 'torch.jit.load', 'torch.utils.cpp_extension'],
  ...[
    'torch._inductor',
    'torch._dynamo',
    'torch.utils._config_module',
    'torch.utils.bottleneck',
    'torch.multiprocessing',
  ],
  ...['torch.utils.collect_env', 'torch.utils.data.datapipes', 'torch.fx.experimental', 'torch.distributed.rpc'],
  ...[
    'torch.distributed.run',
    'torch.distributed.launch',
    'torch.utils.model_dump',
    'torch.testing',
    'torch.jit._serialization',
  ],
  ...[
    'torchvision.datasets',
    'transformers.dynamic_module_utils',
    'transformers.utils.hub',
    'lightning.fabric.utilities',
  ],
  ...['transformers.AutoModel', 'transformers.pipeline', 'timm.models._hub', 'timm.models.hub', 'wandb', 'mlflow'],
];

/** Names that reach harmful code from any module, since a dotted name can pass through whatever a module has imported. */
const DANGEROUS_ANYWHERE: ReadonlySet<string> = new Set([
  ...['os', 'nt', 'posix', 'sys', 'subprocess', 'builtins', '__builtin__', '__builtins__', 'importlib', 'ctypes'],
  ...['socket', 'shutil', 'pty', 'runpy', 'system', 'popen', 'eval', 'exec', 'execfile', '__import__', 'getattr'],
  ...['__globals__', '__class__', '__subclasses__', '__getattribute__', '__dict__', '__loader__', '__spec__'],
]);

const DANGEROUS_SET: ReadonlySet<string> = new Set(DANGEROUS);

function builtinTypes(): string[] {
  return [
    ...['bool', 'bytearray', 'bytes', 'complex', 'dict', 'Ellipsis', 'float', 'frozenset', 'int', 'list', 'NoneType'],
    ...['NotImplemented', 'object', 'range', 'set', 'slice', 'str', 'tuple', 'type'],
  ];
}

/**
 * Whether no model needs an import: it can run programs, reach the network or the disk, load other code, or its name is
 * only known once the pickle is loaded (`?`).
 */
export function isSuspiciousImport(module: string, name: string): boolean {
  if (module === '?' || name === '?') return true;
  const modules = module.split('.');
  const root = modules[0] as string;
  const names = name.split('.');
  if (STANDARD_MODULES.has(root)) return HARMLESS[module]?.includes(name) !== true;
  if (modules.some(isDangerousWord) || names.some(isDangerousWord)) return true;
  const path = [...modules, ...names];
  return path.some((_word, i) => DANGEROUS_SET.has(path.slice(0, i + 1).join('.')));
}

function isDangerousWord(word: string): boolean {
  return DANGEROUS_ANYWHERE.has(word);
}
