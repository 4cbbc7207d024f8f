/** plan.json holds a plan for each target that the bundle was built for: picks the one of a device. */
import { planVersion } from '../compiler/plan/plan.ts';
import { MlxcError } from './errors.ts';
import { rebuild } from './sizes.ts';

/**
 * The plan for this target or device, still to be checked by `validatePlan`; devices that are no target (`interp`) take any. A
 * plan on its own, without targets around it, is taken as it is. Errors: MLX5102 (no plan inside), MLX5103 (another version),
 * MLX5117 (built for other targets only).
 */
export function selectPlan(value: unknown, device: string): unknown {
  if (typeof value !== 'object' || value === null || !('plans' in value)) return value;
  const { version, plans } = value as { version?: unknown; plans: unknown };
  if (version !== planVersion) {
    const found = JSON.stringify(version)?.slice(0, 40);
    throw new MlxcError(
      'MLX5103',
      `the bundle has plan version ${found}, this mlxc reads version ${planVersion}`,
      rebuild,
    );
  }
  if (typeof plans !== 'object' || plans === null) {
    throw new MlxcError('MLX5102', 'plan.json is damaged: plans is no object', rebuild);
  }
  if (Object.hasOwn(plans, device)) return (plans as Record<string, unknown>)[device];
  const [first] = Object.values(plans);
  if (device !== 'cpu' && device !== 'metal' && first !== undefined) return first;
  const targets = Object.keys(plans).join(', ').slice(0, 40) || 'nothing';
  throw new MlxcError(
    'MLX5117',
    `the bundle was built for ${targets}, not for ${device}`,
    `build it again with --target ${device} or --target all`,
  );
}
