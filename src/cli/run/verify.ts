/** Verifies one map_sg with the walker: every byte must lead where its scatterlist entry says, and the bytes around it nowhere. */
import type { Prot, Scatterlist } from '../../index.ts';
import { faultText } from '../../text/fault.ts';
import { permissionText } from '../../text/leaf.ts';
import { hex, sizeText } from '../../text/numbers.ts';
import type { Walker, WalkResult } from '../../walker/index.ts';

/** The result of verifying a request: leaves of each level, and the problem, if any. */
export interface Verdict {
  /** Leaves by level. */
  readonly leaves: ReadonlyMap<number, number>;
  readonly problem: string | undefined;
}

const QUIET = { access: 'read', trace: false } as const;
const LAST_IOVA = (1n << 64n) - 1n;

/**
 * Walks once for every leaf. A leaf is linear, so if it begins where the last one ended, at the right PA, and ends within
 * its run, each of its bytes is right.
 */
export function verifyMapped(walker: Walker, iova: bigint, sg: Scatterlist, prot: Prot): Verdict {
  const leaves = new Map<number, number>();
  let ia = iova;
  for (const { phys, length } of sg.runs()) {
    const end = ia + length;
    for (let pa = phys; ia < end; ) {
      const walk = walker.walk(ia, QUIET);
      const problem = wrongLeaf(walk, ia, pa, end - ia) ?? (walk.ok ? wrongRights(walk, prot) : undefined);
      if (problem !== undefined || !walk.ok) return { leaves, problem };
      leaves.set(walk.level ?? 0, (leaves.get(walk.level ?? 0) ?? 0) + 1);
      ia += walk.size;
      pa += walk.size;
    }
  }
  const outside = [iova > 0n ? iova - 1n : undefined, ia <= LAST_IOVA ? ia : undefined];
  return {
    leaves,
    problem: outside.map((at) => at !== undefined && stillThere(walker, at)).find(Boolean) || undefined,
  };
}

/** Walks every page of `pageSize`. None may be mapped. */
export function verifyUnmapped(
  walker: Walker,
  iova: bigint,
  bytes: bigint,
  pageSize: bigint,
): string | undefined {
  for (let at = 0n; at < bytes; at += pageSize) {
    const problem = stillThere(walker, iova + at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function wrongLeaf(walk: WalkResult, ia: bigint, pa: bigint, left: bigint): string | undefined {
  if (!walk.ok) return `IOVA ${hex(ia)} must lead to ${hex(pa)}, but: ${faultText(walk.fault)}`;
  if (walk.pa !== pa) return `IOVA ${hex(ia)} must lead to ${hex(pa)}, but leads to ${hex(walk.pa)}`;
  if (walk.leafBase !== pa || walk.size > left) {
    return `IOVA ${hex(ia)}: its leaf maps ${sizeText(walk.size)} from ${hex(walk.leafBase)} on, more than the ${sizeText(left)} asked for`;
  }
  return undefined;
}

/** Checks that the rights asked for are allowed, and that writing is not if it was not asked for. */
function wrongRights(walk: Extract<WalkResult, { ok: true }>, prot: Prot): string | undefined {
  const { privileged, unprivileged } = walk.permissions;
  const right = [privileged, unprivileged].every(
    ({ read, write }) => read === (prot.read === true) && write === (prot.write === true),
  );
  if (!right) {
    return `IOVA ${hex(walk.ia)} is ${permissionText(privileged)} ${permissionText(unprivileged)}, not as asked`;
  }
  const { attributes } = walk;
  const cached = attributes.type === 'normal' && attributes.inner.policy === 'write-back';
  return cached === (prot.cache === true) ? undefined : `IOVA ${hex(walk.ia)} is not cached as asked`;
}

function stillThere(walker: Walker, ia: bigint): string | undefined {
  const walk = walker.walk(ia, QUIET);
  if (!walk.ok && walk.fault.kind === 'translation') return undefined;
  const found = walk.ok ? `leads to ${hex(walk.pa)}` : `gives a ${faultText(walk.fault)}`;
  return `IOVA ${hex(ia)} is not mapped by this request, but ${found}`;
}
