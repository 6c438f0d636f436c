/** Faults in the words of hypervisors: Xen's own aborts, Jailhouse, Hafnium. Registers that they name are found like any others. */
import { ABORT_CLASSES } from '../../../arch/registers/fault.ts';
import { hex } from '../../../text/numbers.ts';
import { accessNamed, type Form, numberOf } from '../forms.ts';
import { decodeEsr } from '../from-esr.ts';
import { esrOf } from './syndrome-parts.ts';

/** MM_MODE_R, W and X of Hafnium. */
const HAFNIUM_MODES: Readonly<Record<string, string>> = { '1': 'read', '2': 'write', '4': 'execute' };

export const HYPERVISOR_FORMS: readonly Form[] = [
  {
    // Bao: an access of a guest that nobody emulates.
    source: 'text',
    pattern: /\bno emulation handler for abort ?\(0x(?<ipa>[0-9a-f]{1,16}) at 0x(?<pc>[0-9a-f]{1,16})\)/i,
    read: ({ ipa, pc }) => ({
      kind: 'unknown',
      name: 'access without emulation',
      stage: 2,
      ipa: numberOf(ipa!),
      el: 2,
      notes: [`the guest's PC is 0x${pc!}`],
    }),
  },
  {
    // Xen on arm64, at EL2: only ISS is printed.
    source: 'esr',
    pattern: /\b(?<what>Data|Instruction) Abort Trap\. Syndrome=0x(?<iss>[0-9a-f]{1,7})\b/i,
    read: ({ what, iss }) => {
      const ec = what!.toLowerCase() === 'data' ? ABORT_CLASSES.data : ABORT_CLASSES.instruction;
      return { ...decodeEsr(esrOf(ec, numberOf(iss!)), { el: 2 }), ...fromIss(iss!) };
    },
  },
  {
    // Jailhouse: class, IL and ISS separately.
    source: 'esr',
    pattern: /\besr: (?<ec>[0-9a-f]{2}) (?<il>[01]) (?<iss>[0-9a-f]{7})\b/i,
    read: ({ ec, il, iss }) => decodeEsr(esrOf(Number(numberOf(ec!)), numberOf(iss!), il === '1'), { el: 2 }),
  },
  {
    source: 'text',
    pattern:
      /\bStage-(?<stage>[12]) page fault: pc=0x[0-9a-f]{1,16}, vmid=(?<vm>[0-9a-fx]{1,6}), vcpu=\d+, vaddr=0x(?<at>[0-9a-f]{1,16}), ipaddr=0x(?<ipa>[0-9a-f]{1,16}), mode=0x(?<mode>[0-9a-f]{1,4})/i,
    read: ({ stage, vm, ipa, mode }) => ({
      kind: 'unknown',
      name: `stage-${stage} page fault`,
      stage: stage === '1' ? 1 : 2,
      ipa: numberOf(ipa!),
      access: accessNamed(HAFNIUM_MODES[mode!]),
      el: 2,
      notes: [
        `it was in VM ${vm}`,
        'Hafnium does not say the kind: a translation fault or a permission fault',
        ...(HAFNIUM_MODES[mode!] === undefined
          ? [`mode ${hex(numberOf(mode!))} means several kinds of access`]
          : []),
      ],
    }),
  },
];

const fromIss = (iss: string) => ({
  notes: [`Xen prints only the ISS, 0x${iss}; the class is that of an abort taken from EL2 itself`],
});
