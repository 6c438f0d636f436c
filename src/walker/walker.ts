/** The walker: how a PE's MMU answers an access, from memory and register values only. (DDI 0487 D8, G5.) */
import type { Regime } from '../arch/regimes.ts';
import type { SecurityState } from '../arch/security.ts';
import type { PhysicalMemory } from '../memory/index.ts';
import type { CpuFeatures } from './cpu.ts';
import { WalkerError } from './errors.ts';
import { NestedPath } from './fast/nested.ts';
import { FastPath } from './fast/path.ts';
import { ASK, FAULT } from './fast/range.ts';
import type { S1Request } from './first-stage.ts';
import type { GranuleProtection } from './granule-protection.ts';
import { requiredPermission } from './permissions.ts';
import type { TableTree } from './table-tree.ts';
import { checkAccess, checkKind, type Stages, translate, translateLeaf } from './translate.ts';
import type { Access, WalkResult } from './types.ts';
import { bigintOf, halvesOf, smallNumber } from './word.ts';

const HIGH = 2 ** 32;
/** Flags beside the six permission bits in the key of an access. */
const PAN_KEY = 64;
const UPDATE_KEY = 128;
const GCS_KEY = 256;
const TAG_KEY = 512;

/** A 64-bit address as a signed number, or NaN if a double can't hold it. That is a tagged address, whose top bits are not all equal. */
function signedNumber(ia: bigint): number {
  const { lo, hi } = halvesOf(ia);
  const high = hi | 0;
  return high >> 21 === high >> 31 ? high * HIGH + lo : Number.NaN;
}

/** The default access of a walk. */
const READ: Access = Object.freeze({ access: 'read' });

/**
 * A translation regime ready to walk. Register values were decoded when it was made; every walk reads memory again
 * (there is no TLB), and writes it if TCR.HA or HD let hardware update a descriptor.
 */
export class Walker {
  readonly regime: Regime;
  readonly cpu: CpuFeatures;
  /** The Security state of the accesses. */
  readonly security: SecurityState;
  /** Whether granule protection checks are on (GPCCR_EL3.GPC). */
  readonly granuleProtection: GranuleProtection | undefined;
  readonly #stages: Stages;
  /** The same without granule protection checks of the access itself, and without any checks. */
  readonly #atStages: Stages;
  readonly #unchecked: Stages;
  readonly #memory: PhysicalMemory | undefined;
  readonly #fast: (FastPath | NestedPath | undefined)[] = [];
  readonly #requests: (S1Request | undefined)[] = new Array(1024).fill(undefined);

  /** @internal Use {@link createWalker}. Without `memory` there is no fast path, and the full walk replaces it. */
  constructor(
    regime: Regime,
    cpu: CpuFeatures,
    stages: Stages,
    memory?: PhysicalMemory,
    unchecked: Stages = stages,
  ) {
    this.regime = regime;
    this.cpu = cpu;
    this.#stages = stages;
    const { gpc, ...at } = stages;
    this.granuleProtection = gpc;
    this.#atStages = gpc === undefined ? stages : at;
    this.#unchecked = unchecked;
    this.#memory = memory;
    this.security = stages.security;
  }

  /**
   * Translates one access.
   *
   * @param ia - the input address, 0 to 2^64 - 1: a VA, or an IPA in the `-s2` regimes.
   * @param access - default: a privileged read.
   * @returns a translation or a fault. Tables and registers never cause an exception, whatever they hold.
   * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
   *
   * @example
   * const result = walker.walk(0x4000_1234n, { access: 'write', privileged: false });
   * if (result.ok) console.log(result.pa, result.permissions.unprivileged.write);
   * else console.log(result.fault.kind, result.fault.level);
   */
  walk(ia: bigint, access: Access = READ): WalkResult {
    return this.#walk(ia, access, false);
  }

