/** Random register files as debuggers, firmware and people write them: several exception levels, misspelt names, values too wide. (DDI 0487 D24, G8; IHI 0070 6.3.) */
import { regimes, traitsOf } from '../../src/arch/regimes.ts';
import type { Random } from '../support/random.ts';

/** Registers of every regime by the manual's names, those of an SMMU, and some that no walk reads. */
export const NAMES: readonly string[] = [
  ...new Set(
    regimes.flatMap((regime) => Object.values(traitsOf(regime).registers)).flatMap((name) => name.split(':')),
  ),
  ...['ttbr0', 'ttbr1', 'tcr', 'mair', 'sctlr', 'vttbr', 'vtcr', 'hcr', 'dacr'],
  ...[
    'SMMU_STRTAB_BASE',
    'SMMU_STRTAB_BASE_CFG',
    'SMMU_CR0',
    'SMMU_CR2',
    'SMMU_IDR0',
    'SMMU_IDR1',
    'SMMU_IDR5',
    'ste0',
    'ste1',
    'cd0',
  ],
  ...['SCR_EL3', 'TCR2_EL1', 'PIR_EL1', 'HCRX_EL2', 'VSTTBR_EL2', 'MAIR2_EL1', 'TTBCR2', 'GPCCR_EL3'],
  ...['TTBR0_NS', 'TTBR0_S', 'TTBR0_EL12', 'TCR_EL12', 'MSTATUS', 'TRANSTAB'],
  ...['x0', 'pc', 'cpsr', 'ESR_EL1', 'FAR_EL1', 'VBAR_EL2', 'CONTEXTIDR_EL1', 'v0'],
];

