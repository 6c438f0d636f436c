/** Reports: a register that reports a fault, with the values that belong to it in a text, and how they are decoded. */
import { fieldsOf, type WordLayout } from '../../arch/field.ts';
import { isSet, maskOf } from '../../arch/read.ts';
import { DFSR_LONG, DFSR_SHORT } from '../../arch/registers/fault-aarch32.ts';
import { PAR_FAULT } from '../../arch/registers/par.ts';
import { SMMU_FSR } from '../../arch/smmu/index.ts';
import type { DecodedFault } from './decoded-fault.ts';
import { decodeDfsr, decodeEsr, decodeIfsr, decodePar } from './from-cpu.ts';
import { decodeContextFault, decodeGlobalFault } from './from-smmu.ts';
import type { DetailKey, PrimaryKey } from './patterns.ts';
import { kindInWords } from './sources/words.ts';

/** A primary register, and the values that go with it. */
export interface Report {
  readonly key: PrimaryKey;
  readonly value: bigint;
  readonly el: number | undefined;
  readonly details: Map<DetailKey, bigint>;
  readonly ambiguous: boolean;
  readonly wide: boolean;
  readonly words: string | undefined;
  /** Whether the CPU is older than ARMv6, by its control register. */
  readonly armv5: boolean;
}

/** The details that belong to each primary register. */
export const DETAILS: Readonly<Record<PrimaryKey, readonly DetailKey[]>> = {
  esr: ['far', 'hpfar', 'ipa', 'el'],
  par: ['far'],
  dfsr: ['far'],
  ifsr: ['far'],
  fsr: ['iova', 'far', 'fsynr0', 'cbfrsynra', 'cb', 'ipa'],
  gfsr: ['gfsynr0', 'gfsynr1', 'iova', 'far'],
};

export function decodeReport(report: Report): DecodedFault {
  const { key, value, el, details, wide, words, armv5 } = report;
  const far = details.get('far');
  switch (key) {
    case 'esr': {
      const level = el ?? (details.has('el') ? Number(details.get('el')) : undefined);
      return decodeEsr(value, {
        far,
        ipa: details.get('ipa'),
        hpfar: details.get('hpfar'),
        el: level as 1 | 2 | 3 | undefined,
      });
    }
    case 'par':
      return decodePar(value, { far, wide });
    case 'dfsr':
      return inItsWords(decodeDfsr(value, { far, armv5 }), words);
    case 'ifsr':
      return inItsWords(decodeIfsr(value, { far, armv5 }), words);
    case 'fsr':
      return report.ambiguous ? eitherStatus(report) : contextFault(report);
    case 'gfsr':
      return decodeGlobalFault({
        gfsr: value,
        iova: details.get('iova') ?? far,
        gfsynr0: details.get('gfsynr0'),
        gfsynr1: details.get('gfsynr1'),
      });
  }
}

function contextFault({ value, details }: Report): DecodedFault {
  return decodeContextFault({
    fsr: value,
    iova: details.get('iova') ?? details.get('far'),
    ipa: details.get('ipa'),
    fsynr0: details.get('fsynr0'),
    cbfrsynra: details.get('cbfrsynra'),
    cb: details.get('cb'),
  });
}

/** A kernel's own words win over a code that means something else in a later architecture. */
function inItsWords(fault: DecodedFault, words: string | undefined): DecodedFault {
  const said = words === undefined ? undefined : kindInWords(words);
  if (said === undefined || said === fault.kind) return fault;
  return {
    ...fault,
    kind: said,
    level: undefined,
    notes: [
      ...fault.notes,
      `the kernel calls it "${words}", which is used instead of the present meaning of ${fault.name}`,
    ],
  };
}

/** The set bits that a layout does not define. */
const strangeBits = (value: bigint, word: WordLayout) =>
  value & ~fieldsOf(word).reduce((mask, field) => mask | maskOf(field), 0n);

/** An `fsr` with nothing nearby to say whose it is: both readings, the likelier first. */
function eitherStatus(report: Report): DecodedFault {
  const smmu = contextFault(report);
  const cpu = decodeDfsr(report.value, { far: report.details.get('far') });
  const long = isSet(report.value, DFSR_SHORT.fields.LPAE);
  const cpuFits = cpu.kind !== 'other' && strangeBits(report.value, long ? DFSR_LONG : DFSR_SHORT) === 0n;
  const smmuFits = smmu.kind !== 'other' && strangeBits(report.value, SMMU_FSR) === 0n;
  const [first, second] = smmuFits && !cpuFits ? [smmu, cpu] : [cpu, smmu];
  const decides =
    'nothing nearby says whose FSR it is: ttbr0, cpsr or *pgd= would make it the DFSR of a 32-bit CPU, iova or cb= the FSR of an SMMU';
  return {
    ...first,
    notes: [...first.notes, decides],
    otherwise: smmuFits === cpuFits ? [second] : [],
  };
}

/** Whether a PAR holds a translation fault, and not the result of an older translation. */
export function isFaultPar(par: bigint): boolean {
  const { F, LPAE } = PAR_FAULT.fields;
  return isSet(par, F) && isSet(par, LPAE) && strangeBits(par, PAR_FAULT) === 0n;
}
