/** Puts into words what a golden image says but is not compared, so that no claim is skipped silently. (DDI 0487 D24.2.142; IHI 0070 7.3.) */
import { isStream, type MachineRegime } from '../arch/regimes.ts';
import { RegisterError, type ResolvedRegisters, resolveRegisters } from '../machine/registers/index.ts';
import { counted } from '../text/numbers.ts';
import type { ImageJson, RowJson } from './image-schema.ts';

/** Registers whose value is assumed, that the regime does not read, or whose value changes no answer. */
export function registerNotes(regime: MachineRegime, given: Readonly<Record<string, bigint>>): string[] {
  const { assumed, ignored } = resolvedOf(regime, given);
  const others = ignored.filter(({ kind }) => kind === 'other');
  const fields = ignored.filter(({ kind }) => kind === 'field' || kind === 'unmodelled');
  const names = others.map(({ register }) => register).join(', ');
  return [
    ...assumed,
    ...(others.length === 0 ? [] : [`${regime} does not read ${names}`]),
    ...fields.map(({ register, why }) => `${register}: ${why}`),
  ];
}

function resolvedOf(
  regime: MachineRegime,
  given: Readonly<Record<string, bigint>>,
): Pick<ResolvedRegisters, 'assumed' | 'ignored'> {
  try {
    return resolveRegisters({ given, regime, exact: true, complete: false });
  } catch (error) {
    // Other code refuses bad values, with their place.
    if (error instanceof RegisterError) return { assumed: [], ignored: [] };
    throw error;
  }
}

/** Members of the file, apart from its rows, that affect no answer. */
export function fileNotes(file: ImageJson, regime: MachineRegime): string[] {
  const { cpu, ram, elsewhere, registers, pagemap_prot_none: protNone, security } = file;
  const notes: string[] = [];
  if (ram && elsewhere) notes.push('ram is not used: memory is zero elsewhere');
  if (isStream(regime)) {
    notes.push('cpu.model is not used: an SMMU says in its IDR registers what it has');
    if (typeof cpu.pa_bits === 'number' && registers.strtab_base !== undefined) {
      notes.push('cpu.pa_bits is not used: SMMU_IDR5.OAS says it');
    }
  }
  if (security && registers.scr_el3 !== undefined) {
    notes.push('only SIF and EEL2 of scr_el3 are read: security says whose accesses they are');
  }
  if (protNone.length > 0) notes.push('pagemap_prot_none: pa is not compared, as nobody may use the page');
  return notes;
}

/** Claims of a row that are not compared with its answer. A row with `arm` is judged by `arm`. */
export function rowNotes({ arm, event, pa, fault }: RowJson): string[] {
  if (arm === undefined) return event ? ['event: its number is compared, not the rest of the record'] : [];
  const own = fault || pa !== undefined;
  return [
    ...(own ? ["pa and fault beside arm are the producer's own answer, which arm corrects"] : []),
    ...(event ? ["event beside arm is the producer's own"] : []),
  ];
}

/** The notes, each with the number of rows that it is about. */
export class RowNotes {
  readonly #rows = new Map<string, number>();

  add(notes: readonly string[]): void {
    for (const note of notes) this.#rows.set(note, (this.#rows.get(note) ?? 0) + 1);
  }

  list(): string[] {
    return [...this.#rows].map(([note, rows]) => `${note} (${counted(rows, 'row')})`);
  }
}
