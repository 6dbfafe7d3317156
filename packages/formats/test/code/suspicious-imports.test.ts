import { describe, expect, it } from '@jest/globals';
import { isSuspiciousImport } from '../../src/code/suspicious-imports.ts';

const SUSPICIOUS = [
  ...['os.system', 'posix.system', 'nt.system', 'subprocess.Popen', 'sys.exit', 'runpy.run_path', 'socket.socket'],
  ...['shutil.rmtree', 'pty.spawn', 'importlib.import_module', 'webbrowser.open', 'ctypes.CDLL', 'commands.getoutput'],
  ...['builtins.eval', 'builtins.exec', 'builtins.compile', 'builtins.__import__', 'builtins.getattr', 'builtins.open'],
  ...['__builtin__.eval', 'functools.partial', 'operator.attrgetter', 'pickle.loads', '_pickle.loads', 'io.open'],
  ...[
    'code.InteractiveInterpreter',
    'timeit.timeit',
    'asyncio.run',
    'xml.sax',
    'logging.config.fileConfig',
    '?.system',
  ],
  ...['torch.load', 'torch.hub.load', 'torch.serialization.load', 'torch.utils.cpp_extension.load', 'numpy.load'],
  ...[
    'numpy.testing._private.utils.runstring',
    'numpy.f2py.crackfortran.getlincoef',
    'joblib.load',
    'dill._dill._eval',
  ],
  ...['cloudpickle.cloudpickle._make_function', 'requests.get', 'copyreg.?', 'pandas.eval', 'pathlib.os.system'],
];
const HARMLESS = [
  ...[
    'torch._utils._rebuild_tensor_v2',
    'torch.FloatStorage',
    'torch.jit._pickle.build_intlist',
    'collections.OrderedDict',
  ],
  ...['numpy.core.multiarray._reconstruct', 'numpy._core.multiarray.scalar', 'numpy.dtype', '_codecs.encode'],
  ...[
    'builtins.set',
    '__builtin__.set',
    'builtins.slice',
    'pathlib.PosixPath',
    'argparse.Namespace',
    'datetime.datetime',
  ],
  ...[
    'sklearn.ensemble._forest.RandomForestClassifier',
    'lightning_fabric.utilities.data.AttributeDict',
    '__main__.Net',
  ],
  ...['omegaconf.dictconfig.DictConfig', 'joblib.numpy_pickle.NumpyArrayWrapper', 'torch.nn.modules.linear.Linear'],
];

/** A name as a test writes it: the last word is the name, all before it the module. */
function split(path: string): [string, string] {
  const dot = path.lastIndexOf('.');
  return [path.slice(0, dot), path.slice(dot + 1)];
}

describe('isSuspiciousImport', () => {
  it.each(SUSPICIOUS)('finds %s suspicious', (path) => {
    expect(isSuspiciousImport(...split(path))).toBe(true);
  });

  it.each(HARMLESS)('lets %s pass', (path) => {
    expect(isSuspiciousImport(...split(path))).toBe(false);
  });

  it('looks through dotted names, which lead from any module to what it has imported', () => {
    expect(isSuspiciousImport('torch', 'serialization.os.system')).toBe(true);
    expect(isSuspiciousImport('sklearn', 'ensemble.__builtins__.eval')).toBe(true);
    expect(isSuspiciousImport('collections', '_sys.modules')).toBe(true);
    expect(isSuspiciousImport('mymodel', 'Net.__init__.__globals__.get')).toBe(true);
  });
});
