/** The lines of QEMU's log (`-trace 'smmu*'`), by event: their form, and what they say to a reader. */

/** What a reader of the log is told, line by line. */
export interface QemuLogEvents {
  registerWritten(offset: number, value: bigint, bytes: number): void;
  registerRead(offset: number, value: bigint, bytes: number): void;
  consumes(index: number): void;
  command(name: string): void;
  operands(text: string): void;
  level1(pa: bigint, table: bigint, stes: number): void;
  structure(pa: bigint, what: 'STE' | 'CD'): void;
  outputBits(bits: number): void;
  range(index: number, tsz: number, ttb: bigint, granuleLog2: number): void;
  descriptor(pa: bigint, value: bigint): void;
  lookup(page: bigint, asid: number, vmid: number): void;
  access(sid: number, iova: bigint, rw: 'read' | 'write' | undefined, got: object, stages?: string): void;
  event(name: string, sid: number): void;
}

/** `SMMU_IDR3.RIL`'s fields for a number of pages: the log has their product alone. */
function rangeOperands(pages: bigint, tg: string): string {
  if (tg === '0') return '';
  let scale = 0n;
  while (pages >> scale > 32n) scale++;
  return ` TG=${tg} SCALE=${scale} NUM=${((pages + (1n << scale) - 1n) >> scale) - 1n}`;
}

type Handler = (reader: QemuLogEvents, found: readonly string[]) => void;
const N = (text = '') => Number(text);
const B = (text = '') => BigInt(text);

/** Lines by event: their form, and what they say. */
export const READERS: readonly (readonly [event: string, form: RegExp, handle: Handler])[] = [
  [
    'smmuv3_write_mmio',
    /^addr: (0x\w+) val:(0x\w+) size: (0x\w+)/,
    (to, [a, v, n]) => to.registerWritten(N(a), B(v), N(n)),
  ],
  [
    'smmuv3_read_mmio',
    /^addr: (0x\w+) val:(0x\w+) size: (0x\w+)/,
    (to, [a, v, n]) => to.registerRead(N(a), B(v), N(n)),
  ],
  ['smmuv3_cmdq_consume', /cons=(\d+)/, (to, [index]) => to.consumes(N(index))],
  ['smmuv3_cmdq_opcode', /SMMU_CMD_(\w+)/, (to, [name]) => to.command(name ?? '')],
  ['smmuv3_cmdq_cfgi_ste', /^streamid= ?(0x\w+|\d+)/, (to, [sid]) => to.operands(`StreamID=${sid}`)],
  [
    'smmuv3_cmdq_cfgi_ste_range',
    /^start=(0x\w+) - end=(0x\w+)/,
    (to, [from, end]) => to.operands(streams(N(from), N(end))),
  ],
  ['smmuv3_cmdq_cfgi_cd', /^streamid= ?(0x\w+|\d+)/, (to, [sid]) => to.operands(`StreamID=${sid}`)],
  [
    'smmu_iotlb_inv_asid_vmid',
    /asid=(\d+) vmid=(\d+)/,
    (to, [asid, vmid]) => to.operands(`ASID=${asid} VMID=${vmid}`),
  ],
  ['smmu_iotlb_inv_vmid', /vmid=(\d+)/, (to, [vmid]) => to.operands(`VMID=${vmid}`)],
  ['smmu_iotlb_inv_vmid_s1', /vmid=(\d+)/, (to, [vmid]) => to.operands(`VMID=${vmid}`)],
  ['smmuv3_range_inval', RANGE(), invalidation],
  // Before QEMU 8.1.
  ['smmuv3_s1_range_inval', RANGE(), invalidation],
  ['smmu_iotlb_inv_asid', /asid=(\d+)/, (to, [asid]) => to.operands(`ASID=${asid} VMID=0`)],
  [
    'smmuv3_find_ste_2lvl',
    /l1ptr:(0x\w+).*?l2ptr:(0x\w+).*?max_l2_ste:(\d+)/,
    (to, [pa, table, stes]) => to.level1(B(pa), B(table), N(stes)),
  ],
  ['smmuv3_get_ste', /(0x\w+)/, (to, [pa]) => to.structure(B(pa), 'STE')],
  ['smmuv3_get_cd', /(0x\w+)/, (to, [pa]) => to.structure(B(pa), 'CD')],
  ['smmu_get_pte', /pteaddr=(0x\w+), pte=(0x\w+)/, (to, [pa, value]) => to.descriptor(B(pa), B(value))],
  ['smmu_iotlb_lookup_hit', LOOKUP(), lookup],
  ['smmu_iotlb_lookup_miss', LOOKUP(), lookup],
  ['smmuv3_decode_cd', /oas=(\d+)/, (to, [bits]) => to.outputBits(N(bits))],
  [
    'smmuv3_decode_cd_tt',
    /TT\[(\d)\]:tsz:(\d+) ttb:(0x\w+) granule_sz:(\d+)/,
    (to, [index, tsz, ttb, log2]) => to.range(N(index), N(tsz), B(ttb), N(log2)),
  ],
  [
    'smmuv3_translate_success',
    /sid=(0x\w+|\d+) iova=(0x\w+) translated=(0x\w+)(?:.*?stage=(\w+))?/,
    (to, [sid, iova, pa, stages]) => to.access(N(sid), B(iova), undefined, { pa }, stages),
  ],
  [
    'smmuv3_translate_bypass',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { pa: iova, bypass: true }),
  ],
  [
    'smmuv3_translate_disable',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { pa: iova, bypass: true }),
  ],
  [
    'smmuv3_translate_abort',
    ACCESS(),
    (to, [sid, iova, write]) => to.access(N(sid), B(iova), rwOf(write), { abort: true }),
  ],
  [
    'smmuv3_record_event',
    /(?:SMMU_EVT_)?(\w+) sid=(0x\w+|\d+)/,
    (to, [name, sid]) => to.event(name ?? '', N(sid)),
  ],
];

