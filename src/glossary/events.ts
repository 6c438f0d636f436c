/** SMMUv3 events: what each reports, and what usually causes it. (IHI 0070 7.3.) */
import { EVENTS as ARCHITECTED, type EventName, eventLayout } from '../arch/smmu/index.ts';
import { type RegisterLayout, registerOf } from './register.ts';
import type { StatusKind } from './status.ts';

export interface EventInfo {
  readonly number: number;
  /** `F_TRANSLATION`. */
  readonly name: string;
  readonly meaning: string;
  readonly record: RegisterLayout;
  /** The fault that it reports, if any. Such an event has the causes of that kind. */
  readonly kind?: StatusKind;
  readonly causes: readonly string[];
  readonly checks: readonly string[];
}

/** An event as listed here. Its number and record are declared in src/arch. */
type Declared = Omit<EventInfo, 'number' | 'record'> & { readonly name: EventName };

function event(info: Declared): EventInfo {
  return { ...info, number: ARCHITECTED[info.name].number, record: registerOf(eventLayout(info.name)) };
}

const UNREACHABLE = [
  'the base address or a pointer in the table leads to an address without RAM',
  'the memory is Secure, protected or powered down',
];

export const EVENTS: readonly EventInfo[] = [
  event({
    name: 'F_UUT',
    meaning:
      'Unsupported upstream transaction: the device sent something that the SMMU or the bus does not support.',
    causes: ['the device issues transactions of a kind that the interconnect does not support'],
    checks: ["the interconnect's manual for Reason"],
  }),
  event({
    name: 'C_BAD_STREAMID',
    meaning: 'The StreamID is outside the stream table, or its part of a two-level table is missing.',
    causes: [
      'the firmware tables (iommu-map, IORT) do not give the device the StreamID that it uses',
      'the device is not attached to the SMMU driver, so its second-level stream table was never made',
      'STRTAB_BASE_CFG.LOG2SIZE or SPLIT does not suit the StreamIDs of the system',
    ],
    checks: ['the StreamID against iommu-map or IORT', 'STRTAB_BASE_CFG', 'L1STD.Span at StreamID >> SPLIT'],
  }),
  event({
    name: 'F_STE_FETCH',
    meaning: 'The fetch of the STE got an external abort, or its address is out of range.',
    causes: UNREACHABLE,
    checks: ['STRTAB_BASE and L1STD.L2Ptr', 'whether FetchAddr lies in RAM'],
  }),
  event({
    name: 'C_BAD_STE',
    meaning:
      'The STE is invalid: V = 0, a reserved value, or a configuration that this SMMU does not support (IHI 0070 5.2.2).',
    causes: [
      'V = 0: no driver set this stream up, or the device does DMA before its driver attaches (or after it left)',
      'Config asks for a stage that the SMMU lacks',
      'stage 2: S2T0SZ, S2SL0 and S2PS contradict each other, or S2TTB is not aligned or too large',
      'the STE was written but not yet visible: a missing CMD_CFGI_STE, or a missing cache clean',
    ],
    checks: ['V, Config and the S2 fields of the STE', 'IDR0, IDR1 and IDR5 of the SMMU'],
  }),
  event({
    name: 'F_BAD_ATS_TREQ',
    meaning:
      'A PCIe ATS translation request came from a stream that may not ask (STE.EATS = 0), or with the SMMU off.',
    causes: [
      'ATS is enabled in the device but not in the STE',
      'the stream is set to bypass (Config = 4), which does not allow ATS',
    ],
    checks: ['STE.EATS and STE.Config', 'the ATS capability of the device'],
  }),
  event({
    name: 'F_STREAM_DISABLED',
    meaning:
      'A transaction without a SubstreamID came although STE.S1DSS forbids it, or one with SubstreamID 0 although CD 0 is for transactions without one.',
    causes: ['the device sends ordinary DMA on a stream that is set up only for PASIDs (S1DSS = 0)'],
    checks: ['STE.S1DSS and STE.S1CDMax'],
  }),
  event({
    name: 'F_TRANSL_FORBIDDEN',
    meaning: 'A transaction marked as already translated (ATS) came from a stream that may not use ATS.',
    causes: [
      'the device kept translations after ATS was switched off',
      'the device is not trusted with ATS (CR0.ATSCHK = 1, STE.EATS = 0)',
    ],
    checks: ['STE.EATS', 'CR0.ATSCHK'],
  }),
  event({
    name: 'C_BAD_SUBSTREAMID',
    meaning: 'The SubstreamID is outside the table of CDs, or the stream has no substreams.',
    causes: [
      'a PASID of 2^S1CDMax or more, or one whose second-level CD table is missing',
      'the device uses PASIDs on a stream without them (S1CDMax = 0, or stage 1 off)',
    ],
    checks: ['STE.S1CDMax, STE.S1Fmt, STE.Config', 'L1CD.V of the SubstreamID'],
  }),
  event({
    name: 'F_CD_FETCH',
    meaning: 'The fetch of the CD got an external abort.',
    causes: UNREACHABLE,
    checks: ['STE.S1ContextPtr (an IPA if stage 2 is on)', 'whether FetchAddr lies in RAM'],
  }),
  event({
    name: 'C_BAD_CD',
    meaning: 'The CD is invalid: V = 0, or an illegal configuration (IHI 0070 5.4.2).',
    causes: [
      'V = 0: no CD was written for this SubstreamID, or the PASID was already unbound',
      'T0SZ, TG0 or IPS has a value that this SMMU does not support, or TTB0 is beyond IPS',
      'the CD was written but not yet visible: a missing CMD_CFGI_CD, or a missing cache clean',
    ],
    checks: ['V, AA64, T0SZ, TG0, IPS and TTB0 of the CD', 'IDR5 of the SMMU'],
  }),
  event({
    name: 'F_WALK_EABT',
    kind: 'external_walk',
    meaning: 'The fetch or update of a translation table descriptor got an external abort.',
    causes: [],
    checks: ['whether FetchAddr lies in RAM'],
  }),
  event({
    name: 'F_TRANSLATION',
    kind: 'translation',
    meaning: 'Translation fault: no valid descriptor, an address outside TxSZ, or a TTB that is disabled.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_ADDR_SIZE',
    kind: 'address_size',
    meaning:
      'Address size fault: a descriptor has an address beyond IPS or S2PS, or a bypassed input address is too large.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_ACCESS',
    kind: 'access_flag',
    meaning: 'Access flag fault: AF = 0 in a page or block descriptor, without hardware updates.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_PERMISSION',
    kind: 'permission',
    meaning: 'Permission fault: the page does not allow the access.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_TLB_CONFLICT',
    kind: 'tlb_conflict',
    meaning: 'Several TLB entries match the address.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_CFG_CONFLICT',
    meaning: 'Several cached STEs match the stream.',
    causes: ['STE.CONT spans entries that differ'],
    checks: ['STE.CONT of the neighbours'],
  }),
  event({
    name: 'E_PAGE_REQUEST',
    meaning: 'A hint from a device that it will access pages soon. It is not a fault and needs no answer.',
    causes: [],
    checks: [],
  }),
  event({
    name: 'F_VMS_FETCH',
    meaning: 'The fetch of the virtual machine structure got an external abort.',
    causes: UNREACHABLE,
    checks: ['STE.VMSPtr'],
  }),
];

export function eventNumbered(number: number): EventInfo | undefined {
  return EVENTS.find((one) => one.number === number);
}

export function eventNamed(name: string): EventInfo | undefined {
  return EVENTS.find((one) => one.name === name.toUpperCase());
}
