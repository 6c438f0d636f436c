/** The claims of a golden image's rows: how many there are, and which can't be compared with an answer. (DDI 0487 D24.2.142; IHI 0070 7.3.) */
import type { Answer } from '../machine/machine.ts';
import type { Expectation } from './image-file.ts';

/** The number of members that an answer is compared with. */
export function claimCount({ fault, ...claims }: Expectation): number {
  return Object.keys(claims).length + Object.keys(fault ?? {}).length;
}

/** Claims that say nothing about this answer. */
export function claimNotes({ ns, fault, ipa }: Expectation, got: Answer): string[] {
  if (got.ok) {
    const unknown = ns !== undefined && got.security === 'non-secure';
    return unknown ? ['ns: PAR_EL1.NS is UNKNOWN in Non-secure state (D24.2.142)'] : [];
  }
  const { stage, level } = fault ?? {};
  const ofWalk = 'level' in got.fault;
  return [
    ...(!ofWalk && stage !== undefined ? ['stage: the fault of a configuration has none'] : []),
    ...(!ofWalk && level !== undefined ? ['level: the fault of a configuration has none'] : []),
    ...(fault?.ipa !== undefined || ipa !== undefined ? [IPA_NOTE] : []),
  ];
}

const IPA_NOTE = 'ipa of a fault: its page is compared, as HPFAR_EL2 reports it';
