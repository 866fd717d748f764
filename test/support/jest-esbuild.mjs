// Jest transformer: TypeScript -> ES module by esbuild. Types are checked by tsc, apart from this.
import { transformSync } from 'esbuild';

export default {
  process(source, file) {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcefile: file,
      sourcemap: true,
      define: { KPATCH_PM_VERSION: '"0.0.0-test"' },
    });
    return { code, map };
  },
};