/** Lines that add nothing to these. */
export const QUIET =
  /^smmu_(add_mr|reset_exit|configs_inv_sid_range|config_cache_inv|iotlb_insert|iotlb_inv_all|iotlb_inv_iova|iotlb_inv_s1_iova|ptw_\w+|inv_notifiers_\w+)$|^smmuv3_(cmdq_consume_out|cmdq_tlbi_\w+|config_cache_(hit|miss)|find_ste|inv_notifiers_\w+|write_gerror|write_gerrorn|trigger_irq|unhandled_cmd|notify_flag_(add|del))$/;

function RANGE(): RegExp {
  return /^vmid=(\d+) asid=(-?\d+) addr=(0x\w+) tg=(\d) num_pages=(0x\w+) ttl=(\d) leaf=(\d)(?: stage=(\d))?/;
}

function invalidation(to: QemuLogEvents, found: readonly string[]): void {
  const [vmid, asid, address, tg = '0', pages, ttl, leaf, stage] = found;
  const tags = `VMID=${vmid}${stage !== '2' && N(asid) >= 0 ? ` ASID=${asid}` : ''}`;
  const level = tg === '0' ? '' : ` TTL=${ttl}`;
  to.operands(`${tags} Addr=${address} Leaf=${leaf}${level}${rangeOperands(B(pages), tg)}`);
}

function ACCESS(): RegExp {
  return /sid=(0x\w+|\d+) .*?iova:(0x\w+) is_write=(\d)/;
}

function rwOf(write: string | undefined): 'read' | 'write' {
  return write === '1' ? 'write' : 'read';
}

/** CFGI_STE_RANGE: 2^(Range + 1) StreamIDs from `from` to `end`. */
function streams(from: number, end: number): string {
  return `StreamID=${from} Range=${Math.log2(end - from + 1) - 1}`;
}

function LOOKUP(): RegExp {
  return /asid=(-?\d+) vmid=(-?\d+) addr=(0x\w+)/;
}

function lookup(to: QemuLogEvents, [asid, vmid, page]: readonly string[]): void {
  to.lookup(B(page), N(asid), N(vmid));
}
