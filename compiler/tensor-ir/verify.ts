/**
 * The invariants of the tensor IR. A failure is a bug of a pass: InternalError names the function and the operation, and its
 * details hold the text of the function.
 *
 * - each value is defined once, before it is read, and read only in the function that defines it (regions are closed);
 * - result types are those that `inferType` gives;
 * - a plain program has no operation that transforms remove;
 * - an entry's parameters and results are the leaves of its signature, and its dims are all that occur.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { isSameType, showType } from '../primitives/checks.ts';
import { forEachVariable } from '../symbolic/integer.ts';
import { printFunction, printOperation } from './print.ts';
import type {
  Entry,
  Func,
  LeafType,
  Operation,
  Program,
  Stage,
  TensorType,
  Tree,
  Value,
} from './program.ts';

/** Throws InternalError when the program breaks an invariant of its stage. */
export function verifyProgram(program: Program): void {
  for (const entry of program.entries) verifyEntry(entry, program.stage);
}

/** Throws InternalError when the function breaks an invariant of the stage. */
export function verifyFunction(func: Func, stage: Stage): void {
  verifyBody(func, stage, func);
}

function verifyEntry(entry: Entry, stage: Stage): void {
  verifyFunction(entry.func, stage);
  const dims = new Set(entry.dims);
  const fail = (message: string): never => {
    throw new InternalError(`entry ${entry.name}: ${message}`, printFunction(entry.func));
  };
  verifyLeaves(
    'parameters',
    entry.parameters.flatMap((p) => leavesOf(p.tree)),
    entry.func.parameters,
    fail,
  );
  verifyLeaves('results', leavesOf(entry.result), entry.func.results, fail);
  for (const value of [...entry.func.parameters, ...entry.func.results]) {
    for (const size of value.type.shape) {
      forEachVariable(size, (variable) => {
        if (!dims.has(variable.name)) fail(`dim ${variable.name} is not in its list of dims`);
      });
    }
  }
}

function leavesOf(tree: Tree<LeafType>): readonly TensorType[] {
  switch (tree.kind) {
    case 'leaf':
      return [tree.leaf.type];
    case 'struct':
      return tree.fields.flatMap((field) => leavesOf(field.tree));
    case 'tuple':
    case 'array':
      return tree.items.flatMap(leavesOf);
  }
}

function verifyLeaves(
  what: string,
  leaves: readonly TensorType[],
  values: readonly Value[],
  fail: (message: string) => never,
): void {
  if (leaves.length !== values.length) {
    fail(`${what}: ${leaves.length} leaves in the signature, ${values.length} in the function`);
  }
  leaves.forEach((leaf, i) => {
    const type = values[i]!.type;
    if (!isSameType(leaf, type)) {
      fail(
        `${what}: leaf ${i} is ${showType(leaf)} in the signature, ${showType(type)} in the function`,
      );
    }
  });
}

/** `root` is the outermost function around `func`: the one that messages show. */
function verifyBody(func: Func, stage: Stage, root: Func): void {
  const visible = new Set<Value>();
  const define = (value: Value, fail: (message: string) => never): void => {
    if (visible.has(value)) fail('a value is defined twice');
    visible.add(value);
  };
  const failHere = (message: string): never => {
    throw new InternalError(`${func.name}: ${message}`, printFunction(root));
  };
  for (const parameter of func.parameters) define(parameter, failHere);
  for (const op of func.body) {
    const fail = (message: string): never => {
      const text = printOperation(root, op);
      throw new InternalError(`${func.name}: ${message}, in \`${text}\``, printFunction(root));
    };
    for (const operand of op.operands) {
      if (!visible.has(operand))
        fail('it reads a value that is not defined before it in its function');
    }
    if (stage === 'plain' && op.primitive.lower.kind === 'removed') {
      fail(`${op.primitive.name} should have been removed by ${op.primitive.lower.by}`);
    }
    for (const region of op.regions) verifyBody(region, stage, root);
    verifyTypes(op, fail);
    for (const result of op.results) define(result, fail);
  }
  for (const result of func.results) {
    if (!visible.has(result)) failHere('a result is not defined in the function');
  }
}

function verifyTypes(op: Operation, fail: (message: string) => never): void {
  const inferred = inferTypes(op, fail);
  if (inferred.length !== op.results.length) {
    fail(`it has ${op.results.length} results, but inferType gives ${inferred.length}`);
  }
  inferred.forEach((type, i) => {
    const stated = op.results[i]!.type;
    if (!isSameType(type, stated)) {
      fail(`result ${i} is ${showType(stated)}, but inferType gives ${showType(type)}`);
    }
  });
}

function inferTypes(op: Operation, fail: (message: string) => never): readonly TensorType[] {
  try {
    return op.primitive.inferType(
      op.operands.map((x) => x.type),
      op.attrs,
      op.regions,
    );
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}
