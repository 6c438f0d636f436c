/** The member `dma` of map requests: lists that Linux's DMA layer places, for one device or for several that share the domain. */
import * as v from 'valibot';
import {
  DEVICE_PRESETS,
  type DevicePreset,
  type DmaDirection,
  type DmaMapperOptions,
  IOVA_POLICIES,
  type IovaPolicy,
  ODD_LISTS,
} from '../../dma/index.ts';
import { DMA_DIRECTIONS } from '../../dma/prot.ts';
import type { SgEntry, SgRange } from '../../iommu/scatterlist.ts';
import { maybe, members, pair, present, tagged, whole } from '../../json/schemas.ts';
import { inputError } from '../io.ts';
import { address } from './json.ts';

/** One operation of the DMA layer. `device` is an index of the devices, `of` one of the operations. */
export type DmaOperation =
  | {
      readonly op: 'map_sg';
      readonly sg: readonly (SgEntry | SgRange)[];
      readonly direction: DmaDirection;
      readonly attributes: { readonly priv?: true; readonly mmio?: true };
      readonly device: number;
    }
  | {
      readonly op: 'map_single';
      readonly phys: bigint;
      readonly size: bigint;
      readonly direction: DmaDirection;
      readonly attributes: { readonly priv?: true; readonly mmio?: true };
      readonly device: number;
    }
  | { readonly op: 'unmap'; readonly of: number };

/** What the DMA layer is asked for. */
export interface DmaPart {
  readonly policy: IovaPolicy;
  /** First and last IOVA that may be handed out. Default: all of the domain's. */
  readonly aperture: { readonly first: bigint; readonly last: bigint } | undefined;
  readonly devices: readonly DmaMapperOptions[];
  readonly ops: readonly DmaOperation[];
}

const ATTRIBUTES = ['priv', 'mmio'] as const;
const direction = v.picklist(DMA_DIRECTIONS);
const attributes = maybe(v.array(v.picklist(ATTRIBUTES)));
const device = maybe(whole(0, 1e6));

const deviceMembers = {
  preset: maybe(v.picklist(Object.keys(DEVICE_PRESETS) as DevicePreset[])),
  dma_mask: maybe(address),
  limit: maybe(address),
  boundary: maybe(address),
  max_segment: maybe(address),
  low32_first: maybe(v.boolean()),
  coherent: maybe(v.boolean()),
  exact: maybe(v.boolean()),
};
const deviceSchema = members(deviceMembers);
type DeviceJson = v.InferOutput<typeof deviceSchema>;

/** @param entry - the schema of a scatterlist's entry. */
export function dmaSchema<E extends v.GenericSchema<unknown, SgEntry | SgRange>>(entry: E) {
  const sg = v.array(entry);
  return members(
    {
      iova: maybe(v.picklist(IOVA_POLICIES)),
      odd: maybe(v.picklist(ODD_LISTS)),
      aperture: maybe(pair({ first: address, last: address })),
      ...deviceMembers,
      devices: maybe(v.pipe(v.array(deviceSchema), v.minLength(1, 'must hold at least one device'))),
      direction: maybe(direction),
      sg: maybe(sg),
      ops: maybe(
        v.array(
          tagged('op', [
            members({ op: v.literal('map_sg'), sg, direction: maybe(direction), attributes, device }),
            members({
              op: v.literal('map_single'),
              phys: address,
              size: address,
              direction: maybe(direction),
              attributes,
              device,
            }),
            members({ op: v.literal('unmap'), of: whole(0, 1e6) }),
          ]),
        ),
      ),
    },
    ({ sg: list, ops }) =>
      list === undefined && ops === undefined ? 'asks for nothing: it needs sg or ops' : undefined,
  );
}
type DmaJson = v.InferOutput<ReturnType<typeof dmaSchema<v.GenericSchema<unknown, SgEntry | SgRange>>>>;

/** @throws CliError (input) for a device or mapping that is not there. */
export function dmaPart(json: DmaJson, source: string): DmaPart {
  const { iova = 'highest', odd, aperture, devices, direction: usual = 'bidirectional', sg } = json;
  const ops = json.ops ?? [];
  const all = [
    ...ops.map((op) =>
      op.op === 'unmap'
        ? op
        : {
            ...op,
            direction: op.direction ?? usual,
            attributes: flags(op.attributes),
            device: op.device ?? 0,
          },
    ),
    ...(sg === undefined ? [] : [{ op: 'map_sg' as const, sg, direction: usual, attributes: {}, device: 0 }]),
  ];
  const count = devices?.length ?? 1;
  for (const [i, op] of all.entries()) {
    if (op.op !== 'unmap' && op.device >= count) {
      throw inputError(`${source}: dma.ops[${i}].device: there is no device ${op.device}`);
    }
    if (op.op === 'unmap' && (op.of >= i || all[op.of]!.op === 'unmap')) {
      throw inputError(`${source}: dma.ops[${i}].of must be the index of an operation before it that maps`);
    }
  }
  return {
    policy: iova,
    aperture,
    devices: (devices ?? [{}]).map((one) => ({
      ...optionsOf({ ...json, ...present(one) }),
      ...present({ odd }),
    })),
    ops: all,
  };
}

/** A device's members go before those that stand beside `devices`. */
function optionsOf(json: DeviceJson): DmaMapperOptions {
  return present({
    preset: json.preset,
    dmaMask: json.dma_mask,
    limit: json.limit,
    segmentBoundary: json.boundary,
    maxSegmentSize: json.max_segment,
    low32First: json.low32_first,
    coherent: json.coherent,
    exact: json.exact,
  });
}

function flags(names: readonly (typeof ATTRIBUTES)[number][] = []): { priv?: true; mmio?: true } {
  return Object.fromEntries(names.map((name) => [name, true]));
}
