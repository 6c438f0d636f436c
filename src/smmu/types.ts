/** An SMMU's answer to a transaction. (IHI 0070 7.3.) */
import type { Fault, FaultKind, Translation, WalkStep } from '../walker/types.ts';

/** A transaction of a device. */
export interface Transaction {
  readonly access: 'read' | 'write' | 'execute';
  /** Marked privileged. Default true. STE.PRIVCFG may override it. */
  readonly privileged?: boolean;
  /** SubstreamID (PASID), up to 20 bits. */
  readonly substreamId?: number;
  /** Of a Secure stream: the transaction comes as Non-secure. It matters only where stage 1 is bypassed. Default false. (IHI 0070 3.10.2) */
  readonly ns?: boolean;
  /** HTTU, if enabled, may write to descriptors. Default true. */
  readonly update?: boolean;
  /** Record `steps`. Default true. */
  readonly trace?: boolean;
}

/** Faults in the configuration, in addition to those of translation. `abort`: terminated without an event (STE.Config = 0b0xx). */
export type ConfigurationFaultKind =
  | 'c_bad_streamid'
  | 'f_ste_fetch'
  | 'c_bad_ste'
  | 'c_bad_substreamid'
  | 'f_stream_disabled'
  | 'f_cd_fetch'
  | 'c_bad_cd'
  | 'abort';

/** What the SMMU was doing: fetching a CD, fetching a stage-1 descriptor, or translating the input. (7.3 CLASS.) */
export type FaultClass = 'cd' | 'tt' | 'in';

/** A fault of translation, with its class. */
export interface TranslationFault extends Fault {
  readonly kind: FaultKind;
  readonly class: FaultClass;
}

/** A fault of the configuration. `fetchAddress`: the PA of a structure whose fetch was aborted. */
export interface ConfigurationFault {
  readonly kind: ConfigurationFaultKind;
  readonly fetchAddress?: bigint;
}

/** Why a transaction was terminated: a fault in its translation, or in the configuration of its stream. (IHI 0070 7.3.) */
export type SmmuFault = TranslationFault | ConfigurationFault;

/**
 * What a device sees of a fault: an abort; a read of zero or a write without effect (CD.A = 0); or nothing until software
 * resumes the transaction (CD.S or STE.S2S), which `SmmuDevice` knows. (IHI 0070 5.5.)
 */
export type DeviceResponse = 'abort' | 'raz/wi' | 'stall';

/** A transaction that was terminated, and its event record (none if it is not recorded). */
export interface SmmuFaulted {
  readonly ok: false;
  readonly ia: bigint;
  readonly fault: SmmuFault;
  /** Four 64-bit words, in the layout of 7.3. */
  readonly event: EventRecord | undefined;
  /** What the device sees. */
  readonly response: DeviceResponse;
  readonly steps: readonly WalkStep[];
}

/** An event record as four 64-bit words, the lowest first. (IHI 0070 7.3.) */
export type EventRecord = readonly [bigint, bigint, bigint, bigint];

/** An SMMU's answer; `ok` tells a translation from a terminated transaction. */
export type SmmuResult = Translation | SmmuFaulted;
