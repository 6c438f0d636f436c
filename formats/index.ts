/**
 * Every format, by Linux's name: what `lpae/formats` exports. A new format is one module and one line here.
 *
 * @example
 * import { formatNamed, formats } from 'lpae/formats';
 *
 * console.log(formats.map(({ name }) => name).slice(0, 2)); // [ 'arm_64_lpae_s1', 'arm_64_lpae_s2' ]
 * const table = formatNamed('arm_64_lpae_s1')!.configure({ pgsizeBitmap: 0x4020_1000n, ias: 39, oas: 48 });
 * console.log(table.levels.map(({ level }) => level), table.rootBytes); // [ 1, 2, 3 ] 4096
 * const { regime, registers } = table.registers(0x8000_0000n).hardware;
 * console.log(regime, registers.tcr?.toString(16)); // el1&0 500803519
 */
import type { FormatModule } from '../src/pagetable/format.ts';
import { arm32LpaeS1 } from './arm-32-lpae-s1.ts';
import { arm32LpaeS2 } from './arm-32-lpae-s2.ts';
import { arm64LpaeS1 } from './arm-64-lpae-s1.ts';
import { arm64LpaeS2 } from './arm-64-lpae-s2.ts';
import { armMaliLpae } from './arm-mali-lpae.ts';
import { armV7s } from './arm-v7s.ts';
import { riscv64 } from './riscv-sv.ts';

export type {
  DirectCodec,
  EntryCodec,
  EntryKind,
  EntryShape,
  FormatModule,
  FormatRequest,
  Halves,
  LeafBits,
  LeafSize,
  Level,
  ProtExtra,
  TableFormat,
  TrackingCodec,
} from '../src/pagetable/format.ts';
export { arm32LpaeS1, arm32LpaeS2, arm64LpaeS1, arm64LpaeS2, armMaliLpae, armV7s, riscv64 };

/** All formats, in the order in which they are listed. */
export const formats: readonly FormatModule[] = [
  arm64LpaeS1,
  arm64LpaeS2,
  arm32LpaeS1,
  arm32LpaeS2,
  armMaliLpae,
  armV7s,
  riscv64,
];

/** The format of that name (Linux's, in lower case: `arm_64_lpae_s1`), or undefined if no format has that name. */
export function formatNamed(name: string): FormatModule | undefined {
  return formats.find((format) => format.name === name);
}
