/** The JSON files that people write by hand: each with the schema that reads it, which is where its JSON Schema comes from. */
import type * as v from 'valibot';
import { traceSchema } from '../src/cli/input/bbm-file.ts';
import { registerFileSchema } from '../src/cli/input/registers.ts';
import { requestSchema } from '../src/cli/input/request.ts';
import { scatterlistsSchema } from '../src/cli/input/scatterlists-file.ts';
import { addressesSchema } from '../src/cli/input/tlb-trace-file.ts';
import { dmaFileSchema } from '../src/golden/dma-schema.ts';
import { imageSchema } from '../src/golden/image-schema.ts';
import { creationSchema, opsFileSchema } from '../src/golden/schema.ts';
import { hitlessSchema } from '../src/trace/hitless.ts';
import { mutationsSchema } from '../src/trace/mutations.ts';
import { traceSchema as smmuTraceSchema } from '../src/trace/schema.ts';
import { intentSchema } from '../src/verify/json.ts';

/** A kind of file. */
export interface Kind {
  /** Its schema is `schemas/<name>.schema.json`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly schema: v.GenericSchema;
}

export const FILES: readonly Kind[] = [
  {
    name: 'map-request',
    title: 'Map request',
    description:
      'What lpae map carries out: a format, its configuration, and operations. See docs/map-requests.md.',
    schema: requestSchema,
  },
  {
    name: 'golden-ops',
    title: 'Golden file of kind ops',
    description:
      'Operations, and the tables, registers and return values they must give. See docs/golden-files.md.',
    schema: opsFileSchema,
  },
  {
    name: 'golden-image',
    title: 'Golden file of kind image',
    description: 'Registers, memory, and what a machine answered to probes. See docs/golden-files.md.',
    schema: imageSchema,
  },
  {
    name: 'golden-dma',
    title: 'Golden file of the DMA layer (pgtable-dma/1)',
    description: "What Linux's DMA layer over an IOMMU answered. See docs/golden-files.md.",
    schema: dmaFileSchema,
  },
  {
    name: 'golden-creation',
    title: 'Golden list of table creations',
    description: 'Configurations, and whether a format accepts them. See docs/golden-files.md.',
    schema: creationSchema,
  },
  {
    name: 'register-file',
    title: 'Register file',
    description: 'Register values for --registers. See docs/register-files.md.',
    schema: registerFileSchema,
  },
  {
    name: 'intent',
    title: 'Intention (lpae.intent/1)',
    description: 'What tables are meant to map, for lpae verify. See docs/check-your-tables.md.',
    schema: intentSchema,
  },
  {
    name: 'bbm-trace',
    title: 'Trace of writes (lpae.trace/1)',
    description: 'Writes, invalidations and barriers that lpae bbm judges. See docs/traces.md.',
    schema: traceSchema,
  },
  {
    name: 'smmu-trace',
    title: 'Trace of an SMMUv3 driver (pgtable-trace/1)',
    description:
      'Writes, registers, barriers and transactions from reset on, and what each may answer. See docs/smmu-traces.md.',
    schema: smmuTraceSchema,
  },
  {
    name: 'smmu-trace-mutations',
    title: 'Mutations of a trace (pgtable-trace-mutations/1)',
    description:
      'Traces with one command wrong, and the accesses that are open then. See docs/smmu-traces.md.',
    schema: mutationsSchema,
  },
  {
    name: 'smmu-hitless',
    title: 'Changes of STEs and CDs in use (pgtable-hitless/1)',
    description: 'How a driver changes an STE or CD word by word. See docs/smmu-traces.md.',
    schema: hitlessSchema,
  },
  {
    name: 'access-trace',
    title: 'Access trace',
    description: 'Addresses that lpae tlb runs through TLBs. See docs/traces.md.',
    schema: addressesSchema,
  },
  {
    name: 'scatterlists',
    title: 'Scatterlists (pgtable-scatterlists/1)',
    description:
      'Scatterlists that drivers mapped, for lpae replay, compare and tlb. See docs/scatterlists.md.',
    schema: scatterlistsSchema,
  },
];
