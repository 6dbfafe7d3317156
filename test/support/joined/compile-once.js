import vm from 'node:vm';

const compile = vm.compileFunction;
const scripts = new Map();

/**
 * Lets jest's own modules, which it loads again for each test file, be compiled once in each process, with the functions in
 * them that have run. Jest asks for a function each time, which V8 compiles anew; a script it compiles once for all contexts.
 */
export function compileOnce() {
  vm.compileFunction = (code, parameters, options) => {
    if (!/[\\/]node_modules[\\/]/.test(options.filename ?? '')) return compile(code, parameters, options);
    const { filename, parsingContext, importModuleDynamically } = options;
    let known = scripts.get(filename);
    if (known?.code !== code) {
      const start = `(function (${parameters.join(', ')}) {`;
      // A last line that is a comment must not hide the end.
      const script = new vm.Script(`${start}${code}\n})`, {
        filename,
        columnOffset: -start.length,
        importModuleDynamically,
      });
      known = { code, script };
      scripts.set(filename, known);
    }
    return known.script.runInContext(parsingContext);
  };
}
