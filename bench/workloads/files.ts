/** The cost of files: checking golden files, opening a dump of a real machine, and listing what its tables map. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseImageFile } from '../../src/golden/image-file.ts';
import { imageMachine } from '../../src/golden/image-probe.ts';
import { checkGolden } from '../../src/golden/index.ts';
import { bufferSource, imageMemory, openImage } from '../../src/image/index.ts';
import { listSpace } from '../../src/space/space.ts';
import type { Workload } from '../workload.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

function json(file: string): unknown {
  const bytes = readFileSync(join(FIXTURES, file));
  return JSON.parse((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}

const linux = readdirSync(join(FIXTURES, 'linux')).filter((name) => /^arm_64.*json$/.test(name));
const readCapture = () => json('real/linux61-a72-rodata-on.json.gz');

export function fileWorkloads(): Workload[] {
  const common = { limit: 'fill', samples: 5, units: 1 } as const;
  return [
    {
      ...common,
      name: `check, ${linux.length} golden ops files`,
      unit: 'file',
      units: linux.length,
      make: () => {
        const files = linux.map((name) => json(`linux/${name}`));
        return {
          run: () => {
            for (const file of files) checkGolden(file);
          },
        };
      },
    },
    {
      ...common,
      name: 'check, a capture of Linux 6.1',
      unit: 'file',
      make: () => {
        const capture = readCapture();
        return { run: () => checkGolden(capture) };
      },
    },
    {
      ...common,
      name: 'open an image of 512 MiB',
      unit: 'image',
      make: () => {
        const ram = gunzipSync(readFileSync(join(FIXTURES, 'real/uboot-arm64-el2.ram.gz')));
        const open = () => imageMemory([openImage(bufferSource('ram', ram), { base: 0x4000_0000n })]);
        return { run: () => open().read64(0x5fff_0000n) };
      },
    },
    {
      ...common,
      name: 'list the address space of Linux 6.1',
      unit: 'space',
      make: () => {
        const capture = readCapture();
        return { run: () => listSpace(imageMachine(parseImageFile(capture)).machineOf()()) };
      },
    },
  ];
}