  /** @param quiet - without steps, whatever the access says. */
  #walk(ia: bigint, access: Access, quiet: boolean): WalkResult {
    const plain = smallNumber(ia);
    if (plain >= 0) checkKind(access);
    else checkAccess(ia, access);
    const request = this.#request(access);
    const stages = access.gpc === undefined ? this.#stages : this.#checkedAs(access.gpc);
    if (!quiet && access.trace !== false) return translate(stages, ia, request, []);
    return this.#quickly(ia, plain, access, request) ?? translate(stages, ia, request, undefined);
  }

  /**
   * The PA that {@link walk} would answer, of the kind of the address, or undefined for any fault: the fast path. Nothing else is looked up.
   *
   * @throws WalkerError for an address that is not 64 bits or an unknown kind of access.
   *
   * @example
   * walker.translate(0x4000_1234n, { access: 'read' }); // 0x9_0000_1234n
   * walker.translate(0x4000_1234, { access: 'read' }); // 0x9_0000_1234
   */
  translate(ia: bigint, access?: Access): bigint | undefined;
  /** An address as a number is a signed one, as of {@link translateMany}: a whole number from -2^53 to 2^53. The PA is a number, too. */
  translate(ia: number, access?: Access): number | undefined;
  translate(ia: bigint | number, access?: Access): bigint | number | undefined;
  translate(ia: bigint | number, access: Access = READ): bigint | number | undefined {
    if (typeof ia === 'number') return this.#translateNumber(ia, access);
    const plain = smallNumber(ia);
    if (plain >= 0) checkKind(access);
    else checkAccess(ia, access);
    const fast = this.#fastPath(access);
    if (fast !== undefined) {
      const whole = plain >= 0 ? plain : signedNumber(ia);
      const pa = Number.isNaN(whole) ? ASK : fast.translate(whole);
      if (pa === FAULT) return undefined;
      if (pa !== ASK) return bigintOf(pa);
    }
    const result = this.#walk(ia, access, true);
    return result.ok ? result.pa : undefined;
  }

  /**
   * {@link translate} for many addresses at once.
   *
   * @param ias - input addresses as signed 64-bit numbers: those of an upper range (TTBR1) are negative, `-0x1000` the last page.
   * A double holds them exactly from -2^53 to 2^53, which excludes tagged addresses.
   * @param pas - receives the PAs, `-1` if the access faults. It must be a different array from `ias`.
   * @returns how many addresses were translated.
   * @throws WalkerError for an address that is no integer, an unknown kind of access, or `pas` shorter than `ias` or the same.
   */
  translateMany(ias: Float64Array, pas: Float64Array, access: Access = READ): number {
    checkAccess(0n, access);
    if (pas.length < ias.length) {
      throw new WalkerError(`${ias.length} addresses need as many places for their PAs, not ${pas.length}`);
    }
    if (pas === ias)
      throw new WalkerError('PAs need an array of their own: addresses are read more than once');
    const fast = this.#fastPath(access);
    if (fast === undefined) pas.fill(ASK, 0, ias.length);
    else fast.translateMany(ias, pas, ias.length);
    let faults = 0;
    for (let i = 0; i < ias.length; i++) {
      if (pas[i]! >= 0) continue;
      if (pas[i] === ASK) pas[i] = this.#ask(ias[i]!, access);
      if (pas[i] === FAULT) faults++;
    }
    return ias.length - faults;
  }

  #translateNumber(ia: number, access: Access): number | undefined {
    checkKind(access);
    if (!Number.isSafeInteger(ia)) throw new WalkerError(`${ia} is not an address that a double holds`);
    const fast = this.#fastPath(access);
    const fastPa = fast === undefined ? ASK : fast.translate(ia);
    const pa = fastPa === ASK ? this.#ask(ia, access) : fastPa;
    return pa === FAULT ? undefined : pa;
  }

  /** A translation without steps, by the fast path. Every fault is left to the full walk, which gives its details. */
  #quickly(ia: bigint, plain: number, access: Access, request: S1Request): WalkResult | undefined {
    const fast = this.#fastPath(access);
    if (fast === undefined) return undefined;
    const whole = plain >= 0 ? plain : signedNumber(ia);
    const pa = Number.isNaN(whole) ? ASK : fast.translate(whole);
    if (pa < 0) return undefined;
    return translateLeaf(this.#stages, ia, request, fast, pa);
  }

  /** The full walk's answer, in the fast path's form. */
  #ask(ia: number, access: Access): number {
    if (!Number.isSafeInteger(ia)) throw new WalkerError(`${ia} is not an address that a double holds`);
    const result = this.#walk(BigInt.asUintN(64, BigInt(ia)), access, true);
    return result.ok ? Number(result.pa) : FAULT;
  }

  /** The tables that a walk may use, stage by stage, for tools that read whole tables. */
  trees(): TableTree[] {
    return this.#unchecked.trees();
  }

  #checkedAs(gpc: NonNullable<Access['gpc']>): Stages {
    if (gpc === 'none') return this.#unchecked;
    return gpc === 'fetches' ? this.#atStages : this.#stages;
  }

  /** One for each kind of access that was asked for. */
  #request(access: Access): S1Request {
    const privileged = this.#privileged(access);
    const pan = this.#pan(access);
    const update = access.update !== false;
    // An instruction fetch is neither a Guarded Control Stack access nor Tag Checked.
    const data = access.access !== 'execute';
    const gcs = data && access.gcs === true;
    const tagChecked = data && access.tagChecked === true;
    const key =
      requiredPermission(access.access, privileged) |
      (pan ? PAN_KEY : 0) |
      (update ? UPDATE_KEY : 0) |
      (gcs ? GCS_KEY : 0) |
      (tagChecked ? TAG_KEY : 0);
    let request = this.#requests[key];
    if (request === undefined) {
      request = { access: access.access, privileged, pan, gcs, tagChecked, update };
      this.#requests[key] = request;
    }
    return request;
  }

  #privileged({ privileged }: Access): boolean {
    return privileged !== false || !this.#stages.unprivileged;
  }

  #pan(access: Access): boolean {
    return access.pan === true && this.#privileged(access) && this.cpu.pan;
  }

  /** One for each kind of access that was asked for. */
  #fastPath(access: Access): FastPath | NestedPath | undefined {
    // It remembers where tables are in host memory.
    if (this.#memory?.isSteady !== true || access.gcs === true) return undefined;
    const needed = requiredPermission(access.access, this.#privileged(access));
    const key = this.#pan(access) ? needed | PAN_KEY : needed;
    return this.#fast[key] ?? this.#makeFastPath(access, key);
  }

  #makeFastPath(access: Access, key: number): FastPath | NestedPath | undefined {
    const { direct } = this.#stages;
    if (this.#memory === undefined || direct === undefined) return undefined;
    const asked = {
      needed: key & ~PAN_KEY,
      write: access.access === 'write',
      privileged: this.#privileged(access),
      pan: this.#pan(access) && access.access !== 'execute',
    };
    const made =
      'below' in direct
        ? new NestedPath(this.#memory, direct, asked)
        : new FastPath(this.#memory, direct, asked);
    this.#fast[key] = made;
    return made;
  }
}
