/** Carries out the DMA part of a map request: a mapper for each device, all with one allocator. */
import { allocatorFor, apertureOf } from '../../dma/aperture.ts';
import { DmaMapper, type DmaMapping } from '../../dma/index.ts';
import { type IommuDomain, IommuError, Scatterlist } from '../../index.ts';
import type { DmaOperation, DmaPart } from '../input/dma-request.ts';

/** The outcome of one operation: what was mapped, the bytes unmapped, or why not. */
export interface DmaOutcome {
  readonly op: DmaOperation;
  readonly mapping?: DmaMapping;
  readonly unmapped?: bigint;
  readonly error?: IommuError;
}

/** @throws IommuError EINVAL for an aperture or a device that can't be. */
export function performDma(domain: IommuDomain, part: DmaPart, cpuPageSize: bigint): DmaOutcome[] {
  const { base, limit, granule } = apertureOf(domain);
  const { first = base, last = limit } = part.aperture ?? {};
  const aperture = { base: first === 0n ? base : first, limit: last, granule };
  const allocator = allocatorFor(part.policy, aperture, domain.reserved);
  const devices = part.devices.map((options) => new DmaMapper(domain, { ...options, allocator }));
  const live = new Map<number, { readonly device: DmaMapper; readonly mapping: DmaMapping }>();
  return part.ops.map((op, index) => {
    try {
      if (op.op === 'unmap') return { op, unmapped: unmap(live, op.of) };
      const device = devices[op.device]!;
      const request = { direction: op.direction, attributes: op.attributes };
      const mapping =
        op.op === 'map_single'
          ? device.mapSingle(op.phys, op.size, request)
          : device.mapSg(Scatterlist.from(op.sg, { cpuPageSize: Number(cpuPageSize) }), request);
      live.set(index, { device, mapping });
      return { op, mapping };
    } catch (error) {
      if (!(error instanceof IommuError)) throw error;
      return { op, error };
    }
  });
}

function unmap(
  live: Map<number, { readonly device: DmaMapper; readonly mapping: DmaMapping }>,
  of: number,
): bigint {
  const made = live.get(of);
  if (made === undefined) {
    throw new IommuError('EINVAL', `operation ${of} mapped nothing, or is unmapped already`);
  }
  live.delete(of);
  return made.device.unmapSg(made.mapping);
}
