/**
 * Pictures: SVGs that load nothing and suit light and dark pages, and the same in a terminal of 80 columns.
 *
 * Each SVG is a standalone string that can also be put into HTML as it is. One page can hold several.
 *
 * @example
 * import { IommuDomain, PhysicalMemory } from 'lpae';
 * import { addressSpaceText, icicle, iciclePanels, makeStyle } from 'lpae/draw';
 * import { arm64LpaeS1 } from 'lpae/formats';
 * import { listSpace, treeOfTarget } from 'lpae/space';
 * import { createWalker } from 'lpae/walker';
 *
 * const memory = new PhysicalMemory({ base: 0x8000_0000n, size: 1n << 30n });
 * const domain = new IommuDomain(memory, arm64LpaeS1, { pgsizeBitmap: 0x4020_1000n, ias: 48, oas: 48 });
 * const walker = createWalker(memory, domain.registers.hardware);
 * domain.map(0x20_0000n, 0x9000_0000n, 0x20_0000n, { read: true, write: true });
 * const lines = addressSpaceText(listSpace(walker), walker.regime, makeStyle(false));
 * console.log(lines.find((line) => line.includes('0x90000000'))?.trim()); // 0x000000200000  ████  2M  rw- rwx NC  -> 0x90000000
 * const svg = icicle(iciclePanels(treeOfTarget(walker).tree(), walker));
 * console.log(svg.startsWith('<svg ')); // true
 */
export { makeStyle, type Style } from '../text/style.ts';
export { addressSpace, type SpaceOptions } from './address-space.ts';
export { type DescriptorOptions, descriptor } from './descriptor.ts';
export { type IcicleOptions, icicle } from './icicle.ts';
export type { IcicleScale } from './icicle-layout.ts';
export { type IcicleTextOptions, icicleText } from './icicle-text.ts';
export { type IciclePanel, iciclePanels } from './icicle-tree.ts';
export type { DrawnSpace } from './space-rows.ts';
export { addressSpaceText } from './space-text.ts';
