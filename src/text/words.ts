/** How wide the words of a machine are, and what its PAR is called. (DDI 0487 G5.4 for short descriptors, G8.2 PAR.) */
import { type MachineRegime, traitsOf } from '../arch/regimes.ts';
import type { Translator } from '../machine/machine.ts';
import { parEl1, parShort, type WalkResult } from '../walker/index.ts';
import { hex, hexWord } from './numbers.ts';

/** Bits of a descriptor of a stage: 32 of short ones. Where TTBCR.EAE chooses, the tables say. */
export function descriptorBits(translator: Translator, stage: 1 | 2): 32 | 64 {
  if (stage === 2) return 64;
  const { regime } = translator;
  if (traitsOf(regime).descriptors === 'long or short') {
    return translator.trees().some(({ root, reader }) => root.stage === 1 && reader.entryBytes === 4)
      ? 32
      : 64;
  }
  return hasShortPar(regime) ? 32 : 64;
}

/**
 * The forms in which a PE reports: DFSR and IFSR go by stage 1 alone, and PAR has 64 bits also where an operation of Hyp mode goes through
 * both stages. (G8.2 DFSR, PAR.)
 */
export interface ReportForms {
  readonly shortStage1: boolean;
  readonly shortPar: boolean;
}

/** Where the regime alone says them. */
export function regimeForms(regime: MachineRegime): ReportForms {
  return { shortStage1: hasShortPar(regime), shortPar: hasShortPar(regime) };
}

/** Of two stages TTBCR.EAE and HCR.VM decide: the tables say what they chose. */
export function reportForms(translator: Pick<Translator, 'regime' | 'trees'>): ReportForms {
  const { regime } = translator;
  if (traitsOf(regime).descriptors !== 'long or short') return regimeForms(regime);
  const trees = translator.trees();
  const shortStage1 = trees.some(({ root, reader }) => root.stage === 1 && reader.entryBytes === 4);
  return { shortStage1, shortPar: shortStage1 && trees.every(({ root }) => root.stage === 1) };
}

function hasShortPar(regime: MachineRegime): boolean {
  const { descriptors } = traitsOf(regime);
  return descriptors === 'short' || descriptors === 'mtk';
}

/** Whether an address translation instruction leaves a PAR: neither a GPU nor a RISC-V hart has one. */
export function hasPar(regime: MachineRegime): boolean {
  const { architecture } = traitsOf(regime);
  return architecture !== 'Mali' && architecture !== 'RISC-V';
}

/** PAR as an address translation instruction leaves it: 8 digits of short descriptors, else 16. */
export function parWord(result: WalkResult, { shortPar }: Pick<ReportForms, 'shortPar'>): string {
  return shortPar ? hex(parShort(result), 8) : hexWord(parEl1(result));
}

/** `PAR_EL1`, in AArch32 `PAR`. */
export function parName(regime: MachineRegime): string {
  return traitsOf(regime).architecture === 'AArch32' || hasShortPar(regime) ? 'PAR' : 'PAR_EL1';
}
