/** The topics for faults and SMMUv3 events: the codes that report each, its causes, and what to check. */
import { wordOf } from '../arch/read.ts';
import { PAR_FAULT } from '../arch/registers/par.ts';
import { bitRange, type Field } from '../descriptor/index.ts';
import { hex } from '../text/numbers.ts';
import { EVENTS, type EventInfo } from './events.ts';
import { FAULT_KINDS } from './fault-kinds.ts';
import { FSR_FAULTS } from './faults/from-smmu.ts';
import { codesOf, type StatusCode, type StatusKind } from './status.ts';
import type { Topic, TopicCode, TopicField } from './topic.ts';

/** The FSR bit of an SMMUv2 that reports a kind. EF is for both walks and accesses. */
function fsrBit(kind: StatusKind): string | undefined {
  const [field] =
    FSR_FAULTS.find(([, known]) => known === (kind === 'external' ? 'external_walk' : kind)) ?? [];
  if (field === undefined) return undefined;
  return `${field.name}, bit ${field.low}${kind === 'external_walk' ? ', with FSYNR0.PTWF' : ''}`;
}

/** The value of PAR_EL1 for a stage-1 fault. */
const parOf = (code: number) => hex(wordOf(PAR_FAULT, { LPAE: true, FST: code, F: true }));
const levelText = ({ level }: StatusCode) => (level === undefined ? '' : `, level ${level}`);

function codesOfKind(kind: StatusKind): TopicCode[] {
  const event = EVENTS.find((one) => one.kind === kind);
  const fsr = fsrBit(kind);
  return [
    ...codesOf(kind, 'long').map((status) => ({
      where: `DFSC, IFSC, FST${levelText(status)}`,
      code: `${hex(status.code, 2)}${status.level === undefined ? '' : `  (PAR_EL1 ${parOf(status.code)})`}`,
    })),
    ...codesOf(kind, 'short').map((status) => ({
      where: `DFSR.FS of short descriptors${levelText(status)}`,
      code: hex(status.code, 2),
    })),
    ...(event === undefined
      ? []
      : [{ where: 'SMMUv3 event', code: `${hex(event.number, 2)} ${event.name}` }]),
    ...(fsr === undefined ? [] : [{ where: 'SMMUv2 FSR', code: fsr }]),
  ];
}

export function faultTopics(): Topic[] {
  return (Object.keys(FAULT_KINDS) as StatusKind[]).map((kind) => {
    const { title, aliases, meaning, causes, checks } = FAULT_KINDS[kind];
    return {
      name: title,
      group: 'fault',
      aliases: [kind, ...aliases],
      summary: meaning,
      reference: 'DDI 0487 D24.2.45',
      codes: codesOfKind(kind),
      causes,
      checks,
    };
  });
}

export function fieldOf({ name, meaning, values, ...field }: Field): TopicField {
  return { bits: bitRange(field), name, meaning, ...(values !== undefined && { values }) };
}

export function eventTopic(event: EventInfo): Topic {
  const { number, name, meaning, record, kind } = event;
  const info = kind === undefined ? undefined : FAULT_KINDS[kind];
  return {
    name,
    group: 'SMMUv3 event',
    aliases: [hex(number, 2), hex(number), `event ${hex(number, 2)}`, `event ${hex(number)}`],
    summary: `Event ${hex(number, 2)}. ${meaning}`,
    reference: record.reference,
    fields: record.fields.map(fieldOf),
    causes: [...(info?.causes ?? []), ...event.causes],
    checks: [...(info?.checks ?? []), ...event.checks],
    ...(info !== undefined && { see: [info.title] }),
  };
}

export function eventTopics(): Topic[] {
  return EVENTS.map(eventTopic);
}
