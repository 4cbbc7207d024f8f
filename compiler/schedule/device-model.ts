/** What schedules know of a machine, as data. */

/** A CPU as the contraction schedule sees it: the register block of its micro-kernel and blocks sized to its caches. */
export interface CpuModel {
  readonly name: string;
  /** Rows and columns of c that live in registers. Columns are a multiple of the vector width. */
  readonly rows: number;
  readonly columns: number;
  /** Depth of packed panels: columns*depth floats stay in the first-level cache. */
  readonly depthBlock: number;
  /** Most rows and columns of one task: its tile and panels stay in the second-level cache. */
  readonly rowBlock: number;
  readonly columnBlock: number;
}

export const cpuModels: Readonly<Record<'avx512' | 'avx2' | 'neon', CpuModel>> = {
  avx512: {
    name: 'avx512',
    rows: 14,
    columns: 32,
    depthBlock: 256,
    rowBlock: 532,
    columnBlock: 512,
  },
  avx2: { name: 'avx2', rows: 6, columns: 16, depthBlock: 256, rowBlock: 192, columnBlock: 384 },
  neon: { name: 'neon', rows: 8, columns: 12, depthBlock: 256, rowBlock: 192, columnBlock: 384 },
};
