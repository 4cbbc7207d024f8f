/** A case as a folder that run.py reads (see case-folder.ts). */
import { join } from 'node:path';
import { compile } from '../../compiler/driver/compile.ts';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { nodeHost, packageRoot } from '../../compiler/driver/node-host.ts';
import { load } from '../../runtime/load.ts';
import { exportCall, plannedFunction } from './call.ts';
import type { GpuCase } from './cases.ts';

export async function exportCase(gpuCase: GpuCase, folder: string): Promise<void> {
  const { file, entry, reference } = gpuCase;
  const isSymbolic = gpuCase.isSymbolic === true;
  const result = compile(
    gpuCase.text === undefined
      ? { path: join(packageRoot(), file) }
      : { name: file, text: gpuCase.text },
    {
      host: nodeHost(),
      targets: reference === 'cpu' ? ['cpu', 'metal'] : ['metal'],
      entries: [entry],
      ...(isSymbolic ? {} : { dims: gpuCase.dims }),
    },
  );
  if (!result.ok) throw new Error(`${file}: ${result.diagnostics[0]?.message}`);
  const { bundle } = result;
  const plan = bundle.plan.plans.metal!;
  const planned = plannedFunction(plan, entry, file);
  const device = reference === 'cpu' ? {} : { device: interpreterDevice(bundle.program) };
  const module = await load(bundle, device);
  const { metal, constants } = bundle;
  const own = bundle.program.entries.find(({ name }) => name === entry);
  exportCall(
    {
      ...{ plan, planned, metal, constants, reference: module },
      entry: reference === 'cpu' ? undefined : own,
    },
    gpuCase,
    gpuCase.dims,
    new Map((gpuCase.leaves?.() ?? []).entries()),
    folder,
  );
}
