/**
 * Lines of SMMU drivers without fault registers: arm-smmu before it printed FSR, global errors and Command queue errors of
 * arm-smmu-v3, messages of QEMU's SMMUv3. (IHI 0062, IHI 0070 6.3.19, 6.3.28, 7.1.)
 */
import { fieldsOf } from '../../../arch/field.ts';
import { isSet, maskOf, read } from '../../../arch/read.ts';
import {
  COMMANDS,
  commandWithOpcode,
  OPCODE,
  SMMU_CMDQ_CONS,
  SMMU_FSYNR0,
  SMMU_GERROR,
} from '../../../arch/smmu/index.ts';
import { hex } from '../../../text/numbers.ts';
import { eventNamed } from '../../events.ts';
import { registerOf } from '../../register.ts';
import type { DecodedFault } from '../decoded-fault.ts';
import { type Form, type More, numberOf } from '../forms.ts';
import { busAccess, eventKind } from '../from-smmu.ts';

const QEMU_EVENT = /^(?:SMMU_EVT_)?([CEF]_[A-Z_]+)$/;

/** QEMU's names that differ from the manual's. */
const QEMU_NAMES: Readonly<Record<string, string>> = {
  F_ADDR_SIZE: 'F_ADDR_SIZE',
  F_WALK_EABT: 'F_WALK_EABT',
  F_TRANS_FORBIDDEN: 'F_TRANSL_FORBIDDEN',
  C_BAD_SSID: 'C_BAD_SUBSTREAMID',
};

export const SMMU_FORMS: readonly Form[] = [
  {
    // Before Linux 3.17 or so, and later if FSR is left out.
    source: 'smmuv2',
    pattern:
      /\bUnhandled context fault: iova=0x(?<at>[0-9a-f]{1,16}), fsynr=0x(?<fsynr>[0-9a-f]{1,8}), cb=(?<bank>\d{1,3})\b/i,
    read: ({ fsynr, bank }) => {
      const value = numberOf(fsynr!);
      const { PLVL, PNU } = SMMU_FSYNR0.fields;
      return {
        kind: 'unknown',
        name: 'context fault',
        level: read(value, PLVL),
        access: busAccess(value, SMMU_FSYNR0.fields),
        privileged: isSet(value, PNU),
        contextBank: Number(bank),
        registers: [{ layout: registerOf(SMMU_FSYNR0), value }],
        notes: ['the line has no FSR, so the kind is not known'],
      };
    },
  },
  {
    source: 'smmuv3-global',
    pattern: /\bunexpected (?:secure )?global error reported \((?<value>0x[0-9a-f]{1,8})\)/i,
    read: ({ value }) => {
      const word = numberOf(value!);
      const active = fieldsOf(SMMU_GERROR).filter((field) => isSet(word, field));
      return {
        kind: 'other',
        name: active.map(({ name }) => name).join(' ') || 'SMMU_GERROR 0',
        registers: [{ layout: registerOf(SMMU_GERROR), value: word }],
        notes: active.map(({ name, meaning }) => `${name}: ${meaning}`),
      };
    },
  },
  {
    source: 'smmuv3-global',
    pattern: /\bCMDQ error \(cons (?<value>0x[0-9a-f]{1,8})\)/i,
    read: ({ value }) => commandError(numberOf(value!)),
  },
  {
    // QEMU: smmuv3-iommu-memory-region-0-0 translation failed for iova=0x…(SMMU_EVT_C_BAD_STE)
    source: 'smmuv3',
    pattern: /\btranslation failed for iova=0x(?<at>[0-9a-f]{1,16})\s?\((?<event>[A-Z_]{3,40})\)/,
    read: ({ event }) => {
      const said = QEMU_EVENT.exec(event!)?.[1];
      const known = said === undefined ? undefined : eventNamed(QEMU_NAMES[said] ?? said);
      if (known === undefined) return undefined;
      return { kind: eventKind(known.name, known.kind), name: known.name, notes: ['reported by QEMU'] };
    },
  },
];

/** A note for each reason why the Command queue stops. */
const REASONS: Readonly<Record<number, string>> = {
  1: 'the command at the index is illegal: its opcode, a field, or a feature that this SMMU lacks',
  2: 'the fetch of the command was aborted: there is no RAM at the base of the queue, or the memory is protected',
  3: 'a device does not answer ATS invalidations: its link is down, it is in reset or powered off, or it hangs',
};

function commandError(word: bigint) {
  const { ERR, RD } = SMMU_CMDQ_CONS.fields;
  const reason = read(word, ERR);
  const hint = REASONS[reason];
  return {
    kind: 'other',
    name: ERR.values?.[reason] ?? `CMDQ error ${hex(reason)}`,
    registers: [{ layout: registerOf(SMMU_CMDQ_CONS), value: word }],
    notes: [`the Command queue stopped at RD ${hex(read(word, RD))}`],
    hints: hint === undefined ? [] : [hint],
  } as const;
}

export const SMMU_MORE: readonly More[] = [
  {
    // The global error and the reason below it are one report.
    of: (last) => last.source === 'smmuv3-global' && waitsForReason(last),
    pattern: /\bCMDQ error \(cons (?<value>0x[0-9a-f]{1,8})\)/i,
    add: (last, { value }) => {
      const error = commandError(numberOf(value!));
      const others = last.name.split(' ').filter((name) => name !== SMMU_GERROR.fields.CMDQ_ERR.name);
      return {
        ...last,
        ...error,
        name: [error.name, ...others].join(' '),
        registers: [...last.registers, ...error.registers],
        notes: [...last.notes, ...error.notes],
      };
    },
  },
  {
    // `skipping command in error state:`, and below it the command, one word a line. The opcode is in the first.
    of: ({ source, registers, command }) =>
      source === 'smmuv3-global' &&
      command === undefined &&
      registers.some(({ layout }) => layout.name === SMMU_CMDQ_CONS.name),
    pattern: /^(?!.*\bcons\b).*?(?:^|smmu[^=]{0,80}?:|state:)\s*0x(?<word>[0-9a-f]{16})\s*$/i,
    add: (last, { word }) => {
      const opcode = Number(numberOf(word!) & OPCODE_MASK);
      const name = commandWithOpcode(opcode);
      const known = name === undefined ? undefined : `CMD_${name}`;
      return {
        ...last,
        command: known ?? hex(opcode, 2),
        notes: [
          ...last.notes,
          `the command was ${hex(opcode, 2)}: ${known === undefined ? 'no command has this opcode' : `${known}, which ${COMMANDS[name!].title}`}`,
        ],
      };
    },
  },
];

const OPCODE_MASK = maskOf(OPCODE);

/** Whether CMDQ_ERR is one of the errors, and its reason is not known yet. */
function waitsForReason({ name, registers }: DecodedFault): boolean {
  return (
    name.split(' ').includes(SMMU_GERROR.fields.CMDQ_ERR.name) &&
    !registers.some(({ layout }) => layout.name === SMMU_CMDQ_CONS.name)
  );
}
