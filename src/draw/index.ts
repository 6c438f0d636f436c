/**
 * Pictures: SVGs that load nothing and stand in light and dark pages, and the same in a terminal of 80 columns.
 *
 * Each SVG is a string, standalone and fit to be put into HTML as it is; several may stand in one page.
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
