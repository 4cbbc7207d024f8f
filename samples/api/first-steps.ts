/** The importable API in a few lines; README.md quotes it. */
import { compile, load, tensor } from 'mlxc';

const source = `
struct Line { slope: f32, offset: f32 }

fn predict(m: Line, x: f32[N]) -> f32[N] { m.slope * x + m.offset }

fn loss(m: Line, x: f32[N], y: f32[N]) -> f32 { mean((predict(m, x) - y) ** 2) }

/// One step of gradient descent, and the loss before it.
export fn step(m: Line, x: f32[N], y: f32[N]) -> (Line, f32) {
  let (l, g) = value_and_grad(loss)(m, x, y);
  (m - 0.1 * g, l)
}
`;

const result = compile(source);
if (!result.ok) throw new Error(result.diagnostics.map((d) => d.message).join('\n'));

const { functions } = await load<typeof import('./line.d.ts')>(result.bundle);
const x = tensor([-1, 0, 1, 2]); // f32[4]
const y = Float32Array.of(-1, 1, 3, 5); // typed arrays are used as they are, not copied
let line = { slope: tensor(0), offset: tensor(0) };
let loss = tensor(Number.POSITIVE_INFINITY);
for (let i = 0; i < 100; i++) [line, loss] = functions.step(line, x, y);

console.log(`${line.slope.item()} x + ${line.offset.item()}, loss ${loss.item()}`);
await result.bundle.write('build/line.mlxbundle'); // plan.json, kernels.c, kernels.metal, index.d.ts, ...
