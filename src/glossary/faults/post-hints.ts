/** Causes that other lines of a post show: stacks, DACR, the printed entry, where the CPU was, an uncut address. */
import { read } from '../../arch/read.ts';
import { DACR_DOMAINS } from '../../arch/registers/aarch32-base.ts';
import { hex } from '../../text/numbers.ts';
import { type DecodedFault, isOfDevice } from './decoded-fault.ts';
import { type ReadEntry, readWalk } from './printed-words.ts';
import { isFaultPar } from './report.ts';
import { dacrOf } from './system.ts';

/** What other lines show. `cause` is set if there is no doubt about it. */
export interface PostHints {
  readonly cause?: string | undefined;
  readonly hints: readonly string[];
  /** Notes other than causes. */
  readonly notes: readonly string[];
}

/** @param near - the lines around the fault. */
export function postHints(fault: DecodedFault, near: readonly string[]): PostHints {
  const cause = dacrCause(fault, near) ?? stackCause(fault, near) ?? entryCause(fault);
  const hints = [cutHint(fault, near)].filter((one) => one !== undefined);
  const notes = [elrNote(fault, near), parNote(fault, near)].filter((one) => one !== undefined);
  return { cause, hints, notes };
}

function dacrCause({ kind, domain }: DecodedFault, near: readonly string[]): string | undefined {
  const dacr = kind === 'domain' ? dacrOf(near) : undefined;
  const field = domain === undefined ? undefined : DACR_DOMAINS[domain];
  if (dacr === undefined || field === undefined || read(dacr, field) !== 0) return undefined;
  const user =
    domain === USER_DOMAIN
      ? ': the kernel accessed user memory directly, not through copy_from_user or copy_to_user (CONFIG_CPU_SW_DOMAIN_PAN)'
      : '';
  return `DACR ${hex(dacr)} gives domain ${domain} no access${user}`;
}

/** The domain of user memory in Linux. */
const USER_DOMAIN = 1;

const STACK = /\b(Task|IRQ|Overflow|SDEI|Normal) stack:\s+\[0x([0-9a-f]{8,16})\.\.0x([0-9a-f]{8,16})\]/i;
/** The largest frame of a stack. */
const FRAME = 0x1_0000n;

function stackCause({ address, source }: DecodedFault, near: readonly string[]): string | undefined {
  if (address === undefined || isOfDevice(source)) return undefined;
  for (const line of near) {
    const [, name, digits] = STACK.exec(line) ?? [];
    if (digits === undefined) continue;
    const below = BigInt(`0x${digits}`) - address;
    if (below > 0n && below <= FRAME) {
      return `the address is ${hex(below)} below the ${name!.toLowerCase()} stack: it overflowed`;
    }
  }
  return undefined;
}

/** Compares the last printed entry with the access. */
function entryCause(fault: DecodedFault): string | undefined {
  const { printed, kind } = fault;
  const last = printed === undefined ? undefined : readWalk(printed).at(-1);
  if (last === undefined) return undefined;
  const entry = `the printed entry (${last.name})`;
  if (kind === 'permission') return permissionCause(fault, last, entry);
  if (kind === 'access_flag' && last.allows !== undefined) {
    return last.allows.accessed ? `${entry} has AF = 1: ${STALE}` : `${entry} has AF = 0`;
  }
  if (kind === 'translation' && last.allows !== undefined && (fault.level ?? last.level) === last.level) {
    return `${entry} is valid: it was written after the access, or ${STALE}`;
  }
  return undefined;
}

const STALE = 'a TLB held an older entry, or the write was not visible to the walker yet (TLBI, DSB)';

function permissionCause(fault: DecodedFault, { allows }: ReadEntry, entry: string): string | undefined {
  const { access, privileged = true } = fault;
  if (allows === undefined || access === undefined) return undefined;
  if (access === 'execute') {
    const may = privileged ? allows.executePrivileged : allows.executeUnprivileged;
    const [name = ''] = allows.never.filter((one) => one !== (privileged ? 'UXN' : 'PXN'));
    if (!may)
      return `${name} is 1 in ${entry}: a fetch is refused. Control went into data, or memory for code was not made executable`;
    if (privileged && allows.unprivileged && allows.write)
      return `${entry} is writable at EL0, so no privileged fetch may use it`;
    return `${entry} permits the fetch: ${STALE}; or a table above it, or WXN, forbids it`;
  }
  if (access === 'write' && !allows.write) return `${entry} is read-only`;
  if (access === 'read' && !allows.read) return `${entry} permits no reads`;
  if (!privileged && !allows.unprivileged) return `${entry} is only for privileged accesses`;
  if (privileged && allows.unprivileged && fault.stage !== 2 && fault.source === 'esr') {
    return `${entry} belongs to EL0: with PAN the kernel may access it only through uaccess routines; otherwise ${STALE}`;
  }
  return `${entry} permits the access: ${STALE}; or a table above it forbids it`;
}

const LONG_NUMBER = /\b(?:0x)?([0-9a-f]{9,16})\b/gi;

/** Finds a longer form of the address of a device's access in the text. */
function cutHint({ address, source, kind }: DecodedFault, near: readonly string[]): string | undefined {
  if (address === undefined || !isOfDevice(source) || kind !== 'translation') return undefined;
  const low = BigInt.asUintN(32, address);
  if (low !== address || address < FRAME) return undefined;
  for (const line of near) {
    for (const [, digits] of line.matchAll(LONG_NUMBER)) {
      const whole = BigInt(`0x${digits!}`);
      if (whole !== low && BigInt.asUintN(32, whole) === low) {
        return `the text also has ${hex(whole)}: the address was cut to 32 bits (the device's DMA mask, or a register of 32 bits)`;
      }
    }
  }
  return undefined;
}

const ELR = /\belr(?:_el[n123])?\s*[:=]\s*(?:0x)?([0-9a-f]{8,16})\b(.*)$/i;

/** For an instruction abort without FAR. U-Boot prints ELR twice: as linked, then relocated. */
function elrNote(
  { address, access, source, kind }: DecodedFault,
  near: readonly string[],
): string | undefined {
  if (address !== undefined || access !== 'execute' || source !== 'esr' || kind === 'other') return undefined;
  const found = near.map((line) => ELR.exec(line)).filter((one) => one !== null);
  const last = found.findLast(([, , rest]) => !/reloc/.test(rest!)) ?? found.at(-1);
  return last === undefined
    ? undefined
    : `for an instruction abort, ELR is the address: ${hex(BigInt(`0x${last[1]!}`))}`;
}

const PAR = /\bPAR(?:_EL1)?\s*[:=]\s*(?:0x)?([0-9a-f]{1,16})\b/i;

/** A PAR next to an abort that does not hold a translation fault. */
function parNote({ source }: DecodedFault, near: readonly string[]): string | undefined {
  if (source !== 'esr') return undefined;
  const digits = near.map((line) => PAR.exec(line)?.[1]).find((one) => one !== undefined);
  const par = digits === undefined ? 0n : BigInt(`0x${digits}`);
  if (par === 0n || isFaultPar(par)) return undefined;
  return `PAR ${hex(par)} is not used: it does not hold a translation fault that belongs to this abort`;
}
