/** The options shared by commands that look at tables: files, register values, streams. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { REGISTER_NAMES } from '../../arch/regime-table.ts';
import { machineRegimes, regimeNamed } from '../../arch/regimes.ts';
import { type SecurityState, securityNamed, securityStates, securityWord } from '../../arch/security.ts';
import { IMAGE_FORMATS } from '../../image/image.ts';
import type { ImageFormat } from '../../image/index.ts';
import type { AskedRegime } from '../../machine/registers/index.ts';
import { type Access, cpuModels } from '../../walker/index.ts';
import { ID_REGISTERS, SMMU_REGISTERS } from '../input/registers.ts';

/** The options as typed. */
export interface TargetOptions {
  readonly imageFormat?: ImageFormat;
  readonly registers?: string;
  readonly regime?: AskedRegime;
  readonly stage?: '1' | '2';
  readonly reg?: readonly string[];
  readonly cpu?: string;
  readonly paBits?: number;
  readonly security?: SecurityState;
  readonly sid?: string;
  readonly ssid?: string;
  readonly row?: string;
  readonly derivation?: boolean;
  readonly cpuNumber?: number;
  readonly smmu?: string;
  readonly base?: string;
}

export const FILE_ARGUMENT =
  'map request, golden file, or memory image: ELF core, LiME, kdump, Intel HEX, S-records, hex text, raw at FILE@BASE; - or -@BASE is stdin; or a running machine: gdb://HOST:PORT';

export const TARGET_HELP = `
FILE is a map request or golden ops file, which is carried out first; or a golden image; or a memory dump. Several memory
images make one memory. Their format is detected; raw bytes need an address: ram.bin@0x4000_0000.
Memory needs register values: options (--ttbr0 0x… --tcr 0x… --mair 0x…, or by the manual's names --reg TTBR0_EL2=0x…), a file
(--registers FILE: JSON, a golden image, or what gdb, U-Boot, TF-A or Xen print), or for an SMMUv3 --strtab-base, --strtab-cfg and
--sid. A file may hold several Exception levels: the regime uses the registers with its own names. Options override a file.

gdb://HOST:PORT is a running machine with a gdb stub: QEMU's (-s), or another. It is stopped while it is read, never written, and
left as it was. Its registers are read too (--cpu-number N: those of another CPU); --smmu BASE reads those of an SMMUv3 at that address.
Memory is read by physical addresses. For a program under gdbserver, --base HOST=PA gives the address of the buffer with the tables,
and the PA that it stands for.
`;

const REGIME_HELP = `translation regime, in any case and without quotes: ${[...machineRegimes, 'smmuv3'].join(', ').replaceAll('&', '')} …; vhe is el20`;

/** Adds them to a command. */
export function addTargetOptions(command: Command): Command {
  command
    .addOption(
      new Option('--image-format <kind>', 'format of memory images, instead of detecting it').choices(
        IMAGE_FORMATS,
      ),
    )
    .option('--registers <file>', 'register values: JSON, or what a debugger or firmware printed')
    .option('--reg <name=value...>', "a register by the manual's name: TTBR0_EL2=0x4000_0000 (repeatable)")
    .addOption(new Option('--regime <name>', REGIME_HELP).argParser(askedRegime))
    .addOption(new Option('--stage <n>', 'only this stage of a regime with two').choices(['1', '2']))
    .addOption(
      new Option('--cpu <model>', 'the CPU model that decides features (default: max, all of them)').choices(
        cpuModels,
      ),
    )
    .addOption(new Option('--pa-bits <n>', 'implemented physical address bits, 32 to 52').argParser(paBits))
    .addOption(
      new Option(
        '--security <state>',
        `Security state of the access: ${SECURITY_WORDS} (default: from SCR_EL3, or else secure for EL3 and nonsecure otherwise)`,
      ).argParser(securityState),
    );
  for (const name of REGISTER_NAMES)
    command.addOption(new Option(`--${name} <value>`, `${name.toUpperCase()}`));
  for (const name of ID_REGISTERS)
    command.addOption(
      new Option(
        `--${name} <value>`,
        `${name.toUpperCase().replace('-', '_')}_EL1: which features count, in place of those of --cpu`,
      ),
    );
  for (const name of SMMU_REGISTERS)
    command.addOption(new Option(`--${name} <value>`, `SMMU_${name.toUpperCase().replaceAll('-', '_')}`));
  return command
    .option('--sid <id>', 'StreamID, for an SMMU (default: that of --row, or the only valid one)')
    .option('--ssid <id>', 'SubstreamID, for an SMMU')
    .addOption(
      new Option(
        '--cpu-number <n>',
        'running machine: the CPU whose registers to read (default: 0)',
      ).argParser(cpuNumber),
    )
    .option('--smmu <base>', 'running machine: use the SMMUv3 whose registers are at this PA')
    .option(
      '--base <host=pa>',
      'program under gdbserver: the address that stands for a PA (0: they are the same)',
    )
    .option('--row <n>', 'with registers and StreamID of translations[n] of a golden image');
}

/** The access options as typed. */
export interface AccessOptions {
  readonly access?: Access['access'];
  readonly unprivileged?: boolean;
  readonly pan?: boolean;
  readonly gcs?: boolean;
  readonly tagChecked?: boolean;
}

export const DERIVATION_HELP =
  'show what the registers mean, field by field (always shown for memory images; problems are shown for every file)';
export const PAN_HELP = 'with PSTATE.PAN = 1: privileged data accesses to memory that EL0 may access fault';

/** Adds them to a command. */
export function addAccessOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--access <kind>', 'what the access does (default: read)').choices([
        'read',
        'write',
        'execute',
      ]),
    )
    .option('--unprivileged', 'an access from EL0 (default: privileged)')
    .option('--pan', PAN_HELP)
    .option('--gcs', 'a Guarded Control Stack access, a read or a write (FEAT_GCS)')
    .option('--tag-checked', 'a data access whose allocation tag is checked (FEAT_MTE2)');
}

/** @throws InvalidArgumentError that lists the known names. */
function askedRegime(text: string): AskedRegime {
  const found = /^smmu(v3)?$/i.test(text) ? 'smmuv3' : regimeNamed(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(
    `there is no regime '${text}'; there are ${[...machineRegimes, 'smmuv3'].join(', ')}.`,
  );
}

/** The states as they may be typed. */
export const SECURITY_WORDS = securityStates.map(securityWord).join(', ');

/** @throws InvalidArgumentError that lists the known states. */
export function securityState(text: string): SecurityState {
  const found = securityNamed(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`there is no security state '${text}'; there are ${SECURITY_WORDS}.`);
}

function paBits(text: string): number {
  const bits = Number(text);
  if (Number.isInteger(bits) && bits >= 32 && bits <= 52) return bits;
  throw new InvalidArgumentError('physical addresses have 32 to 52 bits.');
}

function cpuNumber(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('CPUs are counted from 0.');
}