/** Names that go together, so that many files lead to a walk. */
const LEVELS = [
  ['TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'MAIR_EL1', 'SCTLR_EL1'],
  ['TTBR0_EL2', 'TCR_EL2', 'MAIR_EL2', 'SCTLR_EL2'],
  ['TTBR0_EL3', 'TCR_EL3', 'MAIR_EL3', 'SCTLR_EL3'],
  ['VTTBR_EL2', 'VTCR_EL2', 'HCR_EL2'],
  ['TTBR0', 'TTBR1', 'TTBCR', 'SCTLR', 'DACR', 'PRRR', 'NMRR'],
  ['HTTBR', 'HTCR', 'HSCTLR', 'HMAIR0'],
  ['satp', 'sstatus'],
  ['strtab_base', 'strtab_base_cfg', 'cr0'],
] as const;

/** A value of a register: one that leads to the tables of the image, one of a real system, or noise. */
function value(random: Random, name: string): bigint {
  if (random.chance(0.06)) return random.bits(random.pick([8, 32, 33, 48, 64]));
  const upper = name.toUpperCase();
  if (/TTBR|STRTAB_BASE$|TRANSTAB/.test(upper))
    return random.pick([0x1000n, 0x1000n, 0x2000n, 0x1001_0000_0000_1000n, 0n]);
  if (/SATP/.test(upper)) return (random.pick([8n, 9n, 10n, 0n]) << 60n) | 1n;
  if (/TTBCR$/.test(upper)) return random.pick([0n, 0x8000_0000n, 0x8000_0019n, 1n]);
  if (/VTCR/.test(upper)) return random.pick([0x8002_3559n, 0x8000_0059n, 0x19n]);
  if (/TCR/.test(upper)) return random.pick([0x19n, 0x8019_0019n, 0x5_b550_3510n, 0x8080_3519n]);
  if (/SCTLR/.test(upper)) return random.pick([1n, 0x30d0_0801n, 0x30d0_0800n, 0x30c5_183dn]);
  if (/HCR/.test(upper))
    return random.pick([0n, 1n, 0x8000_0000n, 0x4_0000_0000n, 0x4_8800_0000n, 0x8000_0001n]);
  return random.pick([0n, 1n, 0xffn, 0xff44_0c04_00n, 0x5555_5555n]);
}

function misspelt(random: Random, name: string): string {
  const at = random.between(0, name.length - 1);
  return random.pick([
    name.slice(0, at) + name.slice(at + 1),
    name.slice(0, at) + random.pick(['A', '0', '_', 'é', ' ', '"']) + name.slice(at),
    name.slice(0, at) + (name[at + 1] ?? '') + name[at] + name.slice(at + 2),
    `${name}_EL${random.between(0, 9)}`,
    `${name}X`,
    '',
  ]);
}

/** Names and values of one file. */
function pairs(random: Random): [name: string, value: bigint][] {
  const groups = Array.from({ length: random.between(1, 2) }, () => random.pick(LEVELS));
  const names = [
    ...groups.flat(),
    ...Array.from({ length: random.chance(0.5) ? 0 : random.between(1, 4) }, () => random.pick(NAMES)),
  ];
  const kept = names.filter(() => random.chance(0.9));
  return kept.map((name) => [
    random.chance(0.01) ? misspelt(random, name) : random.chance(0.1) ? name.toLowerCase() : name,
    value(random, name),
  ]);
}

/** How a value is written: mostly as it should be. */
function written(random: Random, number: bigint): string {
  const digits = number.toString(16);
  if (random.chance(0.99)) return `0x${digits}`;
  return random.pick([
    digits.padStart(16, '0'),
    number.toString(),
    `0x${digits}00000000000000000`,
    '0x',
    'nan',
    '-1',
    `0x${digits}n`,
  ]);
}

type Form = (random: Random, values: readonly (readonly [string, bigint])[]) => string;

const flat: Form = (random, values) => {
  const members = Object.fromEntries<unknown>(
    values.map(([name, number]) => [name, jsonValue(random, number)]),
  );
  if (random.chance(0.2))
    members.cpu = random.pick<unknown>([
      'max',
      'cortex-a53',
      'cortex-z9',
      1,
      {},
      { pa_bits: 40 },
      { pa_bits: '40' },
    ]);
  if (random.chance(0.2))
    members.regime = random.pick<unknown>(['el1&0', 'el2', 'smmuv3', 'wibble', null, 3]);
  return JSON.stringify(members);
};

function jsonValue(random: Random, number: bigint): unknown {
  if (random.chance(0.99)) return `0x${number.toString(16)}`;
  return random.pick<unknown>([Number(number), number.toString(), null, true, [], {}, '', '0x', 1.5, -1]);
}

/** The forms that are read, and some of none. */
const FORMS: readonly (readonly [name: string, form: Form])[] = [
  [
    'gdb',
    (random, values) =>
      values.map(([name, n]) => `${name.padEnd(15)}${written(random, n).padEnd(19)}${n}`).join('\n'),
  ],
  [
    'uboot',
    (_, values) => values.map(([name, n]) => `${name}: ${n.toString(16).padStart(16, '0')}`).join('\n'),
  ],
  [
    'tfa',
    (_, values) =>
      values
        .map(([name, n]) => `${name.toLowerCase().padEnd(15)}= 0x${n.toString(16).padStart(16, '0')}`)
        .join('\n'),
  ],
  [
    'xen',
    (_, values) =>
      values.map(([name, n]) => `(XEN) ${name.padStart(13)}: ${n.toString(16).padStart(16, '0')}`).join('\n'),
  ],
  [
    'pairs',
    (random, values) =>
      values.map(([name, n]) => `${name}=${written(random, n)}`).join(random.pick([' ', ', ', '\n'])),
  ],
  ['json', flat],
  ['nested', (random, values) => `{"registers":${flat(random, values)}}`],
  ['list', (random, values) => `[${flat(random, values)}]`],
  ['cut', (random, values) => flat(random, values).slice(0, -random.between(1, 9))],
  [
    'noise',
    (random) =>
      Array.from({ length: random.between(0, 99) }, () => String.fromCharCode(random.between(0, 255))).join(
        '',
      ),
  ],
];

/** One random register file. */
export function registerFile(random: Random): { readonly form: string; readonly text: string } {
  const [form, write] = random.chance(0.9) ? random.pick(FORMS.slice(0, 7)) : random.pick(FORMS);
  return { form, text: write(random, pairs(random)) };
}

/** Options beside a file. */
export function registerOptions(random: Random): string[] {
  const some = (probability: number, ...options: string[]) => (random.chance(probability) ? options : []);
  return [
    ...some(0.3, '--regime', random.pick([...regimes, 'smmuv3', 'vhe', 'wibble', ''])),
    ...some(0.1, '--stage', random.pick(['1', '2', '3'])),
    ...some(0.1, '--reg', `${random.pick(NAMES)}=${written(random, random.bits(64))}`),
    ...some(0.1, '--ttbr0', random.pick(['0x1000', '4097', '1K', '-1', 'x'])),
    ...some(0.1, '--tcr', '0x19'),
    ...some(0.1, '--cpu', random.pick(['max', 'cortex-a53', 'cortex-a15', 'cortex-z9'])),
    ...some(0.1, '--pa-bits', random.pick(['32', '40', '52', '64', 'x'])),
    ...some(0.1, '--security', random.pick(['secure', 'nonsecure', 'realm', 'root', 'none'])),
    ...some(0.1, '--sid', random.pick(['0', '0x1f', '-1'])),
    ...some(0.05, '--ssid', random.pick(['0', '0xfffff', '0x100000'])),
  ];
}

/** Where a raw image is said to lie. */
export function randomBase(random: Random): string {
  return random.pick([
    '0x1000',
    '0x1000',
    '0x1000',
    '4096',
    '4K',
    '40100000',
    '0x1001',
    '0xffff_ffff_ffff_f000',
    '1G',
    '-1',
    '',
    'x',
    '0x1_0000_0000_0000_0000',
  ]);
}
