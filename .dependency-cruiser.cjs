/** Which folder may import which: data flows down this table and never back up. See compiler/README.md. */
const layers = {
  symbolic: [],
  diagnostics: ['symbolic'],
  syntax: ['diagnostics'],
  'kernel-ir': ['symbolic', 'diagnostics', 'tensor-ir'],
  'tensor-ir': ['symbolic', 'diagnostics', 'kernel-ir', 'primitives'],
  // Records of primitives with regions point to the rules in transforms/regions.
  primitives: ['symbolic', 'diagnostics', 'tensor-ir', 'kernel-ir', 'transforms'],
  elaborate: ['symbolic', 'diagnostics', 'syntax', 'tensor-ir', 'primitives'],
  transforms: ['symbolic', 'diagnostics', 'tensor-ir', 'primitives', 'passes'],
  passes: ['symbolic', 'diagnostics', 'tensor-ir', 'primitives', 'kernel-ir'],
  schedule: ['symbolic', 'diagnostics', 'tensor-ir', 'primitives', 'kernel-ir', 'passes'],
  plan: ['symbolic', 'diagnostics', 'tensor-ir', 'primitives', 'kernel-ir', 'passes', 'schedule'],
  'to-c': ['symbolic', 'diagnostics', 'kernel-ir', 'tensor-ir'],
  // Both print C-like text and share its precedence table.
  'to-metal': ['symbolic', 'diagnostics', 'kernel-ir', 'tensor-ir', 'to-c'],
  bindings: ['diagnostics', 'plan', 'tensor-ir', 'symbolic'],
};

const forbidden = Object.entries(layers).map(([from, allowed]) => ({
  name: `layer-${from}`,
  comment: `compiler/${from} may import ${allowed.length === 0 ? 'no other stage' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^compiler/${from}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^(compiler|runtime|tools|test|samples)/', pathNot: `^compiler/(${[from, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'runtime-without-compiler',
      comment: 'a bundle runs without the compiler: the runtime sees only the plan and symbolic integers',
      severity: 'error',
      from: { path: '^runtime/', pathNot: '\\.test\\.ts$' },
      to: { path: '^compiler/', pathNot: '^compiler/(plan/plan|symbolic/|tensor-ir/dtype|diagnostics/)' },
    },
    {
      name: 'pure-core',
      comment: 'only the driver touches files, clock and console',
      severity: 'error',
      from: { path: '^compiler/', pathNot: '^compiler/driver/|\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circular',
      // Types may refer to each other; so may rules of primitives, which run after loading; and elaborate is one recursive
      // walk over the syntax tree in several files.
      comment: 'no import cycles at run time',
      severity: 'error',
      from: { pathNot: '^compiler/(elaborate/|primitives/|tensor-ir/builder)' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'development-only',
      comment: 'the product does not import development packages',
      severity: 'error',
      from: { path: '^(compiler|runtime|index\\.ts)', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'unresolvable',
      comment: 'every import exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^mlxc' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs'], exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
