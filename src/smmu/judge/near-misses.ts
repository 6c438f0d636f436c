/** Commands that look like the one that was needed, and how they differ from it. (IHI 0070 4.3, 4.4.) */
import { decodeCommand, parseCommand, type SmmuCommand } from '../commands.ts';

/** A command of the trace. */
export interface JudgedCommand {
  /** The step that wrote CMDQ_PROD. */
  readonly step: number;
  readonly command: SmmuCommand;
  readonly text: string;
}

/** A command that missed. */
export interface NearMiss {
  readonly step: number;
  readonly command: string;
  /** How it differs from what was needed. */
  readonly differs: readonly string[];
}

/** How many near misses are told: the latest. */
const TOLD = 3;

/** The part of a command that must be equal for two to be compared. */
const familyOf = ({ name }: SmmuCommand): string | undefined => name?.split('_')[0];

/** Commands that came after `since` and are of the kind of a needed one, without being it. */
export function nearMisses(
  needs: readonly string[],
  commands: readonly JudgedCommand[],
  since: number,
): readonly NearMiss[] {
  const needed = needs
    .filter((one) => /^(CFGI|TLBI)/.test(one))
    .map((one) => decodeCommand(parseCommand(one)));
  const found = commands
    .filter(({ step }) => step >= since)
    .flatMap(({ step, command, text }) => {
      const like = needed.find((one) => familyOf(one) === familyOf(command));
      if (like === undefined || command.name === undefined) return [];
      const differs = differences(command, like);
      return differs.length === 0 ? [] : [{ step, command: text, differs }];
    });
  return found.slice(-TOLD);
}

/** Fields that make a command narrower than another where they are not 0. */
const NARROW = ['Leaf', 'TG', 'TTL'] as const;

function differences({ name, fields }: SmmuCommand, needed: SmmuCommand): string[] {
  if (name === undefined) return [];
  const found: string[] = [];
  for (const [field, want] of Object.entries(needed.fields)) {
    const have = fields[field];
    if (have === undefined || have === want || (NARROW as readonly string[]).includes(field)) continue;
    if (field === 'NUM' || field === 'SCALE' || field === 'SSec' || field === 'TTL128') continue;
    found.push(`names ${field} ${shown(field, have)}, but ${shown(field, want)} is needed`);
  }
  if ((fields.Leaf ?? 0n) > (needed.fields.Leaf ?? 0n))
    found.push('Leaf = 1 leaves descriptors of upper levels');
  if ((fields.TG ?? 0n) !== 0n)
    found.push(`reaches only entries of ${GRANULES[Number(fields.TG)]}${levelText(fields.TTL)}`);
  return found;
}

const GRANULES = ['any granule', '4K', '16K', '64K'] as const;

function levelText(level = 0n): string {
  return level === 0n ? '' : `, leaves of level ${level}`;
}

function shown(field: string, value: bigint): string {
  return field === 'Address' ? `0x${value.toString(16)}` : String(value);
}
